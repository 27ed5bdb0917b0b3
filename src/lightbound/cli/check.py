"""`lightbound check`: a bundle checked by a stranger, step by step, without a network."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from lightbound.cli.terminal import refuse_to_replace
from lightbound.units import counted

if TYPE_CHECKING:
    from lightbound.bundles.checking import Checked, Trusted
    from lightbound.bundles.contents import Bundle

FORMAT: Final = "lightbound.check/1"

AFTER: Final = "what was said after the last session in it, or is not in it"
RULES: Final = "that these rules are good ones: the verifier chose them, and signed that it did"
"""What follows from them is computed, and whether to accept them is the reader's."""
HOST_KEY: Final = "that a TPM holds the key that quoted: that the host enrolled with this one, the verifier says"
"""With another key in its place, a quote by anybody's TPM, or by a program, would make tier A2."""

CHECK_HELP: Final = """Check a bundle: every signature in it, and the verdict computed again. No network, no account.

Whom you believe beforehand stands in the --trust file: the verifier's key, the parties of the directory of landmarks,
and, if you like, a log with its witnesses and roots of devices. Get those keys from their owners. The steps are printed
as they hold; the first that does not ends the check.

\b
With --html it is also written as a page that needs no network, and with --pdf as pages to print, with the map of the
newest verdict. Nothing is written of a bundle that does not hold.

\b
It exits with 0 if every step holds, 3 if a file is malformed, 4 if a step does not hold.

\b
Example:
  lightbound check chip.bundle --trust check-trust.toml
"""


def check(
    bundle: Annotated[Path, typer.Argument(dir_okay=False, metavar="BUNDLE", help="The bundle.")],
    *,
    trust: Annotated[Path, typer.Option(dir_okay=False, metavar="FILE", help="Whom you believe: check-trust.toml.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, and nothing else.")] = False,
    html: Annotated[
        Path | None, typer.Option(dir_okay=False, metavar="FILE", help="Also write a page for people to read.")
    ] = None,
    pdf: Annotated[
        Path | None, typer.Option(dir_okay=False, metavar="FILE", help="The same to print and to file.")
    ] = None,
) -> None:
    """Check a bundle: every signature in it, and the verdict computed again."""
    for out, option in ((html, "--html"), (pdf, "--pdf")):
        refuse_to_replace(out, (bundle, trust), option=option)
    import json

    from lightbound.attestation.chains import DeviceRoots
    from lightbound.files.bundle_file import read_bundle_file
    from lightbound.files.check_trust import read_check_trust
    from lightbound.files.toml import of_file
    from lightbound.judging.bundle_check import checked

    believed = read_check_trust(trust)
    read = read_bundle_file(bundle)
    roots = DeviceRoots.of(believed.device_roots, with_vendors=True)
    done = checked(read, believed.trusted, roots=roots)
    told = _object(bundle, read, done)
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=True))
    else:
        _print(told, done)
    if done.error is not None:
        raise of_file(done.error, bundle)
    if html is not None or pdf is not None:
        _write(read, done, believed.trusted, told["does_not_show"], html=html, pdf=pdf)


def _object(path: Path, bundle: "Bundle", done: "Checked") -> dict[str, Any]:
    from lightbound.files.explanations import instant

    fault = None if done.error is None else done.error.faults[0]
    terms, pinned = bundle.terms, bundle.pinned
    unshown = {text: None for verdict in done.verdicts for text in verdict["assurance"]["does_not_show"]}
    return {
        "format": FORMAT,
        "bundle": str(path),
        "holds": done.error is None,
        "chip_id": bundle.chip.hex(),
        "steps": [{"number": one.number, "what": one.what, "found": one.found} for one in done.steps],
        "failed": None
        if fault is None
        else {"step": done.failed, "code": str(fault.code), "expected": fault.expected, "found": fault.found},
        "asked_from": instant(done.from_ns) if done.error is None else None,
        "asked_to": instant(done.to_ns) if done.error is None else None,
        "terms": {
            "licensed": terms.licensed,
            "excluded": terms.excluded,
            "fault_budget": terms.fault_budget,
            "proof": terms.proof,
            "window_s": terms.window_ns / 1e9,
            "border_error_m": terms.border_error_m,
            "host_key": None if pinned.quote_key is None else pinned.quote_key.hex(),
        },
        "verdicts": done.verdicts,
        "does_not_show": [AFTER, RULES, *([HOST_KEY] if pinned.quote_key is not None else []), *unshown],
    }


def _print(told: dict[str, Any], done: "Checked") -> None:
    from lightbound.attestation.tiers import IN_WORDS
    from lightbound.cli.terminal import printable

    for step in told["steps"]:
        typer.echo(f"{step['number']}  ok  {step['what']}: {printable(step['found'])}")
    if done.error is not None:
        typer.echo(f"{len(told['steps']) + 1}  NO  {done.failed}")
        return
    terms = told["terms"]
    typer.echo("")
    for name in ("licensed", "excluded"):
        typer.echo(f"{name:9} {printable(terms[name]) or 'not asked'}")
    typer.echo(f"rules     {counted(terms['fault_budget'], 'fault unit')} may lie, proof {terms['proof']}, ", nl=False)
    typer.echo(f"window {terms['window_s']:g} s, borders within {terms['border_error_m']} m")
    typer.echo(f"\nchip      {told['chip_id']}")
    reasons: list[str] = []
    for verdict in told["verdicts"]:
        assurance, window = verdict["assurance"], verdict["window"]
        when = f", {window['from'][:19]}Z to {window['to'][:19]}Z" if window is not None else ""
        typer.echo(f"standing  {verdict['standing']} ({assurance['tier']}){when}")
        if assurance["reasons"] != reasons:
            reasons = assurance["reasons"]
            for number, reason in enumerate(reasons):
                typer.echo(f"{'' if number else 'because':9} {printable(IN_WORDS.get(reason, reason))}")
    typer.echo(f"as of     {told['asked_to']}; sessions from {told['asked_from']}")
    typer.echo("Not shown:")
    for one in told["does_not_show"]:
        typer.echo(f"  - {printable(IN_WORDS.get(one, one))}")


def _write(
    bundle: "Bundle",
    done: "Checked",
    trusted: "Trusted",
    does_not_show: list[str],
    *,
    html: Path | None,
    pdf: Path | None,
) -> None:
    from lightbound.cli.chip_map import in_words
    from lightbound.files.whole import whole_file
    from lightbound.judging.bundle_page import shown

    told = shown(bundle, done, trusted, does_not_show, in_words=in_words)
    if html is not None:
        with whole_file(html) as file:
            file.write(told.page())
    if pdf is not None:
        from lightbound.drawing.framing import Framing
        from lightbound.drawing.layers import layers_of
        from lightbound.drawing.paper import paper

        layers = layers_of(told.picture, Framing.AUTO)
        with whole_file(pdf) as file:
            file.write(paper(told.picture, layers, lead=told.lead, sections=told.sections))
