"""A landmark's end of one session: `LandmarkSession`, and from BIND on the `Challenger` in it."""

from dataclasses import dataclass
from typing import Final

from lightbound.errors import ErrorCode, Refused, refused
from lightbound.ranging.sessions.agent import AgentSession
from lightbound.ranging.sessions.chain import Chain
from lightbound.ranging.sessions.landmark import LandmarkSession, State
from lightbound.ranging.statements.measurement import Why
from lightbound.ranging.timing.challenger import Challenger, Phase
from lightbound.ranging.timing.clocks import Instant
from lightbound.ranging.timing.packets import PacketType
from tests.explorer import world
from tests.explorer.messages import What
from tests.explorer.ports import Core, Ignored, NotNow, Port, Sent, Took
from tests.explorer.world import ISSUED_NS, Asked

ANSWERED_NS: Final = 10_000_000
PATIENCE_NS: Final = 600_000_000
"""Longer than any wait for an answer."""

RESTARTED_NS: Final = ISSUED_NS + 1
"""Since when a landmark is up that was restarted."""

STATEMENT_PORTS: Final = Port("open"), Port("bind"), Port("acknowledge")
PACKET_PORTS: Final = Port("packet"), Port("packet from elsewhere")
"""Where packets come from. Whoever owns the network puts any address on a packet, so one port is enough for all that it
can do; the second is for what comes of two addresses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LandmarkEnd:
    """A landmark's end of one session."""

    number: int
    asked: Asked
    landmark: int
    rounds: int
    gives_up: bool
    addresses: int
    with_ends: bool
    again: int = 0

    @property
    def name(self) -> str:
        """As traces call it."""
        return f"landmark {self.landmark} in session {self.number}" + ", again" * self.again

    @property
    def moves(self) -> tuple[Port, ...]:
        """What it does by itself."""
        patience = ("give up",) if self.gives_up else ()
        ends = ("measure", "abort", "restart") if self.with_ends else ()
        return tuple(map(Port, ("wake", *patience, *ends)))

    @property
    def statement_ports(self) -> tuple[Port, ...]:
        """Where statements go in."""
        return STATEMENT_PORTS

    @property
    def packet_ports(self) -> tuple[Port, ...]:
        """Where packets go in."""
        return PACKET_PORTS[: self.addresses]

    def listener(self, core: Core, _port: Port) -> Challenger | None:
        """The one object that sees a packet; None if nobody listens yet."""
        return core.challenger if isinstance(core, LandmarkSession) else None

    def take(self, core: Core, clock_ns: int, port: Port, data: bytes) -> Took:
        """What comes of a message at a port, or of a move.

        Raises:
            LightboundError, Ignored, NotNow: nothing does.
        """
        if isinstance(core, AgentSession):
            raise TypeError(core)
        if core is None:
            return self._while_closed(clock_ns, port, data)
        match port.name:
            case "open":
                raise refused(ErrorCode.OUT_OF_ORDER, "a sid once", "again", "session")
            case "bind":
                core.bind(data, now_ns=clock_ns)
                _challenger(core).rounds = self.rounds
            case "acknowledge":
                core.acknowledge(data)
            case "packet" | "packet from elsewhere":
                clock_ns = self._packet(_challenger(core), clock_ns, data, address=port.name)
            case "restart":
                return self._restarted(core)
            case _:
                return self._moved(core, clock_ns, port)
        return Took(core=core, clock_ns=clock_ns)

    def _moved(self, core: LandmarkSession, clock_ns: int, port: Port) -> Took:
        match port.name:
            case "wake":
                sent = self._wake(core, clock_ns)
            case "give up":
                clock_ns, sent = self._give_up(core, clock_ns)
            case "measure":
                sent = (Sent(What.MEASUREMENT, core.measure(), self.landmark),)
            case "abort":
                sent = (Sent(What.ABORT, core.abort(Why.STOPPED, now_ns=clock_ns), self.landmark),)
            case _:
                raise NotImplementedError(port)
        return Took(core=core, clock_ns=clock_ns, sent=sent)

    @staticmethod
    def _restarted(core: LandmarkSession) -> Took:
        """The landmark forgets the session, and the sid with it."""
        if core.state in {State.MEASURED, State.ABORTED}:
            raise NotNow
        return Took(core=None, clock_ns=RESTARTED_NS)

    def _while_closed(self, clock_ns: int, port: Port, data: bytes) -> Took:
        if port.name != "open":
            raise NotNow
        core, said = LandmarkSession.opened(
            data,
            identity=world.identity(self.landmark),
            verifier=world.VERIFIER.verifying,
            chain=Chain(),
            dice=world.dice(self.landmark, self.number, self.again),
            up_since_ns=clock_ns if clock_ns == RESTARTED_NS else 0,
            now_ns=max(clock_ns, ISSUED_NS),
        )
        if core.session.sid != world.sid(self.number):
            raise Ignored  # the landmark opens that session too, at another end of its own
        sent = (Sent(What.OPEN, said, self.landmark), Sent(What.CONTRIB, core.contrib, self.landmark))
        return Took(core=core, clock_ns=clock_ns, sent=sent)

    @staticmethod
    def _packet(challenger: Challenger, clock_ns: int, data: bytes, *, address: str) -> int:
        """The time after an answer, if that is what came."""
        at_ns = clock_ns + ANSWERED_NS if data[3:4] == bytes([PacketType.REPLY]) else clock_ns
        if not challenger.datagram_received(data, address=address, at=_instant(at_ns)):
            raise Ignored
        return at_ns

    def _wake(self, core: LandmarkSession, clock_ns: int) -> tuple[Sent, ...]:
        """End the phase, or send the next challenge, if either is due."""
        challenger = _running(core)
        if challenger.is_over(now_ns=clock_ns):
            challenger.end(at=_instant(clock_ns))
            try:
                return (Sent(What.CLOSE, core.close(), self.landmark),)
            except Refused:
                why = Why.TOO_FEW_ANSWERS
                return (Sent(What.ABORT, core.abort(why, now_ns=clock_ns), self.landmark),)
        if not challenger.may_send(now_ns=clock_ns):
            raise NotNow
        number = challenger.sent
        nonce = world.octets("nonce", self.landmark, self.number, self.again, number)[:16]
        probe = challenger.challenge(nonce=nonce, gap_ns=0, at=_instant(clock_ns))
        return (Sent(What.PROBE, probe, self.landmark, number),)

    def _give_up(self, core: LandmarkSession, clock_ns: int) -> tuple[int, tuple[Sent, ...]]:
        """Lose the outstanding challenge, and go on as after waking."""
        challenger = _running(core)
        if challenger.is_over(now_ns=clock_ns) or challenger.may_send(now_ns=clock_ns):
            raise NotNow
        wake_at_ns = challenger.wake_at_ns()
        if wake_at_ns is None or wake_at_ns > clock_ns + PATIENCE_NS:
            raise NotNow  # nothing is outstanding: it waits for READY
        clock_ns += PATIENCE_NS
        if not challenger.may_send(now_ns=clock_ns) and not challenger.is_over(now_ns=clock_ns):
            return clock_ns, ()
        return clock_ns, self._wake(core, clock_ns)


def _challenger(core: LandmarkSession) -> Challenger:
    if core.challenger is None:
        raise Ignored
    return core.challenger


def _running(core: LandmarkSession) -> Challenger:
    challenger = _challenger(core)
    if core.state is not State.BOUND or challenger.phase is not Phase.RUNNING:
        raise NotNow
    return challenger


def _instant(at_ns: int) -> Instant:
    return Instant(ns=at_ns, check_ns=at_ns, utc_ns=at_ns)
