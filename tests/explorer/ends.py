"""The ends of a session: who takes part, as the explorer drives them."""

from tests.explorer.agent_end import AgentEnd
from tests.explorer.landmark_end import LandmarkEnd
from tests.explorer.world import EVIL, Asked, Configuration

End = AgentEnd | LandmarkEnd


def agents_of(number: int, asked: Asked) -> list[AgentEnd]:
    """The ends of the agent of a session; none if that is the attacker."""
    if asked.agent is None:
        return []
    return [AgentEnd(number=number, asked=asked, agent=asked.agent, again=again) for again in range(asked.agent_ends)]


def landmarks_of(number: int, asked: Asked, settings: Configuration) -> list[LandmarkEnd]:
    """The ends of the honest landmarks of a session."""
    return [
        LandmarkEnd(
            number=number,
            asked=asked,
            landmark=landmark,
            rounds=settings.rounds,
            gives_up=settings.gives_up,
            addresses=settings.addresses,
            with_ends=settings.with_ends,
            again=again,
        )
        for landmark in asked.landmarks
        if landmark != EVIL
        for again in range(asked.landmark_ends)
    ]
