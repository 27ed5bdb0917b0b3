"""`lightbound bundle`: one file from which a stranger checks what was concluded about a chip."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from lightbound.cli.serving import hexadecimal
from lightbound.cli.verdict_options import instant_ns
from lightbound.units import counted

if TYPE_CHECKING:
    from lightbound.bundles.contents import Bundle

bundle_app = typer.Typer(no_args_is_help=True, help="Evidence about one chip in one file, for a stranger to check.")

LOOK_S: Final = 0.5
"""While receipts are waited for, it looks so often."""

MAKE_HELP: Final = """Write what the newest decision about a chip rests on, for a stranger to check by himself.

It holds the signed statements of the sessions, the chip's own reports, the directory of landmarks, the areas asked
about and the verdict. Of other chips of the host it holds their number and digests, no ids and no reports. With
--without-site the private field of each SESSION stays closed: who checks then takes your word for the areas.

With --since it holds every verdict of a span, and each of their sessions once: a regulator can be given one chip's
year alone. All of it must be of today's directory, site and rules; where those changed, make a bundle for each part.

\b
Example:
  lightbound bundle make --data /var/lib/lightbound/verifier --chip 9f86d081...0a08 --out chip.bundle
  lightbound check chip.bundle --trust check-trust.toml
"""


@bundle_app.callback()
def bundle() -> None:
    """Evidence about one chip in one file, for a stranger to check."""


@bundle_app.command("make", help=MAKE_HELP)
def make(
    *,
    chip: Annotated[str, typer.Option(metavar="ID", help="The chip, 64 hexadecimal digits.")],
    out: Annotated[Path, typer.Option(dir_okay=False, metavar="FILE", help="The bundle.")],
    data: Annotated[Path | None, typer.Option(file_okay=False, metavar="DIR", help="The verifier's folder.")] = None,
    admission: Annotated[
        Path | None, typer.Option(file_okay=False, metavar="DIR", help="Its admission folder. Default: DATA/admission.")
    ] = None,
    without_site: Annotated[
        bool, typer.Option("--without-site", help="Leave out the site, to which SESSION is committed.")
    ] = False,
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Every verdict from then on, such as 2026-01-01T00:00:00Z, in one bundle."),
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="With --since: and before then. Default: now.")
    ] = None,
    wait_s: Annotated[
        float,
        typer.Option(
            min=0.0, max=3_600.0, metavar="S", help="Wait so long for receipts of the log that have not come yet."
        ),
    ] = 20.0,
    trust_out: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False, metavar="FILE", help="Also write whom this verifier itself believes, for `check --trust`."
        ),
    ] = None,
) -> None:
    """Write what the newest decision about a chip rests on."""
    chip_id = hexadecimal(chip, 32, "--chip", advice="as chip_id in `lightbound verifier status --json`")
    if until is not None and since is None:
        raise typer.BadParameter("it ends a span that --since begins", param_hint="--until")
    from_ns = None if since is None else instant_ns(since, "--since")
    to_ns = None if until is None else instant_ns(until, "--until")

    import time

    from lightbound import __version__
    from lightbound.bundles.checking import Trusted
    from lightbound.files.check_trust import write_check_trust
    from lightbound.files.whole import whole_file
    from lightbound.roles.state import default_folder
    from lightbound.roles.verifier.bundling import bundle_of
    from lightbound.roles.verifier.kept import open_kept_to_read
    from lightbound.roles.verifier.run import ATTESTATION, admission_of, judge_of, verifier_key
    from lightbound.roles.verifier.settings import log_told, policy_told

    folder = data or default_folder("verifier")
    key, admitted = verifier_key(folder), admission_of(folder, admission)
    kept = open_kept_to_read(folder)
    until_s, is_told = time.monotonic() + wait_s, False
    try:
        log = log_told(kept.enrolments.settings())
        judge = judge_of(kept, key, admitted, folder, policy_told(kept.enrolments.settings()))
        while True:
            now_ns = time.time_ns()  # noqa: TID251 - a command is where the clock is read
            made = bundle_of(
                judge,
                admitted,
                chip_id,
                key,
                data=folder,
                software=f"lightbound {__version__}",
                now_ns=now_ns,
                with_site=not without_site,
                span_ns=None if from_ns is None else (from_ns, now_ns if to_ns is None else to_ns),
            )
            unlogged = 0 if log is None else made.measured - len(made.logged)
            if not unlogged or time.monotonic() > until_s:
                break
            if not is_told:
                typer.echo(f"waiting for {counted(unlogged, 'receipt')} of the log, {wait_s:g} s at most", err=True)
                is_told = True
            time.sleep(LOOK_S)
    finally:
        kept.close()
    if unlogged:
        typer.echo(
            f"note: of {counted(unlogged, 'measurement')} no receipt of the log is here; --wait-s waits longer",
            err=True,
        )
    _write(made, out, is_span=since is not None)
    if trust_out is not None:
        roots = folder.absolute() / ATTESTATION / "roots"
        trusted = Trusted(verifiers=(key.verifying,), directory=admitted.trust, log=log)
        with whole_file(trust_out) as file:
            file.write(write_check_trust(trusted, roots=str(roots) if roots.is_dir() else None).encode())
        typer.echo(f"{trust_out}: compare the keys in it with what their owners tell you", err=True)


def _write(made: "Bundle", out: Path, *, is_span: bool) -> None:
    from lightbound.bundles.contents import write_bundle
    from lightbound.bundles.reading import MOST_BUNDLE_BYTES
    from lightbound.errors import ErrorCode, Fault, Refused
    from lightbound.files.whole import whole_file

    written = write_bundle(made)
    if len(written) > MOST_BUNDLE_BYTES:
        fault = Fault(
            code=ErrorCode.VALUE_OUT_OF_RANGE,
            expected=f"a bundle of at most {MOST_BUNDLE_BYTES:,} bytes",
            found=f"{len(written):,}",
            next="take a shorter span",
        )
        raise Refused(fault)
    with whole_file(out) as file:
        file.write(written)
    verdicts = "" if not is_span else f"{counted(len(made.verdicts), 'verdict')} on "
    typer.echo(f"{out}: {verdicts}{counted(len(made.sessions), 'session')}, {len(written):,} bytes", err=True)
