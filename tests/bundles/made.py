"""A bundle as a verifier makes it, over the virtual world; and whoever checks it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lightbound.attestation.chains import DeviceRoots
from lightbound.bundles.checking import Checked, Trusted
from lightbound.bundles.contents import Bundle
from lightbound.files.admission import AdmissionFolder
from lightbound.roles.checking_bundles import checked
from lightbound.roles.verifier.bundling import bundle_of
from tests.ranging.parties import TRUST, VERIFIER
from tests.ranging.parties import world as parties
from tests.roles.verifier.hosts import FOUNDRY, Host, appraise, device
from tests.roles.verifier.virtual import Virtual, virtual

ROOTS = DeviceRoots.of([FOUNDRY.root.der], with_vendors=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a verifier has, and a bundle of one of its chips."""

    verifier: Virtual
    data: Path
    chip: bytes

    def bundle(self, *, with_site: bool = True) -> Bundle:
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
            data=self.data,
            software="test",
            now_ns=self.verifier.clock.ns,
            with_site=with_site,
        )


@contextmanager
def attested(data: Path) -> Iterator[Made]:
    """A verifier with two chips that signed one session."""
    chips = (device("one"), device("two"))
    with virtual(data) as verifier:
        verifier.answer(verifier.enrol_with("a", Host(devices=chips)), host=Host(devices=chips))
        yield Made(verifier=verifier, data=data, chip=chips[0].chip_id)


def trusted() -> Trusted:
    """Whoever believes the verifier and the directory of the world."""
    return Trusted(verifiers=(VERIFIER.verifying,), directory=TRUST)


def check(bundle: Bundle, believed: Trusted | None = None) -> Checked:
    """What the check of a bundle comes to."""
    return checked(bundle, believed or trusted(), roots=ROOTS, appraise=appraise)
