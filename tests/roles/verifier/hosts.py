"""Hosts whose devices are simulated: what they gather for a session, honestly or as a test would have it."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from lightbound.attestation.chains import DeviceRoots
from lightbound.attestation.genuine import GenuineReport
from lightbound.attestation.results import Appraisal, Lacking, Reason, Result
from lightbound.errors import ErrorCode, Fault
from lightbound.ranging.statements.binding import Evidence, n1
from lightbound.roles.agent.roots import Gathered
from lightbound.roles.verifier.attesting import Attestor
from lightbound.sim.devices.foundry import Facts, Foundry, SimulatedDevice

FOUNDRY = Foundry.of(20261125)

Nonce = Callable[[SimulatedDevice, bytes], bytes]
"""What a device is asked to sign, of N0."""


class Gathering(Protocol):
    """What an agent has chips from: devices of a test, or an agent's own root of trust with its sockets."""

    @property
    def chips(self) -> tuple[bytes, ...]:
        """Their ids, ascending."""
        ...

    def gathered(self, n0: bytes) -> Gathered:
        """What there is for a session with this N0."""
        ...


def honest_nonce(device: SimulatedDevice, n0: bytes) -> bytes:
    """As CLP/1 has it."""
    return n1(n0, device.chip_id, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """Devices, and what an agent beside them gathers."""

    devices: tuple[SimulatedDevice, ...]
    nonce: Nonce = honest_nonce
    more: tuple[tuple[bytes, bytes], ...] = ()
    """Reports and chains that are put beside those of the devices."""
    withheld: frozenset[bytes] = frozenset()
    """Ids of devices whose documents the manifest names, and that are not brought."""

    @property
    def chips(self) -> tuple[bytes, ...]:
        """Ids of the devices."""
        return tuple(sorted({one.chip_id for one in self.devices}))

    def gathered(self, n0: bytes) -> Gathered:
        """What there is for a session with this N0."""
        pairs = [(one.report(self.nonce(one, n0)), one.chain, one.chip_id) for one in self.devices]
        named = {(_digest(report), _digest(chain)) for report, chain, _ in pairs}
        named |= {(_digest(report), _digest(chain)) for report, chain in self.more}
        documents = {data for report, chain, chip in pairs if chip not in self.withheld for data in (report, chain)}
        documents |= {data for pair in self.more for data in pair}
        return Gathered(evidence=Evidence(reports=tuple(sorted(named))), documents=tuple(sorted(documents)))


NO_HOST = Host(devices=())


def device(name: str, **facts: object) -> SimulatedDevice:
    """A device of this name."""
    return FOUNDRY.device(name, Facts(**facts))  # type: ignore[arg-type] # facts as the test names them


def appraise(report: GenuineReport, *, at_ns: int) -> Appraisal:
    """What a verifier says that knows the releases of this foundry: a measurement that no firmware has is refused."""
    del at_ns
    opaque = report.report.opaque
    expected = [
        hashlib.sha384(f"{firmware} {opaque.driver} {opaque.vbios} 0".encode()).digest()
        for firmware in ("firmware 1", "firmware 2")
    ]
    if opaque.driver is None or opaque.vbios == "96.00.00.00.00":
        reason = Reason(lacking=Lacking.MANIFEST, why="no manifest of this VBIOS", next="fetch it")
        return Appraisal(result=Result.UNAPPRAISED, reasons=(reason,))
    if report.report.measurements[0] in expected:
        return Appraisal(result=Result.VERIFIED)
    fault = Fault(code=ErrorCode.MEASUREMENT_DIFFERS, expected="what was released", found="another", column="0")
    return Appraisal(result=Result.REFUSED, faults=(fault,))


def attestor() -> Attestor:
    """A verifier that believes the foundry's root, and no vendor's."""
    roots = DeviceRoots.of([FOUNDRY.root.der], with_vendors=False)
    return Attestor(roots=roots, appraise=appraise)


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
