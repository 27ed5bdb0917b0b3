"""A bundle as a verifier makes it, over the virtual world; and whoever checks it."""

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from lightbound.attestation.chains import DeviceRoots
from lightbound.bundles.checking import Checked, Trusted
from lightbound.bundles.contents import Bundle, Logged, write_bundle
from lightbound.bundles.logged import LogTrusted
from lightbound.bundles.reading import logged_order
from lightbound.bundles.vouching import vouched
from lightbound.files.admission import AdmissionFolder
from lightbound.files.check_trust import write_check_trust
from lightbound.judging.bundle_check import checked
from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.purposes import Purpose
from lightbound.keys.signing import digest
from lightbound.ranging.statements.measurement import read_measurement
from lightbound.roles.verifier.bundling import bundle_of
from lightbound.roles.verifier.inviting import Wanted, site_of
from lightbound.roles.verifier.settings import Policy
from lightbound.sim.devices.foundry import Foundry
from lightbound.store.enrolments import Site
from lightbound.tlog import merkle
from lightbound.tlog.checkpoint import sign_checkpoint
from lightbound.tlog.cosignature import cosign_text, witness_key
from lightbound.tlog.entries import Commitment, Opening, Sequel, write_commitment, write_entry
from lightbound.tlog.note import read_note, with_lines
from lightbound.tlog.proof import LogProof
from tests.ranging.parties import TRUST, VERIFIER, key, secret
from tests.ranging.parties import world as parties
from tests.roles.verifier.hosts import FOUNDRY, Host, appraise, device
from tests.roles.verifier.virtual import Virtual, virtual
from tests.tlog.histories import LOG, LOG_KEY, checkpoint

ROOTS = DeviceRoots.of([FOUNDRY.root.der], with_vendors=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a verifier has, and a bundle of one of its chips."""

    verifier: Virtual
    data: Path
    chip: bytes

    def bundle(self, *, with_site: bool = True, span_ns: tuple[int, int] | None = None) -> Bundle:
        """The bundle of the chip."""
        world = parties()
        admission = AdmissionFolder(
            admitted=world.admitted,
            addresses={},
            trust=TRUST,
            directory=world.directory,
            operators=world.operator_statements,
            positions=world.positions,
        )
        return bundle_of(
            self.verifier.judge,
            admission,
            self.chip,
            VERIFIER,
            data=self.data,
            software="test",
            now_ns=self.verifier.clock.ns,
            with_site=with_site,
            span_ns=span_ns,
        )


def revoked(name: str, foundry: Foundry = FOUNDRY) -> bytes:
    """A list by whoever issues devices' certificates there, with that of this device on it."""
    issuer, since = foundry.above[0], dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    entry = x509.RevokedCertificateBuilder().revocation_date(since)
    entry = entry.serial_number(foundry.device(name).device.certificate.serial_number)
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer.certificate.subject)
    builder = builder.last_update(since).next_update(since + dt.timedelta(days=900))
    builder = builder.add_revoked_certificate(entry.build()).add_extension(x509.CRLNumber(1), critical=False)
    return builder.sign(issuer.key, hashes.SHA384()).public_bytes(Encoding.DER)


SQUARE = {
    "type": "Feature",
    "properties": {"name": "hall"},
    "geometry": {"type": "Polygon", "coordinates": [[[-10, 40], [20, 40], [20, 58], [-10, 58], [-10, 40]]]},
}
"""A drawing around the place where the agent is taken to be, landmarks 0 and 1 within reach of it."""

WITNESSES = tuple(
    (f"witness.example/w{number}", SigningKey.of_seed(Purpose.WITNESS, bytes(31) + bytes([number])))
    for number in (1, 2)
)


@contextmanager
def attested(data: Path, *, is_drawn: bool = False, policy: Policy | None = None) -> Iterator[Made]:
    """A verifier with two chips that signed one session, at a circle or at a site that somebody drew."""
    chips = (device("one"), device("two"))
    host = Host(devices=chips)
    with virtual(data, policy=policy) as verifier:
        site = drawn_site(verifier, data) if is_drawn else None
        agent = key(Purpose.ENROLMENT, "a")
        verifier.desk.enrol(verifier.attested_enrolment(agent, verifier.code(site=site), host))
        verifier.answer(agent, host=host)
        yield Made(verifier=verifier, data=data, chip=chips[0].chip_id)


