"""Landmarks that are not honest, or whose machines are not: the real landmark, with one thing changed.

The kinds are those of the simulated world. `changed` is called in the process of one landmark, before it runs.
"""

import copy
import mmap
import socket
import struct
import time
from dataclasses import dataclass, field, replace
from typing import Final

from lightbound.net.clocks import MachineClocks
from lightbound.net.outside import Reading
from lightbound.ranging.sessions import landmark as sessions
from lightbound.ranging.statements.kinds import Kind
from lightbound.ranging.statements.measurement import Why
from lightbound.ranging.timing.challenger import PhaseRecord
from lightbound.roles.landmark import run
from lightbound.roles.landmark.desk import Desk, _Live
from lightbound.roles.landmark.phases import Phases
from lightbound.sim.clocks import Clocks, clocks_of
from lightbound.sim.dice import rolls
from lightbound.sim.scenario import LandmarkKind

IMPATIENT_NS: Final = 300_000_000
"""How long a landmark waits for an ACK of which the test knows that it never comes. In earnest it is ten seconds."""

MIXED_UP: Final = frozenset(
    {LandmarkKind.STEPPED, LandmarkKind.PAUSED, LandmarkKind.PAUSED_UNSAID, LandmarkKind.DRIFTING}
)
"""Kinds whose clocks are not right."""


def changed(kind: LandmarkKind, *, factor: float, round_trip_ns: int, rate_ppb: int, seed: int) -> None:
    """Make the landmark that this process is to be one of this kind."""
    match kind:
        case LandmarkKind.SHORT:
            ShortDesk.factor = factor
            vars(run)["Desk"] = ShortDesk
        case LandmarkKind.NEVER_CLOSING:
            vars(run)["Desk"] = NeverClosingDesk
        case LandmarkKind.FORKING:
            vars(run)["Desk"] = ForkingDesk
        case _ if kind in MIXED_UP:
            clocks = WrongClocks(kind=kind, round_trip_ns=round_trip_ns, rate_ppb=rate_ppb, seed=seed)
            vars(run)["MachineClocks"] = lambda: clocks
            vars(run)["Phases"] = MixedUpPhases
            vars(run)["_outside"] = lambda _settings: ClockOfOthers(clocks)
        case _:
            # Leaking and misplaced landmarks are where the line says that they are.
            pass


def be_impatient() -> None:
    """Do not wait for ACK."""
    vars(sessions)["ACK_WITHIN_NS"] = IMPATIENT_NS


def stall(host: str, port: int) -> None:
    """Be a landmark that takes connections, and never says anything."""
    with socket.create_server((host, port)) as listener:
        while True:
            time.sleep(60)
            listener.getsockname()


class ShortDesk(Desk):
    """Reports round trips multiplied by a factor."""

    factor = 1.0

    async def _conclude(self, live: _Live, record: PhaseRecord) -> None:
        told = tuple(one._replace(round_trip_ns=int(one.round_trip_ns * self.factor)) for one in record.rounds)
        await super()._conclude(live, replace(record, rounds=told))


class NeverClosingDesk(Desk):
    """Times the agent, and never says so."""

    def _finish(self, live: _Live) -> None:
        pass


class ForkingDesk(Desk):
    """Signs MEASUREMENT and ABORT with one number, and tells whoever asks one of them, in turn."""

    def _measure(self, live: _Live) -> bytes:
        twin = copy.copy(live.session)
        twin.chain = copy.copy(live.session.chain)
        measurement = super()._measure(live)
        _other_stories[live.session.session_digest] = twin.abort(Why.STOPPED, now_ns=self.now_ns())
        return measurement

    def statements(self, name: bytes) -> dict[Kind, bytes]:
        told = super().statements(name)
        if name in _told_once:
            return {Kind.OPEN: told[Kind.OPEN], Kind.CONTRIB: told[Kind.CONTRIB], Kind.ABORT: _other_stories[name]}
        if name in _other_stories:
            _told_once.add(name)
        return told


_other_stories: dict[bytes, bytes] = {}
_told_once: set[bytes] = set()


_SHARED: Final = struct.Struct("@3q")


@dataclass(slots=True, kw_only=True)
class WrongClocks:
    """The clocks of one machine, wrong as in the simulated world, and from the beginning of each session anew.

    Both processes of a landmark look at them; what they share is which session it is, since when, and how far the
    machine's second clock was behind at that moment.
    """

    kind: LandmarkKind
    round_trip_ns: int
    rate_ppb: int
    seed: int
    _memory: mmap.mmap = field(default_factory=lambda: mmap.mmap(-1, _SHARED.size))
    _number: int = 0
    _clocks: Clocks = field(default_factory=Clocks)
    _apart_ns: int = field(default_factory=lambda: MachineClocks.real_ns() - MachineClocks.raw_ns())

    def session(self) -> None:
        """A session begins now."""
        now_ns = MachineClocks.raw_ns()
        _, behind_ns = self._behind_ns(now_ns)
        _SHARED.pack_into(self._memory, 0, self._number + 1, now_ns, behind_ns)

    def raw_ns(self) -> int:
        """CLOCK_MONOTONIC_RAW, wrong. It is read first, and `real_ns` last: whoever asks for both has them together."""
        true_ns = MachineClocks.raw_ns()
        return true_ns - self._behind_ns(true_ns)[0]

    def real_ns(self) -> int:
        """CLOCK_REALTIME, wrong."""
        behind_ns = self.second_behind_ns()
        return MachineClocks.real_ns() - behind_ns

    def of_kernel(self, stamp_ns: int) -> int:
        """What the kernel would have stamped."""
        return stamp_ns - self._behind_ns(stamp_ns - self._apart_ns)[1]

    def second_behind_ns(self) -> int:
        """How far the second clock is behind now."""
        return self._behind_ns(MachineClocks.raw_ns())[1]

    def _behind_ns(self, true_ns: int) -> tuple[int, int]:
        number, from_ns, before_ns = _SHARED.unpack_from(self._memory)
        if number == 0:
            return 0, 0
        if number != self._number:
            self._number = number
            self._clocks = clocks_of(
                self.kind,
                rolls(self.seed, "clocks", number),
                from_ns=0,
                round_trip_ns=self.round_trip_ns,
                rate_ppb=self.rate_ppb,
                factor=1.0,
            )
        since_ns = max(0, true_ns - from_ns)
        shown = self._clocks.instant(since_ns)
        return before_ns + since_ns - shown.ns, before_ns + since_ns - shown.check_ns


class MixedUpPhases(Phases):
    """Phases of a machine whose clocks go wrong when one begins."""

    def _told(self) -> None:
        before = self._by_number.keys() - set()
        super()._told()
        if self._by_number.keys() - before and isinstance(self.clocks, WrongClocks):
            self.clocks.session()


@dataclass(frozen=True, slots=True)
class ClockOfOthers:
    """A clock outside that is right, whatever the machine's own do."""

    clocks: WrongClocks

    async def read(self) -> Reading:
        """By how much the machine is behind."""
        return Reading(offset_ns=self.clocks.second_behind_ns(), error_ns=1_000)
