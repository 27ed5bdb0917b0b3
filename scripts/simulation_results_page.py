# ruff: noqa: E501 - sentences stand as they are printed; figures in them make lines long
"""The page docs/simulation-results.md from the counts.

Every number in it comes out of them, and a sentence that claims something is only printed while the counts bear it out.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from lightbound.adjudication.evaluation.shares import Share

CONFIDENCE: Final = 0.95

BROKEN: Final = {
    "aimed-from-four-places": "`one_key_one_place`",
    "aimed-from-two-places": "`one_key_one_place`",
    "copied-to-four-places": "the key is beside the chip",
    "copied-to-two-places": "the key is beside the chip",
    "landmarks-beyond-the-budget": "`faults_within_budget`: two units lie, one was allowed for",
    "landmarks-misplaced-beyond-the-budget": "`faults_within_budget`: three units lie, one was allowed for",
    "one-owner-under-many-names": "`faults_within_budget`: three owners that are one",
    "proxied": "the key is beside the chip",
    "two-faced": "the key is beside the chip",
}
"""Scenarios in which something is false, and the assumption that each breaks."""

ENGINES: Final = ("packets", "statistics")
PROOFS: Final = ("alone", "joint")
VERDICTS: Final = ("within", "outside")

Counts = dict[str, Any]


def page(results: dict[str, Any]) -> str:
    """The whole page."""
    hold(results)
    return "\n".join([*head(results), *broken(results), *kept(results), *messages(results), TAIL])


def head(results: dict[str, Any]) -> Iterable[str]:
    """How it was made."""
    seeds, worlds = results["seeds"], results["packet_worlds"]
    sessions = {engine: sum(one["sessions"] for _, one in runs(results, engine)) for engine in ENGINES}
    yield f"""# Results of simulations

Made by `make results`, or `.venv/bin/python scripts/make_simulation_results.py`; do not edit by hand. The counts are in
[results/simulation.json](results/simulation.json). What the worlds are, and what they leave out: [simulation](simulation.md).
Who is protected against what: [the threat model](threat-model.md).

Every scenario that ships with the package was run by the packet engine in {worlds} worlds, seeds {seeds[0]} to {seeds[worlds - 1]}, and asked
each host of a world once. Those whose cheat is not in single packets were also run by the statistic engine in {len(seeds)} worlds,
seeds {seeds[0]} to {seeds[-1]}. In all {sessions["packets"]:,} sessions by packets and {sessions["statistics"]:,} by statistics. By hand, the first world of a
scenario:

    lightbound simulate proxied --seed {seeds[0]} --sessions 56

Each scenario was as it says that it must be, in each world.

A share stands as count/cases = percent (interval). The interval is the exact binomial one at {100 * CONFIDENCE:g} % (Clopper and Pearson),
and takes cases for independent. Sessions of one world share its landmarks and cables, and the statistic engine asks each host many
times: read the intervals as too narrow rather than too wide. The scenarios are chosen, not drawn from anything: a rate
says how often this cheat works in these worlds, not how often anybody meets it.

*Decided*: the standing is neither `undetermined` nor `contradiction`. *Misled about the key*: at least one of the two
verdicts is not true of any copy of the key. *Misled about the chip*: at least one is not true of the chip.
"""


def broken(results: dict[str, Any]) -> Iterable[str]:
    """The published false-verdict rates."""
    yield """## Where an assumption is broken

These are the rates of false verdicts. Nothing in the protocol stops them: [the threat model](threat-model.md) says what is
left to each. Of a chip within 2 km of a border or coast no verdict is called false, so that a proxy at the site does not
mislead in every session.
"""
    yield table(
        (
            "scenario",
            "what is broken",
            "engine",
            "sessions",
            "decided",
            "misled about the key",
            "misled about the chip",
        ),
        (
            (
                f"`{name}`",
                BROKEN[name],
                engine,
                f"{one['sessions']:,}",
                share(one["decided"], one["sessions"]),
                share(one["misled_about_key"], one["sessions"]),
                share(one["misled_about_chip"], one["sessions"]),
            )
            for name, engine, one in lines(results, set(BROKEN))
        ),
    )
    yield "\nBy proof. Shares are of the verdicts that have this proof.\n"
    yield by_proof(results, set(BROKEN))
    yield f"""
No false verdict of the key is `alone` unless more fault units lie than were allowed for: in {", ".join(f"`{name}`" for name in BROKEN if "alone" in sound(results, name))} it is 0.
"""


def kept(results: dict[str, Any]) -> Iterable[str]:
    """Where the assumptions hold: nothing is false."""
    names = set(results["scenarios"]) - set(BROKEN)
    total = {
        engine: sum(one["sessions"] for _, which, one in lines(results, names) if which == engine) for engine in ENGINES
    }
    yield f"""## Where the assumptions hold

No verdict was false, of the key or of the chip: in 0 of {total["packets"]:,} sessions by packets ({below(total["packets"])}), and 0 of {total["statistics"]:,} by statistics
({below(total["statistics"])}). *Below* is the upper end of the interval for each line by itself.
"""
    yield table(
        ("scenario", "engine", "sessions", "decided", *headings(), "misled", "below"),
        (
            (
                f"`{name}`",
                engine,
                f"{one['sessions']:,}",
                share(one["decided"], one["sessions"]),
                *proven(one),
                "0",
                below(one["sessions"]).removeprefix("below "),
            )
            for name, engine, one in lines(results, names)
        ),
    )
    yield """
Where nothing was decided, the cheat is left with `undetermined`. Had it got through, it would have made round trips short,
and verdicts false: `one-owner-of-many-landmarks` is `one-owner-under-many-names` with owners that are told, and nothing else.
"""


def messages(results: dict[str, Any]) -> Iterable[str]:
    """What became of messages that were cheats."""
    yield """## What was refused

