"""`lightbound log submit`: have statements entered in a log, and keep the receipts."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from lightbound.cli.log_looks import LogKeyOption
from lightbound.cli.signing_options import JsonOption, print_json
from lightbound.cli.terminal import printable

if TYPE_CHECKING:
    from lightbound.errors import Fault, LightboundError
    from lightbound.net.log_submission import Said

SUBMIT_HELP: Final = """Have statements entered in a log, and check that they are.

For what a log takes in clear: a new DIRECTORY, then the OPERATORs and POSITIONs that it lists, and a ROTATION of a
landmark of the directory, of the log itself, or of a witness that it asks. Give them in this order: each is checked by
what the log holds already. What is entered stays for ever, and everybody can read it. Giving it again changes nothing.

A receipt is written as soon as the proof in it has been checked. Files of one name, from several folders, would have
one receipt: with --keep that is a wrong use, and nothing is sent.

Exit codes: 0 all are entered, 3 a file is no statement, 4 the log refused one (the others are
entered), 5 the log did not answer, gave a proof that does not hold, or a receipt could not be written: give the same
again.

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
    from collections import Counter

    from lightbound import __version__
    from lightbound.enrolment.trust import check_url
    from lightbound.errors import LightboundError
    from lightbound.files.whole import writable_folder
    from lightbound.net.http_client import Server
    from lightbound.net.log_submission import submissions, submitted
    from lightbound.tlog.note import read_log_vkey

    key = read_log_vkey(log_key)
    check_url(url, "URL")
    twice = [stem for stem, count in Counter(path.stem for path in files).items() if count > 1]
    if keep is not None and twice:
        raise typer.BadParameter(f"two files are named {printable(twice[0])}, and would have one receipt")
    statements = [_read(path) for path in files]
    if keep is not None:
        # Before anything is sent, for what is entered stays.
        writable_folder(keep)
    told, left, ended = _Told(keep=keep), list(files), None
    try:
        with Server(url, software=f"lightbound {__version__}") as server:
            for submission in submissions(statements):
                for answer in submitted(server, key, submission):
                    told.add(left.pop(0), answer)
    except LightboundError as error:
        # What was entered before is told all the same.
        ended = error
    if as_json:
        print_json({"format": "lightbound.log-submitted/1", "origin": key.name, "submitted": told.rows})
    else:
        for row in told.rows:
            if "entry" in row:
                typer.echo(f"{printable(row['file'])}  entry {row['entry']} of {key.name}")
    told.end(ended)


def _read(path: Path) -> bytes:
    """A statement that fits into an entry, of a file."""
    from dataclasses import replace

    from lightbound.canonical import cose
    from lightbound.errors import LightboundError
    from lightbound.files.held import MOST_FILE
    from lightbound.files.toml import read_small
    from lightbound.tlog.entries import write_entry

    data = read_small(path, MOST_FILE)
    try:
        cose.read(data, what="statement")
        write_entry(data)
    except LightboundError as error:
        raise type(error)([replace(fault, file=str(path)) for fault in error.faults]) from error
    return data


@dataclass(slots=True, kw_only=True)
class _Told:
    """What the log said of each file so far, and the receipts of it, which are written at once. Grows with each."""

    keep: Path | None
    rows: list[dict[str, Any]] = field(default_factory=list)
    refused: list["Fault"] = field(default_factory=list)
    unsure: list["Fault"] = field(default_factory=list)
    """Proofs that do not hold and receipts that were not written: nothing wrong with a statement."""

    def add(self, path: Path, said: "Said") -> None:
        """The next one."""
        from dataclasses import replace

        from lightbound.errors import ErrorCode, Fault, Unavailable
        from lightbound.tlog.submission import NotEntered

        if isinstance(said, NotEntered):
            self.rows.append({"file": str(path), "refused": said.code})
            # The log's words, of which the code may be one that this version does not have.
            code = ErrorCode(said.code) if said.code in set(ErrorCode) else ErrorCode.NOT_ADMITTED
            self.refused.append(Fault(code=code, expected=said.expected, found=said.found, file=str(path)))
        elif isinstance(said, Unavailable):
            self.rows.append({"file": str(path), "unproven": said.faults[0].code})
            self.unsure += [replace(fault, file=str(path)) for fault in said.faults]
        else:
            self.rows.append({"file": str(path), "entry": said.index})
            self._keep(path, said.encoded())

    def _keep(self, path: Path, receipt: bytes) -> None:
        from lightbound.errors import Unavailable
        from lightbound.files.held import RECEIPT
        from lightbound.files.whole import whole_file

        if self.keep is None:
            return
        try:
            with whole_file(self.keep / f"{path.stem}{RECEIPT}") as file:
                file.write(receipt)
        except Unavailable as error:
            # The entry is in the log all the same, and the receipts of the others are wanted.
            self.unsure += error.faults

    def end(self, ended: "LightboundError | None") -> None:
        """Nothing if all are entered and kept; else raise why not, beginning with why the log was asked no further."""
        from lightbound.errors import Refused, Unavailable

        if ended is not None:
            raise type(ended)([*ended.faults, *self.unsure, *self.refused])
        if self.unsure:
            raise Unavailable([*self.unsure, *self.refused])
        if self.refused:
            raise Refused(self.refused)
