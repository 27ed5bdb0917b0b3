# ruff: noqa: E501 - sentences stand as they are printed; figures in them make lines long
"""The page docs/results.md from the counts.

Every number in it comes out of them, and a sentence that claims something is only printed while the counts bear it out.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from results_data import BAD_HOSTS

from lightbound.adjudication.evaluation.shares import Share

Case = dict[str, Any]

ELSEWHERE: Final = {
    ("vacuum", 0): 85.3,
    ("vacuum", 1): 80.5,
    ("vacuum", 2): 77.9,
    ("fibre", 0): 91.1,
    ("fibre", 1): 82.6,
    ("fibre", 2): 81.1,
}
"""Percent of the hosts outside the mainland that single landmarks alone prove outside it, by a computation that shares
no code with this project: distances on a sphere with 0.56 % allowed for the ellipsoid, no border error."""

STRONGEST: Final = "joint"

CONFIDENCE: Final = 0.95
"""Of every interval on the page."""

ENOUGH_FOUND: Final = 0.95
"""Share of the liars seen that must be found."""

NUMBERS_TOLD: Final = (1, 2, 3, 5, 12, 30, 80)
NEARNESS_TOLD: Final = (0, 250, 500, 1000, 2000, 3000, 5000)


def page(results: dict[str, Any]) -> str:
    """The whole page."""
    return "\n".join(
        [
            HEAD.format(percent=f"{100 * CONFIDENCE:g} %"),
            *mesh_part(results),
            *clouds_part(results),
            *vetting_part(results),
            TAIL,
        ]
    )


HEAD: Final = """# Results on measured round trips

Made by `make results`; do not edit by hand. The counts behind every table are in
[results/results.json](results/results.json). A share stands as count/cases = percent (interval), the interval being
the exact binomial one at {percent}. It takes cases for independent; hosts that share landmarks and cables are less than
that, so read the intervals as too narrow rather than too wide.

## What was measured

| data | what | as landmarks and chips |
|---|---|---|
| mesh | a hosting company's full mesh of pings between its servers, 19 and 20 July 2020, published by WonderProxy; least of many per pair | every server is a chip; the servers outside mainland China are its landmarks; places are good to 20 km |
| clouds | the round trips between their own regions that two clouds have: AWS 2024-2025 (cloudping.co, median of a year), Azure 2025 (Microsoft, median of a month, in whole milliseconds, to which half a millisecond is added) | every region is a chip and a landmark; places are good to 30 km |

The mesh may not be passed on with this project; the page holds counts over both and no rows. Whoever has the data
rebuilds all of it with

    LIGHTBOUND_SHARED=FOLDER make results

where `FOLDER/data/rtt` holds `endpoints.csv`, `hosting_mesh_2020.csv.gz` and `cloud_regions_2025.csv.gz` with the columns
that `scripts/results_data.py` names. `.venv/bin/python scripts/make_results.py DIR` also leaves the files of each case in
`DIR`, where the commands below can be run on them.

Every landmark counts as its own fault unit. In truth one company runs the mesh and one company each cloud, so
that each is a single fault unit and, with a budget of 1, would prove nothing: a table with f = 1 says what as many *independent*
landmarks at these places would have proven.

Each chip is licensed for the circle of 25 km about its stated place, and mainland China (`CN`) is its excluded area.
"""

TAIL: Final = """
## What none of this shows

- Every chip here answered as fast as it could. A chip that delays its answers is never refuted, and a landmark that
  delays its answers is never found.
- Timing places a key, not a chip; see [theory](theory.md).
- The servers of one company and the regions of two clouds stand for themselves. What a fleet elsewhere could have
  proven is a matter of where its landmarks are.
"""


def mesh_part(results: dict[str, Any]) -> Iterable[str]:
    """Verdicts on the mesh."""
    mesh, bare = results["mesh"], results["mesh_border_error_0"]
    unvetted, vetted, own = results["mesh_unvetted"], results["mesh_vetted"], results["mesh_own_country"]
    yield f"""## The mesh: verdicts

