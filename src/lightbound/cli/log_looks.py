"""`lightbound log audit` and `lightbound log monitor`: looking a log over, for anybody and for a holder."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from lightbound.cli.signing_options import JsonOption, print_json
from lightbound.cli.terminal import tell_notes
from lightbound.cli.witness_options import WitnessOption, WitnessThresholdOption, believed
from lightbound.errors import ErrorCode, Fault, LightboundError, Refused
from lightbound.units import counted

if TYPE_CHECKING:
    from lightbound.roles.log_reader.findings import Findings
    from lightbound.roles.log_reader.holding import Held
    from lightbound.roles.log_reader.monitoring import Found
    from lightbound.tlog.note import NoteKey
    from lightbound.tlog.policy import Policy

FINDINGS_FORMAT: Final = "lightbound.log-findings/2"

PlaceArgument = Annotated[str, typer.Argument(metavar="URL|DIR", help="The log, or a folder with a copy of its files.")]
LogKeyOption = Annotated[str, typer.Option(metavar="VKEY", help="The log's key, as `log init` printed it.")]
PolicyOption = Annotated[
    Path | None,
    typer.Option(exists=True, dir_okay=False, metavar="FILE", help="Witnesses and quorum from there (tlog-policy)."),
]


def audit(
    *,
    place: PlaceArgument,
    log_key: LogKeyOption,
    witness: WitnessOption = None,
    witness_threshold: WitnessThresholdOption = None,
    policy: PolicyOption = None,
    since: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, metavar="FILE", help="An earlier checkpoint, which must be continued."
        ),
    ] = None,
    keep: Annotated[
        Path | None,
        typer.Option(dir_okay=False, metavar="FILE", help="Write the checkpoint there, for the next audit."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Read all of a log and compute everything in it again.

    Without --witness or --policy it asks for nobody's cosignature, and a log could show others another history. What
    parties did and a log has to take, such as two ROTATIONs of one key, is a note and nothing wrong with the log.

    Exit codes: 0 nothing is wrong with the log, 3 it is not of the format of a log, 4 something is wrong, or it is
    shorter than it was, 5 part of it cannot be read.
    """
    from lightbound.files.toml import read_small
    from lightbound.files.whole import whole_file
    from lightbound.roles.log_reader.auditing import Faulty, audit_log
    from lightbound.roles.log_reader.source import source_at
    from lightbound.tlog.note import MOST_BYTES, read_log_vkey

    key = read_log_vkey(log_key)
    wanted = _wanted(key, witness, witness_threshold, policy)
    source = source_at(place)
    try:
        audited = audit_log(
            source,
            key,
            wanted,
            since=None if since is None else read_small(since, MOST_BYTES),
        )
    finally:
        source.close()
    tell_notes(_notes(audited.notes))
    if isinstance(audited, Faulty):
        raise Refused(audited.found.told, total=audited.found.total)
    if keep is not None:
        with whole_file(keep) as file:
            file.write(audited.note)
    now = audited.checkpoint
    if as_json:
        told = {"origin": now.origin, "size": now.size, "root": now.root.hex(), "kinds": audited.kinds}
        notes = [{"code": str(fault.code), "found": fault.found, "where": fault.column} for fault in audited.notes.told]
        more = {"notes": notes, "cosigned": [one.witness.name for one in audited.cosigned]}
        print_json({"format": "lightbound.log-audit/1", **told, **more})
        return
    typer.echo(f"origin    {now.origin}\nentries   {now.size}\nroot      {now.root.hex()}")
    for kind, count in sorted(audited.kinds.items()):
        typer.echo(f"          {count} of {kind}")
    typer.echo(f"cosigned  {', '.join(one.witness.name for one in audited.cosigned) or 'by nobody that was named'}")


