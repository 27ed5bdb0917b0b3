"""Reports and chains of real devices, as their vendor published them: read where they lie, and never copied."""

import base64
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509

from lightbound.attestation.chains import DeviceRoots
from lightbound.attestation.genuine import GenuineReport, genuine_report
from tests.attestation.samples import from_wheel

REPORT_AND_CHAIN = {
    "h100": ("h100/hopperAttestationReport.txt", "h100/hopperCertChain.txt"),
    "gb100": ("gb100/blackwellAttestationReport.txt", "gb100/blackwellCertChain.txt"),
    "old firmware": (
        "same-chip/old-firmware/hopperAttestationReportExpired.txt",
        "same-chip/old-firmware/hopperCertChainExpired.txt",
    ),
    "new firmware": (
        "same-chip/new-firmware/hopperAttestationReport.txt",
        "same-chip/new-firmware/hopperCertChain.txt",
    ),
    "broken": ("negative/hopperAttestationReportInvalidSignature.txt", "negative/hopperCertChain.txt"),
}
"""Where each lies in the folder of evidence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What one device gave."""

    report: bytes
    chain: bytes

    def genuine(self, nonce: bytes | None = None) -> GenuineReport:
        """It, checked against the roots of the vendors alone."""
        roots = DeviceRoots.of([], with_vendors=True)
        return genuine_report(self.report, self.chain, roots=roots, nonce=nonce)


@cache
def packaged_h100() -> Sample:
    """The H100 whose report and chain come with the vendor's own verifier, which is installed for these data alone."""
    return _sample(from_wheel("samples/hopperAttestationReport.txt"), from_wheel("samples/hopperCertChain.txt"))


def sample(evidence: Path, name: str) -> Sample:
    """One of `REPORT_AND_CHAIN`."""
    report, chain = REPORT_AND_CHAIN[name]
    return _sample(evidence / report, evidence / chain)


def node_of_eight(evidence: Path) -> tuple[Sample, ...]:
    """Eight GPUs and four switches of one host in protected-PCIe mode, GPUs first."""
    files = (evidence / "node8/gpu_evidence.json", evidence / "node8/switch_evidence.json")
    return tuple(
        Sample(report=base64.b64decode(one["evidence"]), chain=base64.b64decode(one["certificate"]))
        for file in files
        for one in json.loads(file.read_bytes())
    )


def form_of(der: bytes) -> dict[str, Any]:
    """What a certificate is like, without what it says of whom."""
    one = x509.load_der_x509_certificate(der)
    usage = one.extensions.get_extension_for_class(x509.KeyUsage).value
    return {
        "version": one.version,
        "signed with": one.signature_algorithm_oid,
        "ends": one.not_valid_after_utc,
        "extensions": [(extension.oid.dotted_string, extension.critical) for extension in one.extensions],
        "usage": (usage.digital_signature, usage.key_cert_sign, usage.crl_sign),
        "number": one.serial_number.bit_length() // 16,
        "key's number": one.serial_number.to_bytes(20, "big")[1:]
        == one.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest[1:],
        "product": str(one.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value).split()[:2]
        if x509.NameOID.SERIAL_NUMBER in {attribute.oid for attribute in one.subject}
        else None,
    }


def _sample(report: Path, chain: Path) -> Sample:
    return Sample(report=bytes.fromhex(report.read_text(encoding="ascii")), chain=chain.read_bytes())
