"""How fast reports of chips are checked: `python bench/attestation.py`. Ratios travel between machines.

The reference is what cannot be saved: the bare signature checks. Each device has keys of its own, so a key is read from
its bytes and checks one signature; what it is with keys that are held already stands beside it. All are done in
turns, one report at a time, and of each the median is taken, so that they meet the same caches and neighbours.
"""

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from tests.attestation.real import Sample, packaged_h100

from lightbound.attestation.chains import DeviceRoots, Keyed, keyed, read_chain
from lightbound.attestation.genuine import genuine_report
from lightbound.attestation.reports import read_report
from lightbound.sim.devices.foundry import Foundry

REPORTS = 1_000
"""Of the real chip, and chips of the fleet."""
SEED = 20_261_125

Check = Callable[[], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """Something that is signed, by whom, and the signature."""

    key: ec.EllipticCurvePublicKey
    spki: bytes
    signature: bytes
    data: bytes

    @classmethod
    def of(cls, signer: Keyed, signature: bytes, data: bytes) -> "Signed":
        """What this one signed."""
        spki = signer.key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return cls(key=signer.key, spki=spki, signature=signature, data=data)

    def from_bytes(self) -> None:
        """Check it, the key being bytes."""
        key = load_der_public_key(self.spki)
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise TypeError(type(key).__name__)
        key.verify(self.signature, self.data, ec.ECDSA(hashes.SHA384()))

    def held(self) -> None:
        """Check it, the key having been read."""
        self.key.verify(self.signature, self.data, ec.ECDSA(hashes.SHA384()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Processor seconds for a report, and for the bare signature checks in it."""

    what: str
    signatures: int
    report_s: float
    bare_s: float
    held_s: float
    """With keys that were read before, and have checked something."""

    @property
    def ratio(self) -> float:
        """How many times its bare signature checks a report costs."""
        return self.report_s / self.bare_s


def figures() -> tuple[Cost, ...]:
    """A real H100 with its issuers remembered and without, and a fleet of chips that were made."""
    real, vendors = packaged_h100(), DeviceRoots.of([], with_vendors=True)
    bare = bare_checks(real)
    remembered = cost("a real H100", [lambda: checked(real, vendors)] * REPORTS, bare[:3])
    anew = cost("and its issuers anew", [lambda: checked(real, DeviceRoots.of([], with_vendors=True))] * REPORTS, bare)
    foundry = Foundry.of(SEED)
    chips = [foundry.device(f"chip {number}") for number in range(REPORTS)]
    fleet = [Sample(report=one.report(bytes(32)), chain=one.chain) for one in chips]
    roots = DeviceRoots.of([foundry.root.der], with_vendors=False)
    every = [lambda one=one: checked(one, roots) for one in fleet]
    together = cost(f"a fleet of {REPORTS:,} made chips", every, bare_checks(fleet[0])[:3])
    return remembered, anew, together


def checked(one: Sample, roots: DeviceRoots) -> object:
    """What is measured."""
    return genuine_report(one.report, one.chain, roots=roots, nonce=None)


def bare_checks(one: Sample) -> list[Signed]:
    """What is signed in a report, as bytes: report, leaf, device, provisioner, identity, root."""
    report = read_report(one.report)
    chain = [keyed(der, "any") for der in read_chain(one.chain).der]
    half = len(report.signature) // 2
    r, s = (int.from_bytes(report.signature[at : at + half], "big") for at in (0, half))
    signed = [Signed.of(chain[0], utils.encode_dss_signature(r, s), report.signed)]
    for below, above in zip(chain, [*chain[1:], chain[-1]], strict=True):
        signed.append(Signed.of(above, below.certificate.signature, below.certificate.tbs_certificate_bytes))
    return signed


def cost(what: str, reports: Sequence[Check], bare: Sequence[Signed]) -> Cost:
    """What a report costs, and what its signatures do: one report, then its signatures, and so on."""
    spent = [
        (seconds([report]), seconds([one.from_bytes for one in bare]), seconds([one.held for one in bare]))
        for report in reports
    ]
    report_s, bare_s, held_s = (statistics.median(column) for column in zip(*spent, strict=True))
    return Cost(what=what, signatures=len(bare), report_s=report_s, bare_s=bare_s, held_s=held_s)


def seconds(checks: Sequence[Check]) -> float:
    """Processor seconds for doing all of these."""
    start = time.process_time()
    for check in checks:
        check()
    return time.process_time() - start


def main() -> None:
    """The table."""
    print("Reports of chips, one core; reference: the bare signature checks in each")
    print(f"{'reports/s':>12} {'us each':>9} {'checks':>7} {'bare us':>9} {'ratio':>6} {'keys held':>10}")
    for one in figures():
        print(
            f"{1 / one.report_s:12,.0f} {one.report_s * 1e6:9,.0f} {one.signatures:7} {one.bare_s * 1e6:9,.0f} "
            f"{one.ratio:6.2f} {one.report_s / one.held_s:10.2f}  {one.what}",
            flush=True,
        )


if __name__ == "__main__":
    main()
