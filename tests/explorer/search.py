"""Every order in which messages can be delivered, searched over the tables: which states of all ends occur together.

A state is the number of each end's local state. What the attacker has follows from it, for an end's local state holds
everything that it has sent. A step delivers one message that the attacker has, or lets one end make a move; steps that
change nothing are not taken, for `tables` has seen that they do not. Breadth first, so a trace is a shortest one.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from tests.explorer.agent_end import AgentEnd
from tests.explorer.landmark_end import LandmarkEnd
from tests.explorer.messages import VERIFIER
from tests.explorer.ports import Port
from tests.explorer.properties import has_measured, wrong_pair
from tests.explorer.tables import Tables

State = tuple[int, ...]
Step = tuple[int, Port, int | None]
"""Which end, where, and which message; None for a move of its own."""

MOST_STATES: Final = 20_000_000
"""More do not fit into memory. Nothing is cut off silently: a search that comes here fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explored:
    """What a search found."""

    states: int
    transitions: int
    pairs: int
    """Pairs of states of a landmark's and an agent's end that are bound to one another and occur together."""
    met: tuple[frozenset[int], ...]
    """By end: the local states that a run can reach."""
    violation: tuple[str, ...]
    """What led to the first violation, and which it is, a line each; nothing if there is none."""
    honest: tuple[str, ...]
    """What leads soonest to all landmarks having measured, each with an ACK (P5); nothing if nothing does."""


def explored(tables: Tables, *, only: Sequence[int] | None = None) -> Explored:
    """All states that can be reached, or those up to the first violation.

    `only` are the numbers of the ends that take part. Whatever the others could ever send, in any run, the attacker
    then has from the start: the complete transcripts of all other sessions, and more than there can be at once.
    """
    return _Search(tables, range(len(tables.tables)) if only is None else only).run()


class _Search:
    def __init__(self, tables: Tables, only: Sequence[int]) -> None:
        self._messages = tables.messages
        self._parts = [tables.tables[number] for number in only]
        others = [table for number, table in enumerate(tables.tables) if number not in only]
        given = {number for number, message in enumerate(tables.messages) if message.maker == VERIFIER}
        self._from_start = _bits(given.union(*(local.sent for table in others for local in table.locals)))
        self._sent = [[_bits(local.sent) for local in part.locals] for part in self._parts]
        # What a step needs stands beside it, for it is asked for in every state.
        self._moves = [
            [[(self._ways(move.message), move.to, move.port, move.message) for move in moves] for moves in part.moves]
            for part in self._parts
        ]
        self._alarms = [
            {
                number: [each for each in part.alarms if each.at == number]
                for number in {each.at for each in part.alarms}
            }
            for part in self._parts
        ]
        agents = {part.end.name: at for at, part in enumerate(self._parts) if isinstance(part.end, AgentEnd)}
        self._bound_to = [
            [None if local.under is None else agents.get(tables.messages[local.under].maker) for local in part.locals]
            if isinstance(part.end, LandmarkEnd)
            else [None] * len(part.locals)
            for part in self._parts
        ]
        """By landmark's end and local state: which part is the agent that it is bound to."""
        self._came: dict[State, tuple[State, Step] | None] = {}
        self._pairs: set[tuple[int, int, int, int]] = set()
        self._met: list[set[int]] = [set() for _ in only]
        self._transitions = 0
        self._honest: tuple[str, ...] = ()
        self._measured = [
            {at for at, one in enumerate(part.locals) if has_measured(part.end, one)} for part in self._parts
        ]
        landmarks: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
        for at, part in enumerate(self._parts):
            if isinstance(part.end, LandmarkEnd):
                landmarks[part.end.number, part.end.landmark].append(at)
        self._ends_of_landmarks = list(landmarks.values())

    def run(self) -> Explored:
        start = (0,) * len(self._parts)
        self._came[start] = None
        layer = [start]
        violation: tuple[str, ...] = ()
        while layer and not violation:
            layer, violation = self._after(layer)
        return Explored(
            states=len(self._came),
            transitions=self._transitions,
            pairs=len(self._pairs),
            met=tuple(map(frozenset, self._met)),
            violation=violation,
            honest=self._honest,
        )

    def _after(self, layer: list[State]) -> tuple[list[State], tuple[str, ...]]:
        """What can come one step later that has not come before; and a violation, if there is one already."""
        following: list[State] = []
        for state in layer:
            has = self._has(state)
            violation = self._violation(state, has)
            if violation:
                return [], violation
            self._go_on(state, has, following)
        return following, ()

    def _go_on(self, state: State, has: int, following: list[State]) -> None:
        came, missing = self._came, ~has
        for at, local in enumerate(state):
            for ways, to, port, number in self._moves[at][local]:
                if ways and all(way & missing for way in ways):
                    continue
                self._transitions += 1
                after = (*state[:at], to, *state[at + 1 :])
                if after not in came:
                    came[after] = (state, (at, port, number))
                    following.append(after)
        if len(came) > MOST_STATES:
            raise AssertionError(f"more than {MOST_STATES} states")

    def _violation(self, state: State, has: int) -> tuple[str, ...]:
        """What is wrong in this state, or with what can be delivered in it."""
        for at, local in enumerate(state):
            self._met[at].add(local)
            for alarm in self._alarms[at].get(local, ()):
                if not all(way & ~has for way in self._ways(alarm.message) or (0,)):
                    return (*self._trace(state, (at, alarm.port, alarm.message)), alarm.says)
            agent = self._bound_to[at][local]
            if agent is None or (at, local, agent, state[agent]) in self._pairs:
                continue
            self._pairs.add((at, local, agent, state[agent]))
            landmark, other = self._parts[at], self._parts[agent]
            assert isinstance(landmark.end, LandmarkEnd)
            assert isinstance(other.end, AgentEnd)
            wrong = wrong_pair(
                landmark.end, landmark.locals[local], other.end, other.locals[state[agent]], self._messages
            )
            if wrong is not None:
                return (*self._trace(state), wrong)
        if not self._honest and all(
            any(state[at] in self._measured[at] for at in ends) for ends in self._ends_of_landmarks
        ):
            self._honest = self._trace(state)
        return ()

    def _has(self, state: State) -> int:
        """What the attacker has, as bits, before it makes anything of it."""
        has = self._from_start
        for sent, number in zip(self._sent, state, strict=True):
            has |= sent[number]
        return has

    def _ways(self, number: int | None) -> tuple[int, ...]:
        return () if number is None else self._messages.ways[number]

    def _trace(self, state: State, *last: Step) -> tuple[str, ...]:
        steps = [self._line(step) for step in last]
        came = self._came[state]
        while came is not None:
            before, step = came
            steps.append(self._line(step))
            came = self._came[before]
        return tuple(f"{number}. {line}" for number, line in enumerate(reversed(steps), 1))

    def _line(self, step: Step) -> str:
        at, port, number = step
        name = self._parts[at].end.name
        return f"{name}: {port}" if number is None else f"{name}: {port} <- {self._messages[number].name}"


def _bits(numbers: Iterable[int]) -> int:
    return sum(1 << number for number in set(numbers))
