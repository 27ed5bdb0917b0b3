"""Rules of the core that can be taken out alone without anything going wrong, because another one says the same.

They are kept for the day when the other one fails. That the explorer finds nothing without them is no fault of its own:
it is what is meant by two lines of defence, and it is tested, so that nobody takes the second for the first.
"""

from collections.abc import Mapping
from typing import Final

from lightbound.ranging.sessions import agent, landmark
from lightbound.ranging.sessions.agent import AgentSession
from lightbound.ranging.sessions.landmark import LandmarkSession
from lightbound.ranging.timing import packets
from lightbound.ranging.timing.challenger import Challenger
from lightbound.ranging.timing.packets import timed_keys
from lightbound.ranging.timing.responder import Responder
from tests.explorer.mutants import SOUND, Edit

SUPERFLUOUS: Final[Mapping[str, Edit]] = {
    "timed keys are of one sid: both ends draw X anew for each session": Edit(
        function=timed_keys,
        places=[packets, agent, landmark],
        texts=[("direction, sid, landmark, bind]", "direction, landmark, bind]")],
    ),
    "READY has the cookie: it has the tag": Edit(
        function=Challenger._ready,  # noqa: SLF001 - there the rule is
        places=[Challenger],
        texts=[("or not hmac.compare_digest(cookie, self.cookie)", "")],
    ),
    "a packet to the landmark has the handle: it has the tag": Edit(
        function=Challenger.datagram_received,
        places=[Challenger],
        texts=[("packet.handle != self.keys.handle or ", "")],
    ),
    "a packet to the agent has the handle: it has the tag": Edit(
        function=Responder.datagram_received,
        places=[Responder],
        texts=[("data[:12] != self._probe", "data[:4] != self._probe[:4]")],
    ),
    "an answer names the round: it has the nonce": Edit(
        function=Challenger.datagram_received,
        places=[Challenger],
        texts=[("and packet.round == self.sent - 1", "")],
    ),
    "an answer has the nonce: it names the round, and each has one nonce": Edit(
        function=Challenger.datagram_received,
        places=[Challenger],
        texts=[("and hmac.compare_digest(packet.nonce, outstanding)", "")],
    ),
    "BIND accounts for every landmark: a stranger asks again": Edit(
        function=LandmarkSession.bind,
        places=[LandmarkSession],
        texts=[("check_parties(bind, self.session)", "")],
    ),
    "CLOSE names sid and BIND: its transcript does": Edit(
        function=AgentSession.close,
        places=[AgentSession],
        texts=[("if close.sid != self.session.sid or close.bind != self.bind_digest:", SOUND)],
    ),
    "ACK names CLOSE: its transcript tells": Edit(
        function=LandmarkSession.acknowledge,
        places=[LandmarkSession],
        texts=[("if ack.sid != self.session.sid or ack.close != digest(self._close):", SOUND)],
    ),
    "ACK has the transcript: it names CLOSE": Edit(
        function=LandmarkSession.acknowledge,
        places=[LandmarkSession],
        texts=[
            ("if ack.transcript != self._transcript or ack.answered < len(self._challenger().valid):", SOUND),
        ],
    ),
}
"""By what the rule says, and why it can be spared."""
