"""What a verifier holds evidence against: pinned roots, reference manifests, and answers about revocation.

Vendors' roots are built in; a folder in the verifier's own may add to them (`files.attestation_folder`).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import structlog

from lightbound.attestation.chains import DeviceRoots
from lightbound.attestation.manifests.verifying import verified_manifest
from lightbound.enrolment.attested import enrolment_n0, host_evidence
from lightbound.enrolment.pinned import NO_PINS, Pins, SessionEvidence, pins_of
from lightbound.enrolment.requests import Enrol, Enrolment
from lightbound.errors import ErrorCode, LightboundError, refused
from lightbound.files.attestation_folder import AttestationFolder
from lightbound.judging.appraising import Appraiser, appraiser_of, session_appraised
from lightbound.keys.signing import digest
from lightbound.ranging.sessions.verification import VerifiedSession
from lightbound.ranging.statements.binding import Evidence, read_evidence
from lightbound.roles.logs import fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Attestor:
    """Checks evidence. Threads may share it."""

    roots: DeviceRoots = field(default_factory=lambda: DeviceRoots.of([], with_vendors=True))
    appraise: Appraiser = field(default_factory=lambda: appraiser_of(()))
    manifests: tuple[bytes, ...] = ()
    """What `appraise` compares with, for whoever is to do the same later."""
    revocations: tuple[bytes, ...] = ()

    def enrolled(self, said: Enrol, brought: Enrolment) -> Pins:
        """What is pinned of a host that asks to be let in; nothing, if it brings no evidence.

        Raises:
            Malformed, Refused: it brings evidence that does not hold, or not of the chips that it names.
        """
        if said.evidence is None:
            return NO_PINS
        if brought.manifest is None or digest(brought.manifest) != said.evidence:
            raise refused(ErrorCode.EVIDENCE_DIFFERS, "the manifest that ENROL names", "another", "enrol.evidence")
        n0 = enrolment_n0(said.verifier, said.secret, said.key.raw)
        evidence = read_evidence(brought.manifest)
        host = host_evidence(n0, evidence, brought.documents, roots=self.roots, quote_key=None)
        return pins_of(host, said.chips)

    def of_session(self, found: VerifiedSession, documents: Iterable[bytes], pins: Pins) -> SessionEvidence:
        """What the evidence of a session comes to, as of when it was asked for; equal arguments, equal answer."""
        if not pins.chips and found.evidence == Evidence():
            return SessionEvidence(assurances={}, findings=())
        host = host_evidence(found.bind.n0(), found.evidence, documents, roots=self.roots, quote_key=pins.quote_key)
        return session_appraised(found, host, pins, self.appraise)


def attestor_of(folder: AttestationFolder) -> Attestor:
    """What checks evidence by what lies in a folder, beside the vendors' roots.

    A manifest that does not hold is left out, and told.

    Raises:
        Malformed: a root's certificate is none of a device root.
    """
    references, manifests = [], []
    for file in folder.manifests:
        try:
            references.append(verified_manifest(file.data).reference(file.path.name))
        except LightboundError as error:
            # Whose it is, nobody knows; it takes nothing from the others.
            structlog.get_logger().warning("manifest left out", **fields(error), file=str(file.path))
        else:
            manifests.append(file.data)
    return Attestor(
        roots=DeviceRoots.of(folder.roots, with_vendors=True),
        appraise=appraiser_of(references, [(file.path.name, file.data) for file in folder.revocations]),
        manifests=tuple(manifests),
        revocations=tuple(file.data for file in folder.revocations),
    )
