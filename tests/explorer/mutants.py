"""The core with one rule taken out: what the explorer must find, or it finds nothing.

A mutant is the source of one function with some text replaced, so that it says exactly which rule is gone, and fails
when the source no longer has it. Rules that another rule makes superfluous are in `superfluous`.
"""

import inspect
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any, Final

import pytest

from lightbound.ranging.sessions import agent, landmark, verification
from lightbound.ranging.sessions.agent import AgentSession
from lightbound.ranging.sessions.landmark import LandmarkSession
from lightbound.ranging.statements import binding
from lightbound.ranging.statements.binding import read_bind
from lightbound.ranging.timing import packets
from lightbound.ranging.timing.challenger import Challenger
from lightbound.ranging.timing.packets import timed_keys
from lightbound.ranging.timing.responder import Responder
from tests.explorer.world import EVIL, Asked, Configuration

SOUND: Final = "if False:"
"""What a check becomes that finds everything sound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One function, wherever it goes by its name, with texts of its source replaced."""

    function: Callable[..., Any]
    places: Sequence[type | ModuleType]
    texts: Sequence[tuple[str, str]]

    def apply(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Put the changed function into its places."""
        source = textwrap.dedent(inspect.getsource(self.function))
        for old, new in self.texts:
            if source.count(old) != 1:
                raise AssertionError(f"{self.function.__qualname__} has {source.count(old)} times: {old}")
            source = source.replace(old, new)
        made: dict[str, Any] = {}
        exec(source, self.function.__globals__, made)  # noqa: S102 - a mutant is the source with a text replaced
        for place in self.places:
            monkeypatch.setattr(place, self.function.__name__, made[self.function.__name__])


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A rule that is taken out, where that shows, and which property breaks."""

    without: str
    edits: Sequence[Edit]
    shows_in: Configuration
    breaks: str


def _small(*sessions: Asked) -> Configuration:
    return Configuration(sessions=sessions, gives_up=False, with_ends=False)


ONE: Final = _small(Asked(agent=0, landmarks=(0,)))
TWO_SESSIONS: Final = _small(Asked(agent=0, landmarks=(0,)), Asked(agent=1, landmarks=(0,)))
TWO_LANDMARKS: Final = _small(Asked(agent=0, landmarks=(0, 1)))
FORGETFUL: Final = _small(Asked(agent=0, landmarks=(0,), landmark_ends=2))
EVIL_AGENT: Final = _small(Asked(agent=None, landmarks=(0,)), Asked(agent=0, landmarks=(0,)))
EVIL_AMONG_LANDMARKS: Final = replace(_small(Asked(agent=0, landmarks=(0, EVIL))), rounds=1)
"""Where mutants show, as small as it can be."""

MUTANTS: Final = (
    Mutant(
        without="the responder checks who challenges",
        edits=[
            Edit(
                function=Responder.datagram_received,
                places=[Responder],
                texts=[(" or not hmac.compare_digest(expected.digest(), data[32:48])", "")],
            )
        ],
        shows_in=ONE,
        breaks="P2",
    ),
    Mutant(
        without="an answer is to the challenge that is outstanding",
        edits=[
            Edit(
                function=Challenger.datagram_received,
                places=[Challenger],
                texts=[
                    ("and packet.round == self.sent - 1", ""),
                    ("and hmac.compare_digest(packet.nonce, outstanding)", ""),
                ],
            )
        ],
        shows_in=ONE,
        breaks="P1",
    ),
    Mutant(
        without="a challenge is used up by its answer",
        edits=[
            Edit(
                function=Challenger._answered,  # noqa: SLF001 - there the rule is
                places=[Challenger],
                texts=[("self._nonce, self._silent = None, 0", "self._silent = 0")],
            )
        ],
        shows_in=ONE,
        breaks="P1",
    ),
    Mutant(
        without="an answer has the tag of the session's key",
        edits=[
            Edit(
                function=Challenger.datagram_received,
                places=[Challenger],
                texts=[(" or not is_genuine(packet, self.keys.to_landmark)", "")],
            )
        ],
        shows_in=ONE,
        breaks="P2",
    ),
    Mutant(
        without="READY is of this session: neither handle nor tag nor cookie is checked",
        edits=[
            Edit(
                function=Challenger.datagram_received,
                places=[Challenger],
                texts=[
                    ("if packet.handle != self.keys.handle or not", "if packet.type is not PacketType.READY and not")
                ],
            ),
            Edit(
                function=Challenger._ready,  # noqa: SLF001 - there the rule is
                places=[Challenger],
                texts=[("or not hmac.compare_digest(cookie, self.cookie)", "")],
            ),
        ],
        shows_in=TWO_SESSIONS,
        breaks="P2",
    ),
    Mutant(
        without="BIND names this SESSION",
        edits=[
            Edit(
                function=LandmarkSession.bind,
                places=[LandmarkSession],
                texts=[("if bind.session != self.session_digest:", SOUND)],
            )
        ],
        shows_in=EVIL_AGENT,
        breaks="P2",
    ),
    Mutant(
        without="BIND names the CONTRIB of this end",
        edits=[
            Edit(
                function=LandmarkSession.bind,
                places=[LandmarkSession],
                texts=[("if own not in bind.contributions:", SOUND)],
            )
        ],
        shows_in=FORGETFUL,
        breaks="P2",
    ),
    Mutant(
        without="BIND is signed by the enrolment key that was asked",
        edits=[
            Edit(
                function=read_bind,
                places=[binding, landmark, verification],
                texts=[("(agent, s))", "(s,))")],
            )
        ],
        shows_in=ONE,
        breaks="P2",
    ),
    Mutant(
        without="timed keys are of one landmark",
        edits=[
            Edit(
                function=timed_keys,
                places=[packets, agent, landmark],
                texts=[("direction, sid, landmark, bind]", "direction, sid, bind]")],
            )
        ],
        shows_in=EVIL_AMONG_LANDMARKS,
        breaks="P2",
    ),
    Mutant(
        without="CONTRIB is for this session",
        edits=[
            Edit(
                function=AgentSession.contribution,
                places=[AgentSession],
                texts=[("if contrib.session != self.session_digest:", SOUND)],
            )
        ],
        shows_in=TWO_SESSIONS,
        breaks="P2",
    ),
    Mutant(
        without="CONTRIB names the landmark that signed it",
        edits=[
            Edit(
                function=AgentSession.contribution,
                places=[AgentSession],
                texts=[("if contrib.landmark != landmark:", SOUND)],
            )
        ],
        shows_in=EVIL_AMONG_LANDMARKS,
        breaks="P2",
    ),
    Mutant(
        without="a CONTRIB that is refused leaves nothing behind",
        edits=[
            Edit(
                function=AgentSession.contribution,
                places=[AgentSession],
                texts=[
                    (
                        "if contrib.landmark != landmark:",
                        "self.contributions[landmark] = (contrib, b'')\n    if contrib.landmark != landmark:",
                    ),
                ],
            )
        ],
        shows_in=TWO_SESSIONS,
        breaks="P3",
    ),
    Mutant(
        without="the agent holds CLOSE against what it answered",
        edits=[
            Edit(
                function=AgentSession.close,
                places=[AgentSession],
                texts=[("if len(given) != len(answers) or found != close.transcript:", SOUND)],
            )
        ],
        shows_in=EVIL_AMONG_LANDMARKS,
        breaks="P4",
    ),
    Mutant(
        without="the agent remembers what it acknowledged",
        edits=[
            Edit(
                function=AgentSession.close,
                places=[AgentSession],
                texts=[
                    (
                        "self.acknowledged[landmark], self._acks[landmark] = digest(data), write",
                        "_, self._acks[landmark] = 0, write",
                    )
                ],
            )
        ],
        shows_in=ONE,
        breaks="P4",
    ),
    Mutant(
        without="the responder remembers what it answered",
        edits=[
            Edit(
                function=Responder.datagram_received,
                places=[Responder],
                texts=[("self.answers[number] = Answer", "Answer")],
            )
        ],
        shows_in=ONE,
        breaks="P1",
    ),
    Mutant(
        without="the landmark holds ACK against its CLOSE",
        edits=[
            Edit(
                function=LandmarkSession.acknowledge,
                places=[LandmarkSession],
                texts=[
                    ("if ack.sid != self.session.sid or ack.close != digest(self._close):", SOUND),
                    ("if ack.landmark != self.identity.key.key_id:", SOUND),
                    ("if ack.transcript != self._transcript or ack.answered < len(self._challenger().valid):", SOUND),
                ],
            )
        ],
        shows_in=TWO_LANDMARKS,
        breaks="P2",
    ),
)

WITHOUT_BIND_IN_THE_CHECK: Final = Edit(
    function=verification._check_measurement,  # noqa: SLF001 - there the rule is
    places=[verification],
    texts=[("if said.bind != bind_digest:", SOUND)],
)
"""A stranger's check that does not ask under which BIND something was measured."""

DEAF: Final = Edit(
    function=LandmarkSession.acknowledge,
    places=[LandmarkSession],
    texts=[("if ack.landmark != self.identity.key.key_id:", "if True:")],
)
"""A landmark that refuses every ACK: nothing false comes of it, and nothing acknowledged."""
