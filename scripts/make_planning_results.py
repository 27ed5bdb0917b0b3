"""Rebuild the figures of docs/planning.md from the evaluation data: the plan for 48 cities, and how plans come true.

    .venv/bin/python scripts/make_planning_results.py [--check]

What is written are counts and reckoned distances, never a row of the data. Equal data and an equal tree give
equal bytes. `--check` writes nothing and exits with 1 where the page differs. Besides what `results_data` lists the
data folder must hold

    rtt/ripe_atlas_anchors_2022.csv          candidates: atlas_anchor_id, lat, lon, country, asn
    rtt/city_thresholds_mainland_china.csv   sites: city, lat, lon, km_to_mainland_china, max_rtt_ms_vacuum
"""

import csv
import sys
import tempfile
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from planning_trials import Trials
from results_data import BAD_HOSTS, MAINLAND, ROOT, DataSet, data_folder, read_mesh

from lightbound.adjudication.planning.delays import Fit
from lightbound.adjudication.planning.obstacles import Obstacle, Why
from lightbound.adjudication.planning.optimum import LeastBy
from lightbound.adjudication.planning.pairs import points_of
from lightbound.adjudication.planning.scene import SLACK_M, distances_to_edges
from lightbound.files.planning_dossier import Choices, plan_from_files, read_fit
from lightbound.files.plans import PlanReport, Stated
from lightbound.geo.areas import parse_area
from lightbound.geo.borders import packaged_borders
from lightbound.geo.earth import Position
from lightbound.geo.shapes import Area, area_of
from lightbound.ranging.bounds import Speed
from lightbound.ranging.readings import Landmark
from lightbound.units import SPEED_OF_LIGHT_M_PER_S

PAGE: Final = ROOT / "docs/planning.md"
BEGIN: Final = "<!-- figures: made by scripts/make_planning_results.py, do not edit by hand -->\n"
END: Final = "<!-- end of figures -->\n"

EXCLUDED: Final = "CN+HK+MO"
ERROR_M: Final = 10_000.0
"""Of cities and of anchors: both are known by the name of a city and coordinates in it."""
COST: Final = 25_000.0
CHIPS: Final = 3_000_000.0
CONFIDENCE: Final = 0.95
QUANTILES: Final = (0.1, 0.25, 0.5, 0.9)
QUICK: Final = Stated(slowness=1.7, overhead_ms=0.3)
"""Hardly anybody is quicker: the fastest pair of the mesh runs at 0.61 c, which is 1.64 times light's round trip."""