{mesh["chips"]} servers, {mesh["landmarks"]} of them landmarks, {mesh["rows"]:,} readings. Five servers that are known to be wrong are left
out (see [vetting](#vetting)). **That is partly circular**: what is known of them
comes from readings of the same mesh, and a mesh that was cleaned by its own readings contradicts itself less than the next one will.

`lightbound evaluate readings DIR/mesh/measurements.csv --landmarks DIR/mesh/landmarks.csv --truth DIR/mesh/truth.csv`

*Truth kept*: the region holds the stated place. *Wrong*: a verdict that the stated place denies, `contradiction`
included. *Outside CN*: servers that truly are, proven so. *Elsewhere*: the same by single landmarks in a computation that
shares no code with this one. *In the mainland*: the three servers there, of which none may be proven outside.
"""
    yield table(
        ("speed", "f", "proof", "truth kept", "wrong", "outside CN", "elsewhere", "in the mainland, proven outside"),
        (
            (
                *case(item),
                share(item["truth_kept"]),
                str(wrong(item)),
                proven_outside(item),
                f"{ELSEWHERE[item['speed'], item['fault_budget']]:.1f} %",
                "{} of {}".format(*mainland(item)),
            )
            for item in mesh["outcomes"]
        ),
    )
    lost = [
        outside_count(without) - outside_count(with_error)
        for without, with_error in zip(bare["outcomes"], mesh["outcomes"], strict=True)
    ]
    for item in mesh["outcomes"]:
        hold(item["truth_kept"][0] == mesh["chips"], "every true place is kept")
        hold(wrong(item) == 0, "nothing is wrong")
        hold(mainland(item)[0] == 0, "nothing in the mainland is proven outside it")
        hold("within" not in item["excluded"]["truly_outside"], "nothing outside the mainland is proven within it")
    for item in bare["outcomes"]:
        elsewhere = (
            ELSEWHERE[item["speed"], item["fault_budget"]] / 100 * item["excluded"]["truly_outside"]["decided"][1]
        )
        hold(
            outside_count(item) >= round(elsewhere), "but for the border error, as many are proven outside as elsewhere"
        )
    yield f"""
No server was ever proven outside its circle of 25 km, none outside the mainland proven within it, and none got a
`contradiction`. The border error of {mesh["border"]["error_m"]} m costs {"no proof in any row" if not any(lost) else "the rows " + ", ".join(map(str, lost)) + " proofs"}.

### With the bad servers left in

All {unvetted["landmarks"]} servers outside the mainland are landmarks, the five bad ones too; chips are the {unvetted["chips"]} whose stated place is right.
"""
    yield table(
        ("speed", "f", "proof", "truth kept", "contradictions", "wrong verdicts", "outside CN"),
        (
            (
                *case(item),
                share(item["truth_kept"]),
                str(item["contradictions"]),
                str(wrong(item) - item["contradictions"]),
                proven_outside(item),
            )
            for item in unvetted["outcomes"]
        ),
    )
    budgets = {
        budget: [item for item in unvetted["outcomes"] if item["fault_budget"] == budget] for budget in (0, 1, 2)
    }
    for item in budgets[2]:
        hold(item["truth_kept"][0] == unvetted["chips"] and wrong(item) == 0, "with f = 2 nothing is wrong")
    hold(all(wrong(item) > item["contradictions"] > 0 for budget in (0, 1) for item in budgets[budget]), "f < 2 errs")
    yield f"""
With f = 2 every true place is kept and no verdict is wrong: no more than two of the bad landmarks exclude any one true place. With
a smaller budget more landmarks are wrong about some servers than it allows, the assumption `faults_within_budget` is false, and
verdicts on those servers are wrong, or void where the region is empty (`contradiction`).

### With the list that `vet` leaves

`lightbound vet` drops {results["vetting"]["mesh"]["landmarks"] - results["vetting"]["mesh"]["landmarks_left"]} servers without being told which are bad; {vetted["landmarks"]} landmarks are left outside the
mainland. **Vetting on the mesh that is then evaluated is partly circular**, as said above.
"""
    yield table(
        ("speed", "f", "proof", "truth kept", "wrong", "outside CN"),
        (
            (*case(item), share(item["truth_kept"]), str(wrong(item)), proven_outside(item))
            for item in vetted["outcomes"]
        ),
    )
    yield """
### Inside its own country

Each server licensed for its own country instead, as the border file draws its land. The sea is nearly always nearer than
the next landmark, and it is nobody's country, so that little can be proven.
"""
    yield own_country(own)
    hold(all(item["licensed"]["wrong"] == 0 for item in own["outcomes"]), "no country is wrong")
    yield from grown("mesh", own)


def clouds_part(results: dict[str, Any]) -> Iterable[str]:
    """Verdicts on the clouds."""
    clouds, own = results["clouds"], results["clouds_own_country"]
    yield f"""
## The clouds: verdicts

{clouds["chips"]} regions of two clouds, {clouds["rows"]:,} readings. A region is heard only by regions of its own cloud, and the
figures are medians, not least values: looser bounds than could be had. The {results["vetting"]["clouds"]["rows"]["measured_in_excluded_area"]} readings taken by regions that may stand
in the mainland, by their position error, are not believed.
"""
    yield table(
        ("speed", "f", "proof", "truth kept", "wrong", "outside CN"),
        (
            (*case(item), share(item["truth_kept"]), str(wrong(item)), proven_outside(item))
            for item in clouds["outcomes"]
        ),
    )
    for item in clouds["outcomes"]:
        hold(item["truth_kept"][0] == clouds["chips"] and wrong(item) == 0, "nothing is wrong of the clouds")
    yield """
### Inside its own country
"""
    yield own_country(own)
    yield from grown("clouds", own)


def own_country(own: Case) -> str:
    """Proofs that a chip is in the country it is in."""
    return table(
        ("speed", "f", "proof", "proven within its own country", "wrong"),
        ((*case(item), within(item["licensed"]), str(item["licensed"]["wrong"])) for item in own["outcomes"]),
    )


def grown(what: str, own: Case) -> Iterable[str]:
    """False claims, and fewer landmarks."""
    yield f"""
### False claims

Each chip claims a circle of {own["claim_radius_km"]:g} km so far from where it is, in a direction drawn by seed, and answers as fast as it can.
Refuted: proven outside the circle. (Proof `{STRONGEST}`; *alone* refutes {alone_too(own["false_claims"])}.)
"""
    yield by_budget(
        "km from the truth",
        (
            (
                f"{distance:g}",
                {key(item): share(item["refuted"]) for item in own["false_claims"] if item["distance_km"] == distance},
            )
            for distance in dict.fromkeys(item["distance_km"] for item in own["false_claims"])
        ),
    )
    yield f"""
![Share of false claims refuted against distance](results/{what}-refuted.svg)

### Number and nearness of landmarks

What is proven of the chips truly outside the excluded area if each is heard by so many of its landmarks only, drawn by seed for each chip; by
its nearest so many; by none nearer than so many km. (Proof `{STRONGEST}`.)
"""
    most = max(item["value"] for item in own["fewer_landmarks"] if item["choice"] == "random")
    rows = []
    for choice, name, told in (
        ("random", "{} at random", (*NUMBERS_TOLD, most)),
        ("nearest", "the nearest {}", (*NUMBERS_TOLD, most)),
        ("not_nearer", "none nearer than {} km", NEARNESS_TOLD),
    ):
        for value in told:
            found = [item for item in own["fewer_landmarks"] if item["choice"] == choice and item["value"] == value]
            if found:
                rows.append(
                    (
                        name.format(f"{value:g}"),
                        {key(item): share(item["excluded"]["truly_outside"]["decided"]) for item in found},
                    )
                )
    yield by_budget("landmarks left", rows)
    yield f"""
![Share decided against the number of landmarks](results/{what}-number.svg)

![Share decided against the nearness of landmarks](results/{what}-nearness.svg)"""


def vetting_part(results: dict[str, Any]) -> Iterable[str]:
    """Who is found, and trials of liars."""
    vetting = results["vetting"]
    yield """
## Vetting

What `lightbound vet` finds in the whole mesh and in the tables of the clouds, told nothing ([how](vetting.md)).

`lightbound vet DIR/vet-mesh/measurements.csv --landmarks DIR/vet-mesh/landmarks.csv --exclude-area CN`
"""
    names = {
        "mesh": "mesh, without rows measured in the mainland",
        "mesh_all_rows": "mesh, all rows",
        "mesh_fibre": "the first, at the assumption of 0.69 c",
        "mesh_fibre_all_rows": "the second, at 0.69 c",
        "clouds": "clouds",
    }
    yield table(
        ("readings", "pairs", "contradictions", "suspects (contradicted by)", "ambiguous"),
        (
            (
                name,
                f"{vetting[item]['pairs_measured']:,}",
                str(vetting[item]["contradictions"]),
                ", ".join(f"{s['landmark_id']} ({s['contradicted_by']})" for s in vetting[item]["suspects"]) or "none",
                "; ".join(
                    f"{g['at_least']} of " + ", ".join(" with ".join(part) for part in g["parts"])
                    for g in vetting[item]["ambiguous"]
                )
                or "none",
            )
            for item, name in names.items()
        ),
    )
    found = vetting["mesh"]
    hold(set(BAD_HOSTS) <= doubted(found), "the bad hosts are doubted")
    hold(not doubted(vetting["clouds"]), "nobody in the clouds is doubted")
    hold("wp:70" not in doubted(found) | doubted(vetting["mesh_fibre"]), "wp:70 is cleared")
    hold("wp:70" in doubted(vetting["mesh_fibre_all_rows"]), "wp:70 is accused by forged answers")
    doubtful = found["landmarks"] - found["landmarks_left"]
    yield f"""
Known beforehand to be bad: wp:220, wp:204, wp:3 or a neighbour 0.2 ms from it, wp:165, wp:190. All
five are among the suspects and ambiguous pairs, by contradicting pairs at the speed of light alone. Besides them
{doubtful - 5} of the other {found["landmarks"] - 5} are doubted ({100 * (doubtful - 5) / (found["landmarks"] - 5):.1f} %): the other halves of the two ambiguous pairs. wp:70 is honest; three hosts in the mainland measured it faster
than light goes in glass, because something answered in its place. At the assumption of 0.69 c it is a suspect if their
rows are believed and none if they are not.

### Liars

One server says it stands somewhere else, at least 500 km from where it is, and goes on answering as fast as it can.
*Seen*: its false place contradicts any reading at all. *Found*: it is a suspect, or in an ambiguous group.
"""
    yield table(
        ("mesh", "false place", "seen at all", "found, of those seen"),
        (
            (
                "after vetting" if item["vetted"] else "as it is, bad servers included",
                item["place"],
                share(item["contradicting"]),
                share(item["found_of_contradicting"]),
            )
            for item in results["liars"]
        ),
    )
    for item in results["liars"]:
        caught, seen = item["found_of_contradicting"]
        hold(caught >= ENOUGH_FOUND * seen, "liars that can be seen are found")
    hidden = [of - count for count, of in (item["contradicting"] for item in results["liars"])]
    yield f"""
Between {min(hidden)} and {max(hidden)} of {results["liars"][0]["trials"]:,} liars contradict nothing: they stand where few others are near, or say they do. Nothing in the
readings could find those. Where the mesh already holds bad servers, a liar that contradicts only one of them is explained by
it, and is not found."""


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of Markdown."""
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def by_budget(head: str, rows: Iterable[tuple[str, dict[tuple[str, int], str]]]) -> str:
    """A row for each value, a column for each speed and fault budget."""
    rows = list(rows)
    columns = list(rows[0][1])
    heads = [head, *(f"{'c' if speed == 'vacuum' else '0.69 c'}, f = {budget}" for speed, budget in columns)]
    return table(heads, ([name, *(cells[column] for column in columns)] for name, cells in rows if cells))


def key(item: Case) -> tuple[str, int]:
    """Speed and budget; the strongest proof comes last and stays."""
    return item["speed"], item["fault_budget"]


def case(item: Case) -> tuple[str, str, str]:
    """The choice of settings."""
    return item["speed"], str(item["fault_budget"]), item["proof_allowed"]


def share(told: Sequence[int]) -> str:
    """A share as the head of the page says."""
    return Share(count=told[0], of=told[1]).told(confidence=CONFIDENCE)


def wrong(item: Case) -> int:
    """Verdicts that the truth denies, and contradictions."""
    return int(item["licensed"]["wrong"] + item["excluded"]["wrong"] + item["contradictions"])


def outside_count(item: Case) -> int:
    """Chips truly outside the excluded area that are proven so."""
    return int(item["excluded"]["truly_outside"].get("outside", 0))


def proven_outside(item: Case) -> str:
    """Share of the chips truly outside the excluded area that are proven so."""
    return share((outside_count(item), item["excluded"]["truly_outside"]["decided"][1]))


def mainland(item: Case) -> tuple[int, int]:
    """Chips in the excluded area, or too near its border to tell: how many are proven outside it, and how many are."""
    sides = [item["excluded"][side] for side in ("truly_inside", "truly_unsure")]
    return sum(side.get("outside", 0) for side in sides), sum(side["decided"][1] for side in sides)


def within(question: Case) -> str:
    """Share proven within."""
    proven = sum(question[f"truly_{side}"].get("within", 0) for side in ("inside", "outside", "unsure"))
    return share((proven, question["decided"][1]))


def doubted(finding: Case) -> set[str]:
    """Suspects, and everybody in an ambiguous group."""
    groups = {name for group in finding["ambiguous"] for part in group["parts"] for name in part}
    return groups | {suspect["landmark_id"] for suspect in finding["suspects"]}


def alone_too(claims: Sequence[Case]) -> str:
    """How far the claims that `alone` refutes fall short of those that `joint` does."""
    refuted = {(item["proof_allowed"], *key(item), item["distance_km"]): item["refuted"][0] for item in claims}
    fewer = [count - refuted["alone", *where] for (proof, *where), count in refuted.items() if proof == STRONGEST]
    return (
        "as many everywhere"
        if not any(fewer)
        else f"fewer in {sum(map(bool, fewer))} of {len(fewer)} cells, by {max(fewer)} at most"
    )


def hold(holds: object, claim: str) -> None:
    """Stop before a page is written that says what is not so."""
    if not holds:
        raise SystemExit(f"results: no longer true, so the page must be written anew: {claim}")
