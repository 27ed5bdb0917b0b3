"""What the running example says before and after, and the report that it leaves behind."""

import contextlib
import select
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from lightbound.cli import terminal
from lightbound.cli.demo_table import answer, table
from lightbound.demo.acts import Standings
from lightbound.demo.evidence import Evidence
from lightbound.demo.stage import WITNESSES, Stage
from lightbound.demo.story import (
    CHIPS_OF_A_LOT,
    DELAYING,
    FAULT_BUDGET,
    LANDMARKS,
    LOTS,
    PLACES,
    SILENCED,
    SMUGGLED,
    SMUGGLED_TO,
    Truth,
)
from lightbound.files.whole import whole_file

FORMAT: Final = "lightbound.demo/1"

REPORT: Final = "report.txt"

OWNERS: Final = len({one.owner for one in LANDMARKS})

MADE_UP: Final = (
    "Real here: the processes, the sockets, the statements they sign, the verdicts, and the round trips, which are "
    "those that Microsoft publishes for its regions. Made up: owners, lots, licences, the chips, which a program "
    "simulates, and the distance, which a relay puts between processes of one machine."
)

TIER: Final = "A1 (simulated chips)"

WORDS: Final = {
    "verified": "proven to be within its licensed area",
    "cleared": "proven to be outside China, Hong Kong and Macao, and no more: an answer that takes 10 ms can have come "
    "from 1,500 km away, which is beyond most borders",
    "undetermined": "neither is proven: landmarks are too far away, or the holder delays answers",
    "misplaced": "proven to be outside its licensed area",
    "silent": "asked, and it does not answer",
}
"""What the words mean that come up in the example."""

NOT_SHOWN: Final = (
    "that there is a chip: here a program signs for it, under a root that is no vendor's",
    "that the key was not copied, to a machine that stays behind and answers for a chip that is gone",
    "that the key is beside the chip: what the chip signs can be fetched from elsewhere",
    "where anything is after the last session, or was before the first",
    "that the landmarks stand where they say, beyond one owner of them who lies",
)
"""At A1, where the chip signs each session, and a simulated one at that."""

GROUNDS: Final = (
    "nothing is faster than light in vacuum",
    f"at most {FAULT_BUDGET} of the {OWNERS} owners of landmarks lies or is elsewhere",
    "borders are where Natural Earth draws them, within 2 km",
)


def opening() -> Iterator[str]:
    """What is said first."""
    yield (
        f"A verifier, {len(LANDMARKS)} landmarks of {OWNERS} owners, {len(LOTS)} agents with {CHIPS_OF_A_LOT} chips "
        "each: real processes on this machine."
    )
    yield (
        "A relay makes the ways between them as long as Microsoft says they are between its regions. Owners, lots and "
        "licences are made up."
    )
    yield ""
    yield "What the verifier can say, all of it from how long answers take:"
    for word, meaning in WORDS.items():
        yield f"  {word:13} {meaning}"
    yield ""


def findings() -> Iterator[str]:
    """What became of the three lots, and why."""
    where = PLACES[SMUGGLED_TO]
    yield (
        f"{SMUGGLED}: misplaced. In {where} it answers landmarks in Asia sooner than light could come from where it is "
        f"licensed. Landmarks of two owners show that, each by itself; one may lie. That it is in {where} is not shown."
    )
    yield (
        f"{DELAYING}: undetermined, lead lost_proof. Delay hides where it went; it cannot bring back the quick answers "
        "that proved where it was. That accuses nobody, and is worth a question."
    )
    yield f"{SILENCED}: silent. It was asked and did not answer, which is no proof of anything."


def same(evidence: Evidence) -> str:
    """Whether deciding again gave the same."""
    if evidence.is_same:
        return (
            f"Decided again from the exported files: {evidence.verdicts} verdicts, the same in everything but the "
            "tier, for files hold no evidence of chips."
        )
    return "Decided again from the exported files: NOT THE SAME. This is a bug."


def stranger(evidence: Evidence) -> str:
    """Whether a stranger could check the smuggled chip."""
    if evidence.is_checked:
        return (
            f"A bundle of {SMUGGLED}'s first chip holds at every step of a stranger's check, without a network: its "
            f"session, the log that {WITNESSES} witnesses cosigned, and the verdict."
        )
    return "The bundle does NOT hold. This is a bug."