By the packet engine, in the same sessions; scenarios in which anything was. An *abort* is a landmark that concludes
nothing, and says why. A sequence is *broken* if what is shown of it has a gap, a fork or a wrong link.
"""
    rows = []
    for name, engine, one in lines(results, set(results["scenarios"])):
        told = (codes(one["sessions_refused"]), codes(one["landmarks_refused"]), codes(one["aborts"]))
        numbers = (one["measurements"] - one["acknowledged"], one["absent"], one["silent"], one["broken_sequences"])
        if engine == "packets" and (any(told) or any(numbers)):
            rows.append(
                (f"`{name}`", f"{one['sessions']:,}", *told, *(f"{number:,}" if number else "" for number in numbers))
            )
    yield table(
        (
            "scenario",
            "sessions",
            "sessions refused",
            "landmarks refused",
            "aborts",
            "not acknowledged",
            "absent",
            "silent",
            "broken sequences",
        ),
        rows,
    )


TAIL: Final = """
## What none of this shows

- A simulated world holds the cheats that somebody thought of. [The threat model](threat-model.md) lists those, and what
  is not simulated at all: attestation, the log, real sockets.
- Here a landmark's position, the border and the speed of light are right. On measured data, see [results](results.md).
"""


def hold(results: dict[str, Any]) -> None:
    """Stop where the page would claim what the counts deny."""
    for name, engine, one in lines(results, set(results["scenarios"])):
        where = f"{name} by {engine}"
        for proof in sound(results, name):
            claim(not one["false_of_key"].get(proof), f"{where}: no false {proof} verdict of the key")
        false = one["misled_about_key"] or one["misled_about_chip"] or one["false_of_key"] or one["false_of_chip"]
        claim(name in BROKEN or not false, f"{where}: nothing is false")
        claim(name not in BROKEN or bool(false), f"{where}: something is false")
        for key in ("false_of_key", "false_of_chip"):
            for proof, count in one[key].items():
                claim(count <= of_proof(one, proof), f"{where}: no more false verdicts than verdicts")
    claim(
        sum(one["sessions"] for _, one in runs(results, "statistics")) >= 1_000_000, "a million sessions by statistics"
    )
    claim(
        all(one["sessions"] >= 500 for _, one in runs(results, "packets")), "500 sessions of each scenario by packets"
    )


def claim(holds: bool, what: str) -> None:  # noqa: FBT001 - reads as the sentence that it is
    """Stop unless it holds."""
    if not holds:
        raise SystemExit(f"no longer true: {what}")


def runs(results: dict[str, Any], engine: str) -> list[tuple[str, Counts]]:
    """The counts of all worlds by scenario, where an engine ran it."""
    return [(name, one[engine]["all"]) for name, one in results["scenarios"].items() if engine in one]


def lines(results: dict[str, Any], names: set[str]) -> list[tuple[str, str, Counts]]:
    """Scenario, engine and counts, in the order of names."""
    return [
        (name, engine, results["scenarios"][name][engine]["all"])
        for name in results["scenarios"]
        if name in names
        for engine in ENGINES
        if engine in results["scenarios"][name]
    ]


def sound(results: dict[str, Any], name: str) -> list[str]:
    """Proofs whose assumptions hold in a scenario."""
    told: list[str] = results["scenarios"][name]["sound"]
    return told


def by_proof(results: dict[str, Any], names: set[str]) -> str:
    """Verdicts by proof, and what is false of them."""
    return table(
        (
            "scenario",
            "engine",
            *headings(),
            *(f"`{proof}`, false of the {what}" for proof in PROOFS for what in ("key", "chip")),
        ),
        (
            (
                f"`{name}`",
                engine,
                *proven(one),
                *(
                    share(one[f"false_of_{what}"].get(proof, 0), of_proof(one, proof))
                    for proof in PROOFS
                    for what in ("key", "chip")
                ),
            )
            for name, engine, one in lines(results, names)
        ),
    )


def headings() -> list[str]:
    """Of the columns of `proven`."""
    return [f"{verdict} {proof}" for proof in PROOFS for verdict in VERDICTS]


def proven(one: Counts) -> list[str]:
    """Numbers of verdicts by word and proof."""
    return [f"{one['proven'].get(heading, 0):,}" for heading in headings()]


def of_proof(one: Counts, proof: str) -> int:
    """Verdicts that have a proof."""
    return sum(one["proven"].get(f"{verdict} {proof}", 0) for verdict in VERDICTS)


def share(count: int, of: int) -> str:
    """A share as it stands in a table: none, or with its interval."""
    if not of:
        return "none given"
    low, high = Share(count=count, of=of).interval(confidence=CONFIDENCE)
    ends = f"{percent(low, of)}-{percent(high, of)}"
    return f"{count:,}/{of:,} = {percent(count / of, of)} % ({ends})"


def percent(part: float, of: int) -> str:
    """Percent, to two places where there are many cases and one otherwise."""
    return f"{100 * part:.{2 if of >= 10_000 else 1}f}"


def below(cases: int) -> str:
    """What a rate is below if it was none of so many."""
    return f"below {100 * Share(count=0, of=cases).interval(confidence=CONFIDENCE)[1]:.2g} %"


def codes(counted: dict[str, int]) -> str:
    """Codes with how often each."""
    return ", ".join(f"{count:,} `{code}`" for code, count in counted.items())


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of markdown."""
    marks = ["|" + "|".join("---" for _ in head) + "|"]
    return "\n".join(["| " + " | ".join(head) + " |", *marks, *("| " + " | ".join(row) + " |" for row in rows)])