SPLITS: Final = 20
WORDS: Final = {
    Why.MAY_BE_BEYOND: "never",
    Why.TOO_SLOW_ANYWHERE: "too slow",
    Why.TOO_FEW_UNITS: "too few",
}


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan for the cities under one expectation of round trips."""

    name: str
    report: PlanReport


def main() -> None:
    """All figures, or nothing where the data is missing."""
    data = data_folder()
    if data is None:
        raise SystemExit("planning: the evaluation data is not here; say LIGHTBOUND_SHARED=FOLDER")
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    with tempfile.TemporaryDirectory() as folder:
        made = before + BEGIN + "\n".join(figures(data, Path(folder))) + "\n" + END + after
    if "--check" in sys.argv[1:]:
        raise SystemExit(0 if made == page else f"{PAGE.name} is not what this script makes of the data")
    PAGE.write_text(made, encoding="utf-8")


def figures(data: Path, work: Path) -> Iterator[str]:
    """The lines between the two marks."""
    mesh = read_mesh(data)
    write_cities(data, work)
    fits = {quantile: fit_of(mesh, work, quantile) for quantile in QUANTILES}
    planned = [Planned(f"{QUICK.slowness:g} x and {QUICK.overhead_ms:g} ms", plan_of(work, QUICK))]
    planned += [Planned(f"{quantile:.0%} quantile", plan_of(work, fit)) for quantile, fit in fits.items()]
    yield from expected_section(fits)
    yield from plans_section(planned)
    yield from budget_section(work, fits[0.1])
    yield from reach_section(planned)
    yield from thresholds_section(data)
    yield from truth_section(mesh)


def write_cities(data: Path, work: Path) -> None:
    """Sites and candidates under the names that the command reads."""
    cities = read_csv(data / "rtt/city_thresholds_mainland_china.csv")
    write_csv(
        work / "cities.csv",
        ("site_id", "latitude", "longitude", "excluded_area"),
        [(row["city"], row["lat"], row["lon"], EXCLUDED) for row in cities],
    )
    anchors = read_csv(data / "rtt/ripe_atlas_anchors_2022.csv")
    write_csv(
        work / "anchors.csv",
        ("candidate_id", "latitude", "longitude", "country", "fault_unit"),
        [(row["atlas_anchor_id"], row["lat"], row["lon"], row["country"], row["asn"]) for row in anchors],
    )


def fit_of(mesh: DataSet, work: Path, quantile: float) -> Fit:
    """Round trips by distance, from the mesh without its bad hosts and without what was measured in the mainland."""
    names = [name for name in mesh.endpoints if name not in BAD_HOSTS]
    write_csv(
        work / "hosts.csv",
        ("landmark_id", "latitude", "longitude", "position_error_m"),
        [(name, (at := mesh.endpoints[name]).latitude, at.longitude, at.error_m) for name in names],
    )
    write_csv(work / "mesh.csv", ("landmark_id", "chip_id", "round_trip_ms"), honest_rows(mesh, names))
    fit, _ = read_fit(
        work / "mesh.csv", measured_by=work / "hosts.csv", places=None, quantile=quantile, confidence=CONFIDENCE
    )
    return fit


def honest_rows(mesh: DataSet, names: Sequence[str]) -> list[tuple[str, str, str]]:
    """Rows among these hosts, none measured in the mainland."""
    known = set(names)
    return [row for row in mesh.rows if {row[0], row[1]} <= known and mesh.endpoints[row[0]].country != MAINLAND]


def plan_of(work: Path, delays: Stated | Fit, fault_budget: int = 1) -> PlanReport:
    """The plan for the 48 cities."""
    report, _ = plan_from_files(
        work / "cities.csv",
        work / "anchors.csv",
        standing=None,
        costs=None,
        delays=delays,
        choices=Choices(
            speed=Speed.VACUUM,
            fault_budget=fault_budget,
            independent_landmarks=False,
            border_error_m=None,
            site_error_m=ERROR_M,
            candidate_error_m=ERROR_M,
            landmark_cost=COST,
            chips=CHIPS,
            percents=(50.0, 80.0, 95.0),
        ),
    )
    return report


def expected_section(fits: dict[float, Fit]) -> Iterator[str]:
    """What round trips over some distances are expected to take."""
    any_fit = next(iter(fits.values()))
    yield "### Expected round trips"
    yield ""
    yield from paragraph(
        f"Milliseconds above light's own round trip, from {any_fit.pairs:,} pairs of the mesh that "
        "[results.md](results.md) describes, without its five bad hosts and without what was measured in the mainland; "
        f"with the {CONFIDENCE:.0%} interval. No pair is faster than light."
    )
    assert any_fit.impossible == 0  # noqa: S101 - the sentence above says so
    yield f"| km | pairs | least | {' | '.join(f'{quantile:.0%} quantile' for quantile in fits)} |"
    yield "|---" * (3 + len(fits)) + "|"
    for number, one in enumerate(any_fit.classes):
        cells = [
            f"{of.excess_ns / 1e6:.1f} ({of.low_ns / 1e6:.1f}-{of.high_ns / 1e6:.1f})"
            for of in (fit.classes[number] for fit in fits.values())
        ]
        yield (
            f"| {one.nearest_m / 1e3:,.0f}-{one.farthest_m / 1e3:,.0f} | {one.pairs:,} "
            f"| {one.least_excess_ns / 1e6:.1f} | {' | '.join(cells)} |"
        )
    yield ""


def plans_section(planned: Sequence[Planned]) -> Iterator[str]:
    """How many landmarks, at what cost, and how good the plan is."""
    yield "### 48 cities, 783 candidates, one fault unit may lie"
    yield ""
    yield from paragraph(
        f"Sites are 48 cities with data centres, excluded is `{EXCLUDED}`, candidates are the RIPE Atlas anchors of "
        f"2022, whose network (ASN) is the fault unit. Cities and anchors are known to {ERROR_M / 1e3:g} km, borders "
        f"to 2 km, and f = 1. A landmark costs ${COST:,.0f} a year and {CHIPS:,.0f} chips share the cost, so that "
        f"each landmark is ${COST / CHIPS:.4f} per chip-year. Columns with a percentage: landmarks for that share of "
        "what is provable."
    )
    yield (
        "| round trips expected | provable | of these, at the interval's ends | 50 % | 80 % | 95 % | all "
        "| per chip-year at 95 % | optimality gap |"
    )
    yield "|---|---|---|---|---|---|---|---|---|"
    for one in planned:
        made = one.report.plan
        between = "-" if made.weight_between is None else "{:g} to {:g}".format(*made.weight_between)
        counts = " | ".join(str(len(target.places)) for target in made.targets)
        cost = one.report.per_chip(made.targets[-1].cost)
        yield (
            f"| {one.name} | {made.weight_provable:g} of 48 | {between} | {counts} | {len(made.order)} "
            f"| ${cost:.2f} | {gaps(one.report)} |"
        )
    yield ""
    published = [12 * COST / CHIPS, 500 * COST / CHIPS]
    yield from paragraph(
        "The optimality gap is the worst of the three targets: no choice of candidates whatever does with less. A "
        "published model (CSET, 2026) puts the cost at $0.75 to $24 per chip-year for 12 to 500 landmarks. At "
        f"${COST:,.0f} a landmark, 12 and 500 of them come to ${published[0]:.2f} and ${published[1]:.2f}: that "
        "model must hold more than landmarks, or dearer ones. What is counted here is landmarks and nothing else."
    )


def gaps(report: PlanReport) -> str:
    """The gaps of all targets, and how they are known."""
    by = {target.least.by for target in report.plan.targets}
    worst = max(target.gap or 0.0 for target in report.plan.targets)
    known = "exact" if by == {LeastBy.EXACT} else "bound"
    return f"{worst:.1%} ({known})"


def budget_section(work: Path, fit: Fit) -> Iterator[str]:
    """What each further fault unit that may lie costs."""
    yield "### What a fault budget costs"
    yield ""
    yield f"The same, with the {fit.quantile:.0%} quantile:"
    yield ""
    yield "| f | provable | 50 % | 80 % | 95 % | all | per chip-year at 95 % | optimality gap |"
    yield "|---|---|---|---|---|---|---|---|"
    for fault_budget in (0, 1, 2):
        report = plan_of(work, fit, fault_budget)
        counts = " | ".join(str(len(target.places)) for target in report.plan.targets)
        cost = report.per_chip(report.plan.targets[-1].cost)
        yield (
            f"| {fault_budget} | {report.plan.weight_provable:g} of 48 | {counts} | {len(report.plan.order)} "
            f"| ${cost:.2f} | {gaps(report)} |"
        )
    yield ""


def reach_section(planned: Sequence[Planned]) -> Iterator[str]:
    """Which cities cannot be proven, under which expectation, and why."""
    yield "### Cities out of reach, and why"
    yield ""
    yield from paragraph(
        "*Needed*: the greatest round trip that would prove the city outside from a landmark at its very middle. By "
        "the triangle inequality it is also the most that a round trip to a landmark anywhere may take above light's "
        "own. **never**: no landmark can prove it, whatever the round trip. **too slow**: what is expected is too "
        "slow from everywhere. **too few**: a landmark near enough would do, and fewer than two networks have an "
        "anchor there."
    )
    yield f"| city | km to the border | needed, ms | {' | '.join(one.name for one in planned)} |"
    yield "|---" * (3 + len(planned)) + "|"
    found: list[dict[int, Obstacle]] = [
        {obstacle.goal: obstacle for obstacle in one.report.plan.obstacles} for one in planned
    ]
    report = planned[0].report
    scene = report.plan.scene
    for goal in np.argsort(scene.goal_to_edge_m, kind="stable").tolist():
        if not any(goal in of for of in found):
            continue
        edge_m = float(scene.goal_to_edge_m[goal])
        away = f"{edge_m / 1e3:,.0f}" if edge_m > 0 else "inside"
        needed = f"{(edge_m - SLACK_M) * 2e3 / SPEED_OF_LIGHT_M_PER_S:.2f}" if edge_m > SLACK_M else "-"
        states = [WORDS[of[goal].why] if goal in of else "provable" for of in found]
        name = report.sites[scene.goals[goal].site].site_id
        yield f"| {name} | {away} | {needed} | {' | '.join(states)} |"
    yield ""


def thresholds_section(data: Path) -> Iterator[str]:
    """Our distances beside those of an independent computation."""
    rows = read_csv(data / "rtt/city_thresholds_mainland_china.csv")
    points = points_of([Position(float(row["lat"]), float(row["lon"])) for row in rows])
    mainland, more = (drawn(text, border_error_m=0.0) for text in (MAINLAND, EXCLUDED))
    ours_km = (distances_to_edges(points, [mainland, more])[:, [0, 2]] + 15.0) / 1e3
    theirs_ms = np.array([float(row["max_rtt_ms_vacuum"]) for row in rows])
    theirs_km = theirs_ms * SPEED_OF_LIGHT_M_PER_S / 2e6
    less = 1.0 - ours_km[:, 0] / theirs_km
    far = theirs_km > 50.0
    changed = [row["city"] for row, (of, with_more) in zip(rows, ours_km, strict=True) if with_more < of - 0.05]
    yield "### Beside an independent computation"
    yield ""
    yield from paragraph(
        "The evaluation data holds the same thresholds for these cities from a computation that shares no code with "
        "this one: distances to the mainland on a sphere of 6,371 km, no border error, no slack. For the "
        f"{int(far.sum())} cities farther than 50 km ours, for `{MAINLAND}` and without the border error, are "
        f"{less[far].min():.2%} to {less[far].max():.2%} shorter; the two nearer ones differ by less than 0.3 km. "
        "That is the shape of the Earth: "
        "ours are least lengths of any path, also of one that cuts the corner 12.3 km deep, because a verdict needs "
        "them. Laid on their sphere, our border gives their distances to within 0.3 km (a test does that), so "
        f"neither another version of the map nor islets move any of these thresholds. With `{EXCLUDED}`, "
        f"{' and '.join(changed)} come to lie in the excluded area, and no other city's nearest border changes. The "
        "border error of 2 km then takes 0.013 ms off every threshold."
    )


def truth_section(mesh: DataSet) -> Iterator[str]:
    """How often what a plan expects is what was measured, on hosts that the expectation was not fitted to."""
    yield "### Do plans come true?"
    yield ""
    yield from paragraph(
        f"The mesh has what a plan has not: the round trips. {SPLITS} times its hosts were parted at random into two "
        "halves. Round trips by distance were fitted to the one; a plan was made for the other (its hosts outside "
        f"`{MAINLAND}` as sites and as candidates, f = 1, every host its own fault unit, none for itself) and held "
        "against what its hosts measured. *Pairs*: of the pairs of a candidate and a site that were expected to be a "
        "proof, how many are. *Sites*: of the sites that the plan's landmarks were expected to prove, how many they "
        "do. *Foreseen*: of the sites that the measurements of all candidates prove, how many the plan took for "
        "provable. Medians over the partings, and the least and the greatest."
    )
    yield "| quantile | pairs that come true | sites that come true | foreseen |"
    yield "|---|---|---|---|"
    hosts = [
        Landmark(
            landmark_id=name,
            position=Position(float((at := mesh.endpoints[name]).latitude), float(at.longitude)),
            position_error_m=float(at.error_m),
        )
        for name in mesh.endpoints
        if name not in BAD_HOSTS
    ]
    rows = [(by, to, float(ms)) for by, to, ms in honest_rows(mesh, [host.landmark_id for host in hosts])]
    trials = Trials(hosts, rows, excluded=drawn(MAINLAND, border_error_m=2000.0), confidence=CONFIDENCE)
    for quantile in QUANTILES:
        outcomes = [trials.outcome(np.random.default_rng(seed), quantile) for seed in range(SPLITS)]
        cells = [
            f"{np.median(shares):.0%} ({min(shares):.0%}-{max(shares):.0%})"
            for shares in zip(*((one.pairs, one.sites, one.foreseen) for one in outcomes), strict=True)
        ]
        yield f"| {quantile:.0%} | {' | '.join(cells)} |"
    yield ""


def paragraph(content: str) -> Iterator[str]:
    """Running text, broken into lines, and the empty line after it."""
    yield from textwrap.wrap(content, 118, break_long_words=False, break_on_hyphens=False)
    yield ""


def drawn(text: str, *, border_error_m: float) -> Area:
    """The area that a text means."""
    return area_of(parse_area(text), borders=packaged_borders(), drawings={}, border_error_m=border_error_m)


def read_csv(path: Path) -> list[dict[str, str]]:
    """All rows."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write_csv(path: Path, head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A file that the command reads."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(rows)


if __name__ == "__main__":
    main()
