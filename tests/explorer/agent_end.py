"""An agent's end of one session, with all its landmarks: `AgentSession` and the `Responder`s in it."""

from dataclasses import dataclass
from typing import Final

from lightbound.errors import ErrorCode, refused
from lightbound.ranging.sessions.agent import AgentSession
from lightbound.ranging.sessions.landmark import LandmarkSession
from lightbound.ranging.statements.binding import Evidence
from lightbound.ranging.timing.responder import Responder
from tests.explorer import world
from tests.explorer.messages import What
from tests.explorer.ports import Core, Ignored, NotNow, Port, Sent, Took
from tests.explorer.world import ISSUED_NS, Asked

STATEMENT_PORTS: Final = (
    Port("asked"),
    *(Port(name, landmark) for name in ("contribution", "close") for landmark in range(world.LANDMARKS)),
)
"""Statements go in as of any landmark that the agent trusts, whether or not it is one of the session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentEnd:
    """An agent's end of one session, with all its landmarks."""

    number: int
    """Of the session."""
    asked: Asked
    agent: int
    again: int = 0

    @property
    def name(self) -> str:
        """As traces call it."""
        return f"agent {self.agent} in session {self.number}" + ", restarted" * self.again

    @property
    def moves(self) -> tuple[Port, ...]:
        """What it does by itself: it stops waiting for landmarks, at any moment."""
        return (Port("bind"),)

    @property
    def statement_ports(self) -> tuple[Port, ...]:
        """Where statements go in."""
        return STATEMENT_PORTS

    @property
    def packet_ports(self) -> tuple[Port, ...]:
        """Where packets go in."""
        return tuple(Port("challenge", landmark) for landmark in self.asked.landmarks)

    def listener(self, core: Core, port: Port) -> Responder | None:
        """The one object that sees a packet at this port; None if nobody listens yet."""
        if not isinstance(core, AgentSession) or port.landmark is None:
            return None
        return core.responders.get(world.LANDMARK_ID[port.landmark])

    def take(self, core: Core, clock_ns: int, port: Port, data: bytes) -> Took:
        """What comes of a message at a port, or of a move.

        Raises:
            LightboundError, Ignored, NotNow: nothing does.
        """
        if isinstance(core, LandmarkSession):
            raise TypeError(core)
        if core is None:
            if port.name != "asked":
                raise NotNow
            return Took(core=self._begun(data), clock_ns=clock_ns)
        if port.name == "asked":
            raise refused(ErrorCode.OUT_OF_ORDER, "a sid once", "again", "session")
        if port.name == "bind":
            return Took(core=core, clock_ns=clock_ns, sent=self._bound(core))
        if port.landmark is None:
            raise NotImplementedError(port)
        return Took(core=core, clock_ns=clock_ns, sent=self._from_landmark(core, clock_ns, port, port.landmark, data))

    @staticmethod
    def _from_landmark(core: AgentSession, clock_ns: int, port: Port, landmark: int, data: bytes) -> tuple[Sent, ...]:
        by_id = world.LANDMARK_ID[landmark]
        match port.name:
            case "contribution":
                core.contribution(by_id, data, now_ns=clock_ns)
                return ()
            case "close":
                return (Sent(What.ACK, core.close(by_id, data), landmark),)
            case "challenge":
                reply = core.responders[by_id].datagram_received(data)
                if reply is None:
                    raise Ignored
                return (Sent(What.REPLY, reply, landmark, int.from_bytes(data[12:14], "big")),)
            case _:
                raise NotImplementedError(port)

    def _begun(self, data: bytes) -> AgentSession:
        name = (self.number, self.again)
        core = AgentSession.asked(
            data,
            trust=world.trust(),
            enrolment=world.ENROLMENT[self.agent],
            s_seed=world.octets("s", *name),
            x_seed=world.octets("agent's x", *name),
            now_ns=ISSUED_NS,
        )
        if core.session.sid != world.sid(self.number):
            raise Ignored  # the agent begins that session too, at another end of its own
        return core

    def _bound(self, core: AgentSession) -> tuple[Sent, ...]:
        bind = core.bind(Evidence())
        numbers = {landmark_id: number for number, landmark_id in enumerate(world.LANDMARK_ID)}
        ready = [Sent(What.READY, each.ready(), numbers[by_id]) for by_id, each in sorted(core.responders.items())]
        return (Sent(What.BIND, bind), *ready)