@contextmanager
def unattested(data: Path) -> Iterator[Made]:
    """A verifier with a chip at tier A0, of a site that somebody drew: who checks needs no roots of devices."""
    with virtual(data) as verifier:
        verifier.answer(verifier.enrol("a", site=drawn_site(verifier, data)))
        (chip,) = verifier.kept.judged.chips()
        yield Made(verifier=verifier, data=data, chip=chip.chip)


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """What somebody is given who is to check."""

    bundle: Path
    trust: Path

    def arguments(self) -> list[str]:
        """Of `lightbound check`."""
        return [str(self.bundle), "--trust", str(self.trust)]


def written(folder: Path, bundle: Bundle, believed: Trusted) -> Files:
    """A bundle and a trust file in a folder."""
    files = Files(bundle=folder / "chip.bundle", trust=folder / "check-trust.toml")
    files.bundle.write_bytes(write_bundle(bundle))
    files.trust.write_text(write_check_trust(believed, roots=None), encoding="utf-8")
    return files


def drawn_site(verifier: Virtual, data: Path) -> Site:
    """A site whose licensed area is a drawing."""
    (data / "hall.geojson").write_text(json.dumps(SQUARE), encoding="utf-8")
    wanted = Wanted(
        name="hall 3",
        licensed="@hall.geojson#hall",
        excluded="CN",
        near_e7=(500_000_000, 50_000_000),
        landmark=None,
        chips=None,
        replaces=None,
    )
    return site_of(wanted, verifier.judge.areas, landmarks=None, beside=data)[0]


def logged(bundle: Bundle) -> tuple[Bundle, LogTrusted]:
    """The same, its measurements committed to in a log that two witnesses cosigned; and who believes that log."""
    measured = [
        (landmark, said.measurement)
        for shown in bundle.sessions
        for landmark, said in sorted(shown.statements.by_landmark.items())
        if said.measurement is not None
    ]
    entries, openings = [], []
    for landmark, statement in measured:
        signer = parties().landmark(landmark)
        link = read_measurement(statement, signer.verifying).link
        # The link of an entry before, where there is one: here only that it is some.
        opening = Opening(salt=secret("salt", statement), before=secret("before") if link.seq else None)
        openings.append(opening)
        sequel = Sequel(landmark=landmark, agent=link.agent, seq=link.seq, before=opening.before)
        said = Commitment(landmark=landmark, slot=sequel.slot(), commitment=opening.commitment(statement))
        entries.append(write_commitment(said, signer))
    history = [write_entry(entry) for entry in entries]
    note = read_note(sign_checkpoint(checkpoint(history), LOG))
    cosigned = with_lines(note, [cosign_text(note.text, name, signer, at_s=1) for name, signer in WITNESSES])
    proofs = [
        LogProof(
            index=index,
            hashes=merkle.inclusion_proof(history, index),
            checkpoint=cosigned.encoded(),
            extra=openings[index].encoded(),
        )
        for index in range(len(history))
    ]
    found = [
        Logged(statement=digest(statement), commitment=entry, proof=proof.encoded())
        for (_, statement), entry, proof in zip(measured, entries, proofs, strict=True)
    ]
    witnesses = tuple(witness_key(name, signer.verifying) for name, signer in WITNESSES)
    return (
        vouched(replace(bundle, logged=tuple(sorted(found, key=logged_order))), VERIFIER),
        LogTrusted(key=LOG_KEY, witnesses=witnesses, threshold=len(witnesses)),
    )


def trusted(log: LogTrusted | None = None) -> Trusted:
    """Whoever believes the verifier and the directory of the world, and this log."""
    return Trusted(verifiers=(VERIFIER.verifying,), directory=TRUST, log=log)


def check(bundle: Bundle, believed: Trusted | None = None) -> Checked:
    """What the check of a bundle comes to."""
    return checked(bundle, believed or trusted(), roots=ROOTS, appraise=appraise)