def close(standings: Standings, truths: Mapping[str, Truth], evidence: Evidence, report: Path) -> None:
    """Print what it came to."""
    console = terminal.console(markup=False)
    is_file = not console.is_terminal
    console.print()
    console.print(*table(standings, truths, width=console.width), sep="\n")
    console.print()
    for line in findings():
        console.print(line, soft_wrap=is_file)
    console.print()
    console.print(f"Not shown, at assurance tier {TIER}:")
    for line in NOT_SHOWN:
        console.print(f"  - {line}", soft_wrap=is_file)
    console.print()
    console.print(same(evidence), soft_wrap=is_file)
    console.print(stranger(evidence), soft_wrap=is_file)
    for name, path in _files(evidence, report).items():
        console.print(f"{name:12} {path}", soft_wrap=True)
    console.print("Check the bundle yourself:")
    console.print(evidence.check, soft_wrap=True)


def as_object(standings: Standings, truths: Mapping[str, Truth], evidence: Evidence, report: Path) -> dict[str, Any]:
    """The same for a machine."""
    return {
        "format": FORMAT,
        "tier": "A1",
        "is_simulated": True,
        "lots": [
            {
                "lot": lot.name,
                "licensed_area": lot.licensed,
                "excluded_area": lot.excluded,
                "truly_in": PLACES[truths[lot.name].region],
                "deed": truths[lot.name].deed or None,
                "standing": standings[lot.name].standing,
                "lead": standings[lot.name].lead,
                "chips": list(standings[lot.name].chips),
            }
            for lot in LOTS
        ],
        "verdicts": evidence.verdicts,
        "same_again": evidence.is_same,
        "files": {name: str(path) for name, path in _files(evidence, report).items()},
        "commands": {"adjudicate": evidence.adjudicate, "explain": evidence.explain, "check": evidence.check},
        "bundle_holds": evidence.is_checked,
        "grounds": list(GROUNDS),
        "not_shown": list(NOT_SHOWN),
    }


def write_report(folder: Path, stage: Stage, standings: Standings, evidence: Evidence) -> Path:
    """Write the report; its path."""
    lines = ["What was shown", "", *opening(), MADE_UP, "", "What the verifier said in the end", ""]
    for lot in LOTS:
        now = standings[lot.name]
        lead = f", lead {now.lead}" if now.lead else ""
        last = "; from its last answers:" if now.silent_since else ""
        lines += [
            f"{lot.name} (truly in {stage.truths[lot.name]}): {now.standing}{lead}{last}",
            f"  licensed area {lot.licensed}: {answer(now.licensed) or 'not asked'}",
            f"  excluded area {lot.excluded}: {answer(now.excluded) or 'not asked'}",
        ]
    lines += ["", *findings(), "", "On what grounds", "", *(f"- {one}" for one in GROUNDS)]
    lines += ["", f"What is not shown, at assurance tier {TIER}", "", *(f"- {one}" for one in NOT_SHOWN)]
    lines += ["", "Which landmark is which", ""]
    lines += [f"{stage.landmark_ids[one.name]}  {one.name}, {one.country}, of {one.owner}" for one in LANDMARKS]
    lines += [
        "",
        "See for yourself",
        "",
        same(evidence),
        "",
        stranger(evidence),
        "",
        evidence.check,
        "",
        evidence.adjudicate,
        "",
        evidence.explain,
        "",
    ]
    path = folder / REPORT
    with whole_file(path) as file:
        file.write("\n".join(lines).encode())
    return path


def keep_running(stage: Stage, evidence: Evidence, *, silently: bool) -> None:
    """Say where everything is, and stay until Ctrl-C.

    Raises:
        Unavailable: a process has ended.
    """
    console = terminal.console(markup=False)
    agent, landmark = LOTS[0], LANDMARKS[0]
    lines = (
        "",
        "It runs on until Ctrl-C; the verifier goes on asking. In another terminal:",
        "",
        shlex.join(("lightbound", "verifier", "status", "--data", str(stage.verifier_data))),
        shlex.join(("lightbound", "agent", "show", "--data", str(stage.agent_data(agent)))),
        f"curl {stage.url}/v1/standings",
        f"curl {stage.url}/metrics",
        f"curl {stage.landmark_url}/metrics    # of the landmark {landmark.name}",
        shlex.join(("tail", "-f", str(stage.folder / "logs" / "verifier.log"))),
        evidence.explain,
        evidence.adjudicate,
    )
    for line in () if silently else lines:
        console.print(line, soft_wrap=True)
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            stage.processes.check()
            select.select([], [], [], 1.0)


def _files(evidence: Evidence, report: Path) -> dict[str, Path]:
    return {
        "report": report,
        "explanation": evidence.explanation,
        "map": evidence.map,
        "evidence": evidence.folder,
        "bundle": evidence.bundle,
    }
