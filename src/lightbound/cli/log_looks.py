"""`lightbound log audit` and `lightbound log monitor`: looking a log over, for anybody and for a holder."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from lightbound.cli.signing_options import JsonOption, print_json
from lightbound.cli.witness_options import WitnessOption, WitnessThresholdOption, believed
from lightbound.errors import ErrorCode, Fault, Malformed, Refused

if TYPE_CHECKING:
    from lightbound.roles.log_reader.holding import Held
    from lightbound.roles.log_reader.monitoring import Followed

STATE_FORMAT: Final = "lightbound.log-monitor/2"

PlaceArgument = Annotated[str, typer.Argument(metavar="URL|DIR", help="The log, or a folder with a copy of its files.")]
LogKeyOption = Annotated[str, typer.Option(metavar="VKEY", help="The log's key, as `log init` printed it.")]


def audit(
    *,
    place: PlaceArgument,
    log_key: LogKeyOption,
    witness: WitnessOption = None,
    witness_threshold: WitnessThresholdOption = None,
    policy: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, metavar="FILE", help="Witnesses and quorum from there (tlog-policy)."
        ),
    ] = None,
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

    Without --witness or --policy it asks for nobody's cosignature, and a log could show others another history.

    Exit codes: 0 nothing is wrong, 3 it is not of the format of a log, 4 something is wrong, 5 part of it cannot be
    read.
    """
    from lightbound.files.toml import read_small
    from lightbound.files.whole import whole_file
    from lightbound.roles.log_reader.auditing import audit_log
    from lightbound.roles.log_reader.source import source_at
    from lightbound.tlog.note import MOST_BYTES, read_log_vkey
    from lightbound.tlog.policy import policy_of, read_policy

    if policy is not None and (witness or witness_threshold is not None):
        raise typer.BadParameter("a policy names its witnesses itself", param_hint="--witness")
    key = read_log_vkey(log_key)
    if policy is None:
        wanted = policy_of((key,), *believed(witness, witness_threshold))
    else:
        wanted = read_policy(read_small(policy, MOST_BYTES))
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
    if keep is not None:
        with whole_file(keep) as file:
            file.write(audited.note)
    now = audited.checkpoint
    if as_json:
        told = {"origin": now.origin, "size": now.size, "root": now.root.hex(), "kinds": audited.kinds}
        print_json(
            {"format": "lightbound.log-audit/1", **told, "cosigned": [one.witness.name for one in audited.cosigned]}
        )
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
    from_first_held: Annotated[
        bool,
        typer.Option("--from-first-held", help="Do not miss what was said before; an agent forgets after --keep-days."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Follow a log for a holder of statements, and say which entries about their agents are not accounted for.

    Exit codes: 0 all are, 3 log or a held file is malformed, 4 something is not (or the log has forked), 5 the log
    cannot be read.
    """
    from lightbound.files.whole import whole_file
    from lightbound.roles.log_reader.monitoring import Unaccounted, check_receipts, faults_of, follow, unaccounted
    from lightbound.roles.log_reader.source import source_at
    from lightbound.tlog.note import read_log_vkey

    key, by_path, followed = read_log_vkey(log_key), _held(held), _read_state(state, log_key)
    statements = list(by_path.values())
    source = source_at(place)
    try:
        now = follow(source, key, followed, {one.landmark for one in statements})
        _check_held(by_path, followed)
        found = unaccounted(statements, followed.commitments, from_the_first=not from_first_held)
        missing = {one.place for one in found if one.what is Unaccounted.MISSING}
        check_receipts(source, key, now, [one for one in statements if one.place in missing])
    finally:
        source.close()
    with whole_file(state) as file:
        file.write(_state(followed, log_key))
    if as_json:
        told: list[dict[str, Any]] = [
            {"what": str(one.what), "landmark": one.landmark.hex(), "agent": one.agent.hex(), "seq": one.seq,
             "entry": one.entry}
            for one in found
        ]  # fmt: skip
        print_json({"format": "lightbound.log-findings/1", "size": now.size, "held": len(statements), "found": told})
    else:
        typer.echo(f"entries      {now.size}\nheld         {len(statements)}\nunaccounted  {len(found)}")
    if found:
        raise Refused(faults_of(found))


def _held(folder: Path) -> "dict[Path, Held]":
    from lightbound.files.held import held_files
    from lightbound.roles.log_reader.holding import read_held

    found = {}
    for one in held_files(folder):
        with _of(one.path):
            found[one.path] = read_held(one.statement, one.receipt)
    return found


def _check_held(by_path: "Mapping[Path, Held]", followed: "Followed") -> None:
    from lightbound.roles.log_reader.holding import check_held

    for path, one in by_path.items():
        with _of(path):
            check_held(one, followed.keys)


@contextmanager
def _of(path: Path) -> Iterator[None]:
    """What is wrong with a file is told with its name."""
    try:
        yield
    except (Malformed, Refused) as error:
        raise type(error)([replace(fault, file=str(path)) for fault in error.faults]) from error


def _read_state(path: Path, log_key: str) -> "Followed":
    from lightbound.keys.ed25519 import VerifyingKey
    from lightbound.keys.purposes import Purpose
    from lightbound.roles.log_reader.monitoring import Followed
    from lightbound.tlog.entries import Commitment

    if not path.exists():
        return Followed()
    try:
        read = {"format": "", "log": "", **json.loads(path.read_bytes())}
    except (ValueError, TypeError, OSError) as error:
        raise _not_ours(path) from error
    if (read["format"], read["log"]) != (STATE_FORMAT, log_key):
        raise _not_ours(path)
    try:
        commitments = {}
        for number, landmark, slot, commitment in read["commitments"]:
            said = Commitment(
                landmark=bytes.fromhex(landmark), slot=bytes.fromhex(slot), commitment=bytes.fromhex(commitment)
            )
            commitments[said.landmark + said.slot] = int(number), said
        keys = [VerifyingKey(purpose=Purpose.LANDMARK, raw=bytes.fromhex(one)) for one in read["keys"]]
        return Followed(
            keys={one.key_id: one for one in keys},
            checkpoint=read["checkpoint"].encode(),
            landmarks={bytes.fromhex(one) for one in read["landmarks"]},
            commitments=commitments,
        )
    except (ValueError, KeyError, TypeError, AttributeError, Malformed) as error:
        raise _not_ours(path) from error


def _not_ours(path: Path) -> Malformed:
    expected, next_step = "what a monitor of this log wrote", "name another, or delete it: all is read again then"
    return Malformed(
        Fault(code=ErrorCode.FILE_FORMAT, expected=expected, found="other", file=str(path), next=next_step)
    )


def _state(followed: "Followed", log_key: str) -> bytes:
    rows = [
        [number, said.landmark.hex(), said.slot.hex(), said.commitment.hex()]
        for number, said in sorted(followed.commitments.values(), key=lambda one: one[0])
    ]
    told = {
        "format": STATE_FORMAT,
        "log": log_key,
        "checkpoint": (followed.checkpoint or b"").decode(),
        "landmarks": sorted(one.hex() for one in followed.landmarks),
        "keys": sorted(one.raw.hex() for one in followed.keys.values()),
        "commitments": rows,
    }
    return json.dumps(told, separators=(",", ":")).encode()
