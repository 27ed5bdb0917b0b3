"""`lightbound evidence collect`: chips of this host sign a nonce, and what they signed is written to a file."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from lightbound.cli.evidence_device import MOST_DEVICE, ByChoice, ByOption, CollectorOption, LibraryOption, chip_source
from lightbound.cli.serving import hexadecimal
from lightbound.cli.signing_options import check_writable

if TYPE_CHECKING:
    from lightbound.net.evidence_socket import ChipEvidence

FOLDER: Final = Path("/run/lightbound/evidence")
CHIPS: Final = "chip-*.sock"

COLLECT_HELP: Final = """Have chips of this host sign a nonce, and write what they signed.

Ask the sockets of a host's chips (--socket; without any, every chip-*.sock in /run/lightbound/evidence), for which
no rights are needed but to be in their group; or the chips themselves (--device), mostly as root. All chips give
evidence, or nothing is written.

The file is as the vendor's collector writes it: a JSON array with arch, nonce, evidence (the report) and certificate
(the chain). What is in it is checked by `lightbound evidence verify`, with the same --nonce.

Whoever asks for proof chooses the nonce, 32 random bytes that nobody knew before: that is what shows that the report
is not an old one. Without --nonce one is drawn here, which shows it to nobody but you.

A report shows that a genuine chip signed the nonce. It does not show where the chip is.

\b
Examples:
  lightbound evidence collect --out evidence.json
  sudo lightbound evidence collect --device 0 --device 1 --nonce 4760e305...2a537e --out evidence.json
"""


def collect(
    *,
    socket: Annotated[
        list[Path] | None, typer.Option(metavar="PATH", help="Ask the chip at this socket. May be repeated.")
    ] = None,
    device: Annotated[
        list[int] | None,
        typer.Option(min=0, max=MOST_DEVICE, metavar="N", help="Ask chip N itself, from 0. May be repeated."),
    ] = None,
    by: ByOption = ByChoice.AUTO,
    collector: CollectorOption = None,
    library: LibraryOption = None,
    nonce: Annotated[
        str | None, typer.Option(metavar="HEX", help="What is signed: 64 digits. Default: random.")
    ] = None,
    within_s: Annotated[float, typer.Option("--within-s", min=0.1, max=600, metavar="S", help="For each chip.")] = 15.0,
    out: Annotated[
        Path | None, typer.Option(dir_okay=False, metavar="FILE", help="Write it there. Default: standard output.")
    ] = None,
) -> None:
    """Have chips of this host sign a nonce, and write what they signed."""
    import json
    import secrets

    from lightbound.files.whole import whole_file
    from lightbound.roles.evidence.gathering import gathered

    if socket and device:
        raise typer.BadParameter("ask sockets or chips themselves, not both", param_hint="--device")
    asked_for = secrets.token_bytes(32) if nonce is None else hexadecimal(nonce, 32, "--nonce")
    if out is not None:
        check_writable(out)
    sources: list[Callable[[bytes], ChipEvidence]]
    if device:
        sources = [
            partial(_of_device, number, by, within_s=within_s, collector=collector, library=library)
            for number in device
        ]
    else:
        sources = [partial(_of_socket, path, within_s=within_s) for path in socket or _found_sockets()]
    text = json.dumps(gathered(sources, asked_for), indent=1) + "\n"
    if out is None:
        typer.echo(text, nl=False)
        return
    with whole_file(out) as file:
        file.write(text.encode())
    typer.echo(f"{len(sources)} {'chip' if len(sources) == 1 else 'chips'} signed {asked_for.hex()}: {out}")
    typer.echo(f"Next: lightbound evidence verify {out} --nonce {asked_for.hex()}")


def _found_sockets() -> list[Path]:
    from lightbound.errors import ErrorCode, Fault, Unavailable

    found = sorted(FOLDER.glob(CHIPS))
    if not found:
        fault = Fault(
            code=ErrorCode.DEVICE_SILENT,
            expected=f"sockets {CHIPS}",
            found="none",
            file=str(FOLDER),
            next="start the units that serve them, or ask the chips themselves: --device 0",
        )
        raise Unavailable(fault)
    return found


def _of_socket(path: Path, nonce: bytes, *, within_s: float) -> "ChipEvidence":
    from lightbound.net.evidence_socket import ChipEvidence, asked

    answered = asked(path, nonce, within_s=within_s)
    return ChipEvidence(report=answered.report, chain=answered.chain)


def _of_device(
    number: int, by: ByChoice, nonce: bytes, *, within_s: float, collector: Path | None, library: Path | None
) -> "ChipEvidence":
    from lightbound.net.evidence_socket import Answered, ChipEvidence
    from lightbound.roles.evidence.answering import over_nonce

    source = chip_source(number, by, within_s=within_s, collector=collector, library=library)
    answered = Answered(path=f"chip {number}", answer=over_nonce(source.evidence(nonce), nonce))
    return ChipEvidence(report=answered.report, chain=answered.chain)
