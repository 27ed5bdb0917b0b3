"""Evidence as a person reads it: what it says of itself, or what it came to, why, and what to do next."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

import typer
from rich.table import Table
from rich.text import Text

from lightbound.cli import terminal
from lightbound.cli.terminal import printable

NOT_CHECKED: Final = "Not checked: anybody can write evidence that says this. To check it: lightbound evidence verify"

STYLES: Final = {
    "verified": "green",
    "unappraised": "cyan",
    "refused": "bold red",
    "malformed": "magenta",
    "unavailable": "magenta",
}
MOST_NAMES: Final = 3
"""Items named after a reason that several have; past that, how many more."""
WIDTH: Final = 200
"""Columns without a terminal: a file's name beside chip and versions is not broken in two there."""


def print_shown(told: Mapping[str, Any]) -> None:
    """Print what `files.evidence_showing` gives."""
    console = terminal.console(markup=False)
    for item in told["items"]:
        table = Table(title=Text(f"{printable(item['name'])} (not checked)"), title_justify="left", box=None)
        table.show_header = False
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for name, value in _said(item):
            table.add_row(Text(name), Text(printable(value)))
        console.print(table)
        console.print()
    console.print(NOT_CHECKED, soft_wrap=True)


def _said(item: Mapping[str, Any]) -> list[tuple[str, str]]:
    rows = [("cannot be read", error) for error in item["errors"]]
    if item["stated_nonce"] is not None:
        rows.append(("nonce, by the file", item["stated_nonce"]))
    if report := item["report"]:
        rows += [
            (name, "not stated" if report[key] is None else str(report[key]))
            for name, key in (
                ("nonce", "nonce"),
                ("driver", "driver"),
                ("VBIOS", "vbios"),
                ("board", "board"),
                ("firmware id", "firmware_id"),
            )
        ]
        on = {True: "on", False: "off", None: "not stated"}[report["is_protected_pcie"]]
        rows += [
            ("protected PCIe", on),
            ("measurements", f"{len(report['measurements'])} (--json lists them)"),
            ("other fields", ", ".join(report["opaque"])),
            ("behind it", f"{report['padding_bytes']} bytes that nobody signed"),
        ]
    if chain := item["chain"]:
        rows.append(("chip id", chain["chip_id"]))
        rows += [(one["certificate"], f"{one['subject']}, to {one['to'][:10]}") for one in chain["certificates"]]
    elif not item["errors"]:
        rows.append(("chain", "none: who signed cannot be checked without it"))
    return rows


def print_judgement(told: Mapping[str, Any]) -> None:
    """Print what `judging.evidence_files` gives, in the order of the files."""
    console = terminal.console(markup=False, width=WIDTH)
    items = _named(told["items"])
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("result", "evidence", "chip", "product", "board", "driver", "VBIOS"):
        table.add_column(name, overflow="fold", no_wrap=name in {"result", "chip"})
    for item in items:
        device = item["device"]
        chip = "" if device is None else device["chip_id"][:16]
        facts = [_fact(device, name) for name in ("product", "board", "driver", "vbios")]
        word = Text(item["result"], style=STYLES[item["result"]])
        table.add_row(word, *(Text(printable(text)) for text in (item["name"], chip, *facts)))
    console.print(table)
    if told["node"] is not None:
        node = told["node"]
        line = Text(node["result"], style=STYLES[node["result"]])
        line.append(f"  the host: {len(node['gpus'])} GPUs and {len(node['switches'])} switches name one another")
        console.print(line if node["result"] == "verified" else line.append(", but not all of them"), soft_wrap=True)
    console.print()
    for text, names in _grouped([*items, *([] if told["node"] is None else [_host(told["node"])])]):
        console.print(Text(printable(f"{text} ({_names(names)})")), soft_wrap=True)
    for left_out in told["manifests_left_out"]:
        why = "; ".join(_sentence(fault) for fault in left_out["faults"])
        console.print(Text(printable(f"manifest left out: {left_out['name']}: {why}")), soft_wrap=True)
    for text, names in _roots(items):
        console.print(Text(printable(f"root: {text} ({_names(names)})")), soft_wrap=True)
    console.print(f"Judged as of {told['as_of']}. Chip ids are told in full by --json.", soft_wrap=True)
    console.print("Not shown by any report:", soft_wrap=True)
    for what in told["does_not_show"]:
        console.print(f"  {what}", soft_wrap=True)
    if any(item["device"] and item["device"]["is_simulated"] for item in items):
        typer.echo("SIMULATED: some chips are made by a program. They are no chips.", err=True)


def _named(items: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """The items, without the folders of their files where that leaves names apart."""
    short = [item["name"].rpartition("/")[2] for item in items]
    if len(set(short)) < len(items):
        return items
    return [{**item, "name": name} for item, name in zip(items, short, strict=True)]


def _fact(device: Mapping[str, Any] | None, name: str) -> str:
    return "" if device is None or device[name] is None else str(device[name])


def _host(node: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**node, "name": "the host"}


def _grouped(items: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[str]]]:
    """What is to be said, each sentence once, with whom it is about; refusals first."""
    said: dict[str, dict[str, list[str]]] = {kind: defaultdict(list) for kind in ("fault", "reason", "note")}
    for item in items:
        for fault in item["faults"]:
            said["fault"][_sentence(fault)].append(item["name"])
        for reason in item["reasons"]:
            said["reason"][f"{reason['lacking']}: {reason['why']}; next: {reason['next']}"].append(item["name"])
        for note in item["notes"]:
            said["note"][f"note: {note}"].append(item["name"])
    return [(text, names) for sentences in said.values() for text, names in sentences.items()]


def _sentence(fault: Mapping[str, Any]) -> str:
    where = f" at {fault['at']}" if fault["at"] else ""
    after = f"; {fault['next']}" if fault["next"] else ""
    return f"{fault['code']}: expected {fault['expected']}, found {fault['found']}{where}{after}"


def _roots(items: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[str]]]:
    roots: dict[str, list[str]] = defaultdict(list)
    for item in items:
        if device := item["device"]:
            simulated = ", SIMULATED" if device["is_simulated"] else ""
            roots[f"{device['root']} {device['root_sha256'][:16]}..{simulated}"].append(item["name"])
    return list(roots.items())


def _names(names: list[str]) -> str:
    told = ", ".join(names[:MOST_NAMES])
    return f"{told} and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else told
