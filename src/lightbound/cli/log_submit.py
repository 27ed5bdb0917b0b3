"""`lightbound log submit`: have statements entered in a log, and keep the receipts."""

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from lightbound.cli.log_looks import LogKeyOption
from lightbound.cli.signing_options import JsonOption, print_json
from lightbound.cli.terminal import printable

SUBMIT_HELP: Final = """Have statements entered in a log, and check that they are.

For what a log takes in clear: a new DIRECTORY, then the OPERATORs and POSITIONs that it lists, and a ROTATION of a
landmark of the directory, of the log itself, or of a witness that it asks. Give them in this order: each is checked by
what the log holds already. What is entered stays for ever, and everybody can read it. Giving it again changes nothing.

Exit codes: 0 all are entered, 3 a file is no statement, 4 the log refused one (the others are entered), 5 the log did
not answer: give the same again.

\b
Example:
  lightbound log submit https://log.example rotation.cose --log-key VKEY --keep receipts/
"""


def submit(
    *,
    url: Annotated[str, typer.Argument(metavar="URL", help="The log.")],
    files: Annotated[
        list[Path], typer.Argument(exists=True, dir_okay=False, metavar="FILE...", help="Statements, in their order.")
    ],
    log_key: LogKeyOption,
    keep: Annotated[
        Path | None,
        typer.Option(file_okay=False, metavar="DIR", help="Write receipts there, each as NAME.tlog-proof."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Have statements entered in a log, and check that they are."""
    from dataclasses import replace

    from lightbound import __version__
    from lightbound.canonical import cose
    from lightbound.enrolment.trust import check_url
    from lightbound.errors import ErrorCode, Fault, LightboundError, Refused
    from lightbound.files.held import MOST_FILE, RECEIPT
    from lightbound.files.toml import read_small
    from lightbound.files.whole import whole_file
    from lightbound.net.http_client import Server
    from lightbound.net.log_submission import AT_ONCE, submitted
    from lightbound.tlog.note import read_log_vkey
    from lightbound.tlog.proof import LogProof
    from lightbound.tlog.submission import NotEntered

    key = read_log_vkey(log_key)
    check_url(url, "URL")
    statements = []
    for path in files:
        statements.append(read_small(path, MOST_FILE))
        try:
            cose.read(statements[-1], what="statement")
        except LightboundError as error:
            raise type(error)([replace(fault, file=str(path)) for fault in error.faults]) from error
    answered = list[LogProof | NotEntered]()
    with Server(url, software=f"lightbound {__version__}") as server:
        for start in range(0, len(statements), AT_ONCE):
            answered += submitted(server, key, statements[start : start + AT_ONCE])
    told, faults = list[dict[str, Any]](), list[Fault]()
    for path, answer in zip(files, answered, strict=True):
        if isinstance(answer, LogProof):
            told.append({"file": str(path), "entry": answer.index})
            if keep is not None:
                keep.mkdir(parents=True, exist_ok=True)
                with whole_file(keep / f"{path.stem}{RECEIPT}") as file:
                    file.write(answer.encoded())
            continue
        told.append({"file": str(path), "refused": answer.code})
        # The log's words, of which the code may be one that this version does not have.
        code = ErrorCode(answer.code) if answer.code in set(ErrorCode) else ErrorCode.NOT_ADMITTED
        faults.append(Fault(code=code, expected=answer.expected, found=answer.found, file=str(path)))
    if as_json:
        print_json({"format": "lightbound.log-submitted/1", "origin": key.name, "submitted": told})
    else:
        for row in told:
            if "entry" in row:
                typer.echo(f"{printable(row['file'])}  entry {row['entry']} of {key.name}")
    if faults:
        raise Refused(faults)
