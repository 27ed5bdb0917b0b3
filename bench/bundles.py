"""What a stranger's check of one verdict costs, and how long the file is: one chip, six landmarks, a log."""

import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import structlog
from tests.bundles.made import attested, check, logged, trusted, unattested, written
from tests.ranging.parties import key

from lightbound.bundles.contents import Bundle, write_bundle
from lightbound.bundles.reading import read_bundle
from lightbound.keys import ed25519
from lightbound.keys.purposes import Purpose

RUNS = 25
COMMANDS = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Seconds of processor time, and bytes."""

    size: int
    check_s: float
    """Reading and checking in a process that has checked before."""
    signatures_s: float
    """As many bare verifications as the bundle has signatures by Ed25519."""
    command_s: float
    """The whole command, with its start, over a bundle of a chip at A0."""
    first_s: float
    """What of it is reading and checking, for the first time in a process: borders are read, areas made."""


def figures() -> Figures:
    """Medians of so many runs."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with attested(folder / "verifier", is_drawn=True) as made:
            bundle, log = logged(made.bundle())
        with unattested(folder / "other") as made:
            files = written(folder, made.bundle(), trusted())
        data, believed = write_bundle(bundle), trusted(log)

        def checked() -> None:
            # Signatures are remembered by the process; a stranger's has seen none.
            ed25519._verifies.cache_clear()  # noqa: SLF001 - nothing else may forget them
            done = check(read_bundle(data), believed)
            if done.error is not None:
                raise done.error

        command = [str(Path(sys.executable).with_name("lightbound")), "check", *files.arguments()]
        timed = [sys.executable, "-c", _FIRST, *files.arguments()]
        return Figures(
            size=len(data),
            check_s=_median(checked, RUNS),
            signatures_s=_bare(_signatures(bundle)),
            command_s=_median(lambda: subprocess.run(command, check=True, capture_output=True), COMMANDS),
            first_s=statistics.median(
                float(subprocess.run(timed, check=True, capture_output=True, text=True).stdout) for _ in range(COMMANDS)
            ),
        )


_FIRST = """
import sys, time
from pathlib import Path
from lightbound.attestation.chains import DeviceRoots
from lightbound.files.bundle_file import read_bundle_file
from lightbound.files.check_trust import read_check_trust
from lightbound.judging.bundle_check import checked
from lightbound.roles.verifier.attesting import appraiser_of
start = time.process_time()
believed = read_check_trust(Path(sys.argv[3]))
roots = DeviceRoots.of(believed.device_roots, with_vendors=True)
done = checked(read_bundle_file(Path(sys.argv[1])), believed.trusted, roots=roots, appraise=appraiser_of(()))
assert done.error is None
print(time.process_time() - start)
"""


def _signatures(bundle: Bundle) -> int:
    """Signatures by Ed25519 in a bundle: BIND has two, the directory one of each party that is enough."""
    landmarks = [said for shown in bundle.sessions for said in shown.statements.by_landmark.values()]
    said = sum(one is not None for of in landmarks for one in (of.contrib, of.close, of.ack, of.measurement))
    admission = 2 + len(bundle.admission.operators) + len(bundle.admission.positions)
    # Of each entry: the commitment, the checkpoint, two cosignatures.
    return admission + 3 * len(bundle.sessions) + said + 4 * len(bundle.logged)


def _bare(count: int) -> float:
    signing = key(Purpose.LANDMARK, "bench")
    statements = [number.to_bytes(500) for number in range(count)]
    signed = [(statement, signing.sign(statement)) for statement in statements]

    def verify() -> None:
        ed25519._verifies.cache_clear()  # noqa: SLF001 - as above
        for statement, signature in signed:
            if not signing.verifying.verifies(signature, statement):
                raise ValueError("a signature of ours")

    return _median(verify, RUNS)


def _median(of: Callable[[], object], runs: int) -> float:
    spent = []
    for _ in range(runs):
        start = _processor_s()
        of()
        spent.append(_processor_s() - start)
    return statistics.median(spent)


def _processor_s() -> float:
    """Of this process and of those that it has waited for: other work on the machine does not count."""
    return sum(resource.getrusage(who).ru_utime + resource.getrusage(who).ru_stime for who in _WHO)


_WHO = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)


def main() -> None:
    """Print them."""
    found = figures()
    print(
        "A bundle of one verdict: six landmarks, one session, tier A1, a drawing, proofs of a log with two witnesses;"
    )
    print("processor time of one core")
    print(f"  {found.size:,} bytes")
    print(
        f"  check {1_000 * found.check_s:.0f} ms, {found.check_s / found.signatures_s:.1f} times its bare signatures; "
        f"the first in a process {1_000 * found.first_s:.0f} ms"
    )
    print(f"  the command {found.command_s:.2f} s, of which {1 - found.first_s / found.command_s:.0%} is its start")


if __name__ == "__main__":
    main()
