"""What the verifier decided, checked as a stranger would: from the files that it exports, by the commands for files.

Each command is a process of its own, and what it was called with is kept: whoever doubts can type it again.
"""

import json
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lightbound.demo.stage import UP_WITHIN_S, Stage

EXPLANATION: Final = "explanation.txt"
MAP: Final = "map.html"
FOLDER: Final = "evidence"
BUNDLE: Final = "smuggled.bundle"
TRUST: Final = "check-trust.toml"
CHECKED: Final = "checked.json"

LOGGED_WITHIN_S: Final = 40
"""For the log's receipts of the newest session. Landmarks submit each second; the verifier asks them again later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Files, and what came of deciding again."""

    folder: Path
    explanation: Path
    map: Path
    adjudicate: str
    """The command that decides again, as a person would type it."""
    explain: str
    bundle: Path
    """Of the explained chip, for a stranger."""
    check: str
    """The command that checks it."""
    is_checked: bool
    """Whether the check held at every step."""
    is_same: bool
    """Whether deciding again gave the verifier's own verdicts, but for the tier: files hold no evidence of chips."""
    verdicts: int


def gather(stage: Stage, out: Path, *, chip: str, keep: bool) -> Evidence:
    """Export what the verifier's decisions rest on, decide again, explain and draw one chip.

    Unless they are to be kept, all parties are sent home after the export: nobody is needed to decide again.

    Raises:
        Unavailable: a command failed.
    """
    folder, logs = out / FOLDER, stage.folder / "logs"
    run = stage.processes.run
    bundle, trust = out / BUNDLE, out / TRUST
    run(
        "bundle make",
        *("bundle", "make", "--data", stage.verifier_data, "--admission", stage.folder / "admission"),
        *("--chip", chip, "--out", bundle, "--trust-out", trust, "--wait-s", str(LOGGED_WITHIN_S)),
        log=logs / "bundle.log",
        within_s=UP_WITHIN_S,
    )
    run(
        "verifier export",
        *("verifier", "export", "--data", stage.verifier_data, "--admission", stage.folder / "admission"),
        *("--out", folder),
        log=logs / "export.log",
        within_s=UP_WITHIN_S,
    )
    if not keep:
        stage.processes.let_go()
    told: dict[str, Any] = json.loads((folder / "export.json").read_text(encoding="utf-8"))
    words = [str(folder / word) if (folder / word).is_file() else word for word in shlex.split(told["command"])[1:]]
    again = logs / "adjudicate.jsonl"
    asked = [word for word in words[1:] if word != "--json"]
    explanation, drawn = out / EXPLANATION, out / MAP
    explain = ["explain", *asked, "--chip", chip]
    commands = [
        stage.processes.begin("adjudicate", *words, log=logs / "adjudicate.log", out=again),
        stage.processes.begin("explain", *explain, log=logs / "explain.log", out=explanation),
        stage.processes.begin(
            "check", "check", bundle, "--trust", trust, "--json", log=logs / "check.log", out=out / CHECKED
        ),
        stage.processes.begin("map", "map", *asked, "--chip", chip, "--out", drawn, log=logs / "map.log"),
    ]
    stage.processes.finish(commands, within_s=UP_WITHIN_S)
    decided = (folder / "verdicts.jsonl").read_bytes()
    return Evidence(
        folder=folder,
        explanation=explanation,
        map=drawn,
        adjudicate=commands[0].command,
        explain=commands[1].command,
        bundle=bundle,
        check=commands[2].command.removesuffix(" --json"),
        is_checked=bool(json.loads((out / CHECKED).read_text(encoding="utf-8"))["holds"]),
        is_same=_but_for_the_tier(again.read_bytes()) == _but_for_the_tier(decided),
        verdicts=len(decided.splitlines()),
    )


def _but_for_the_tier(lines: bytes) -> list[dict[str, Any]]:
    told = [json.loads(line) for line in lines.splitlines()]
    return [{name: value for name, value in one.items() if name != "assurance"} for one in told]