def monitor(
    *,
    place: PlaceArgument,
    log_key: LogKeyOption,
    held: Annotated[
        Path,
        typer.Option(
            exists=True,
            file_okay=False,
            metavar="DIR",
            help="Statements NAME.cose, receipts NAME.tlog-proof: an agent's held/, or `verifier export --held`.",
        ),
    ],
    state: Annotated[Path, typer.Option(dir_okay=False, metavar="FILE", help="What was seen before; made if missing.")],
    witness: WitnessOption = None,
    witness_threshold: WitnessThresholdOption = None,
    policy: PolicyOption = None,
    from_first_held: Annotated[
        bool,
        typer.Option("--from-first-held", help="Do not miss what was said before; an agent forgets after --keep-days."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Follow a log for a holder of statements, and say which entries about their agents are not accounted for.

    Without --witness or --policy it asks for nobody's cosignature, and a log could show this holder a history of its
    own.

    Exit codes: 0 all are, 3 the log is malformed, 4 something is not, a held file is wrong, nothing is held, or the log
    has forked or is shorter than it was, 5 the log cannot be read.
    """
    from lightbound.cli.monitor_state import read_state, state_of
    from lightbound.files.whole import whole_file
    from lightbound.roles.log_reader.following import cosigned_by_too_few, follow
    from lightbound.roles.log_reader.monitoring import faults_of, monitored
    from lightbound.roles.log_reader.source import source_at
    from lightbound.tlog.note import read_log_vkey

    key = read_log_vkey(log_key)
    wanted = _wanted(key, witness, witness_threshold, policy)
    statements, found, without = _held(held)
    followed = read_state(state, log_key)
    source = source_at(place)
    try:
        now = follow(source, key, followed, {one.landmark for one in statements})
        looked = monitored(source, key, now, statements, followed, from_the_first=not from_first_held)
    finally:
        source.close()
    found += looked.found
    lacking = cosigned_by_too_few(followed, key, wanted)
    # A checkpoint that too few have cosigned may be shown to nobody else: it is not what the next look begins with.
    if lacking is None:
        with whole_file(state) as file:
            file.write(state_of(followed, log_key))
    tell_notes(_notes_of_held(without, [one.file for one in looked.by_other_keys]))
    if as_json:
        counts = {"size": now.size, "held": len(statements)}
        more = {"without_receipt": without, "receipts_by_other_keys": [one.file for one in looked.by_other_keys]}
        told = [_row(one) for one in found]
        print_json({"format": FINDINGS_FORMAT, **counts, **more, "found": told, "cosigned": lacking is None})
    else:
        typer.echo(f"entries      {now.size}\nheld         {len(statements)}\nunaccounted  {len(found)}")
    findings = faults_of(found)
    if lacking is not None:
        findings.add(lacking)
    if findings.total:
        raise Refused(findings.told, total=findings.total)


def _wanted(key: "NoteKey", witness: list[str] | None, threshold: int | None, policy: Path | None) -> "Policy":
    """Who must have cosigned: the options say it, or a policy does."""
    from lightbound.files.toml import read_small
    from lightbound.tlog.policy import MOST_BYTES, policy_of, read_policy

    if policy is None:
        return policy_of((key,), *believed(witness, threshold))
    if witness or threshold is not None:
        raise typer.BadParameter("a policy names its witnesses itself", param_hint="--witness")
    return read_policy(read_small(policy, MOST_BYTES))


def _held(folder: Path) -> "tuple[list[Held], list[Found], int]":
    """What is held, the files among it that are wrong in themselves, and how many statements have no receipt."""
    from lightbound.files.held import RECEIPT, held_paths, read_held_file
    from lightbound.roles.log_reader.holding import read_held
    from lightbound.roles.log_reader.monitoring import Found, Unaccounted

    held, unreadable = list["Held"](), list[Found]()
    paths, without = held_paths(folder)
    if not paths:
        expected, found = "statements NAME.cose with receipts NAME.tlog-proof", f"{without} without a receipt"
        next_step = "nothing was looked at: with nothing held, nothing can be missed"
        raise Refused(
            Fault(
                code=ErrorCode.FILE_EMPTY,
                expected=expected,
                found=found if without else "none",
                file=str(folder),
                next=next_step,
            )
        )
    for path in paths:
        try:
            one = read_held_file(path)
            held.append(read_held(one.statement, one.receipt, file=str(path)))
        except LightboundError as error:
            if not any(one.exists() or one.is_symlink() for one in (path, path.with_suffix(RECEIPT))):
                # Its agent has just forgotten it.
                continue
            why = replace(error.faults[0], file=None)
            unreadable.append(Found(what=Unaccounted.UNREADABLE, files=(str(path),), why=why))
    return held, unreadable, without


def _row(found: "Found") -> dict[str, Any]:
    from lightbound.roles.log_reader.monitoring import code_of

    return {
        "what": str(found.what),
        "code": str(code_of(found)),
        "landmark": None if found.landmark is None else found.landmark.hex(),
        "agent": None if found.agent is None else found.agent.hex(),
        "seq": found.seq,
        "entry": found.entry,
        "files": list(found.files),
    }


def _notes(notes: "Findings") -> list[str]:
    told = [f"{fault.code}: {fault}" for fault in notes.told]
    more = notes.total - len(notes.told)
    return [*told, f"and {more} more of these"] if more else told


def _notes_of_held(without: int, by_other_keys: list[str]) -> list[str]:
    from lightbound.roles.log_reader.monitoring import named

    notes = []
    if without:
        notes.append(f"{counted(without, 'statement')} without a receipt, not looked at")
    if by_other_keys:
        notes.append(
            f"{counted(len(by_other_keys), 'receipt')} under checkpoints that --log-key did not sign, of statements "
            f"that the log holds ({named(by_other_keys)}): of another log, or of a key that this one had before"
        )
    return notes
