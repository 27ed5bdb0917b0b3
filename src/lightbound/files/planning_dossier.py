"""The files that belong to one plan, and the plan that follows from them."""

from dataclasses import dataclass
from pathlib import Path

from lightbound.adjudication.planning.delays import Fit, fitted, slowness
from lightbound.adjudication.planning.plan import plan
from lightbound.adjudication.planning.scene import Terms
from lightbound.adjudication.verdicts import BorderUsed
from lightbound.errors import ErrorCode, Fault, Malformed
from lightbound.files.dossier import AreaMaker
from lightbound.files.landmarks import landmark_columns_ignored, read_landmarks
from lightbound.files.places import read_pairs
from lightbound.files.planning import CANDIDATES, SITES, read_candidates, read_costs, read_sites
from lightbound.files.plans import PlanReport, Stated
from lightbound.files.tables import columns_ignored
from lightbound.geo.borders import DEFAULT_BORDER_ERROR_M, packaged_borders
from lightbound.ranging.bounds import Speed


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What whoever asks for a plan decides."""

    speed: Speed
    fault_budget: int
    independent_landmarks: bool
    border_error_m: int | None
    site_error_m: float
    candidate_error_m: float
    landmark_cost: float
    chips: float | None
    percents: tuple[float, ...]


def read_fit(
    measurements: Path, *, measured_by: Path, places: Path | None, quantile: float, confidence: float
) -> tuple[Fit, list[str]]:
    """Round trips to be expected by distance, fitted to measured ones; and what a person should know of them.

    Raises:
        Malformed: a file, or there is no pair of known places that light could have measured.
        Unavailable: a file cannot be read.
    """
    pairs, unplaced = read_pairs(measurements, measured_by=measured_by, places=places)
    fit = fitted(pairs, quantile=quantile, confidence=confidence)
    if fit is None:
        raise Malformed(
            Fault(
                code=ErrorCode.VALUE_OUT_OF_RANGE,
                expected="round trips that light could have made between the stated places",
                found="none",
                file=str(measurements),
                next="check units and places",
            )
        )
    notes = []
    if unplaced:
        notes.append(f"{unplaced:,} rows of {measurements} are about hosts whose place is not known")
    if fit.impossible:
        notes.append(
            f"{fit.impossible:,} pairs of {measurements} are faster than light between their stated places and were "
            "left out: vet the landmarks"
        )
    return fit, notes


def plan_from_files(
    sites: Path,
    candidates: Path,
    *,
    standing: Path | None,
    costs: Path | None,
    delays: Stated | Fit,
    choices: Choices,
) -> tuple[PlanReport, list[str]]:
    """The plan for the sites of a file, with all that it rests on; and what a person should know of the files.

    Raises:
        Malformed: a file, with the first of its faults by line and the count of all.
        Unavailable: a file cannot be read.
    """
    borders = packaged_borders()
    error_m = int(DEFAULT_BORDER_ERROR_M) if choices.border_error_m is None else choices.border_error_m
    asked = read_sites(
        sites, make=AreaMaker(chips=sites, borders=borders, border_error_m=error_m), error_m=choices.site_error_m
    )
    stated_costs = {} if costs is None else read_costs(costs)
    offered = read_candidates(
        candidates, costs=stated_costs, cost=choices.landmark_cost, error_m=choices.candidate_error_m
    )
    there = () if standing is None else read_landmarks(standing)
    terms = Terms(
        delays=slowness(delays.slowness, overhead_ms=delays.overhead_ms)
        if isinstance(delays, Stated)
        else delays.delays,
        speed=choices.speed,
        fault_budget=choices.fault_budget,
        independent_landmarks=choices.independent_landmarks,
    )
    made = plan(
        asked.sites,
        offered,
        standing=there,
        areas=asked.areas,
        terms=terms,
        between=None if isinstance(delays, Stated) else (delays.high, delays.low),
        percents=choices.percents,
    )
    notes = [
        f"columns of {path} that were not looked at: {', '.join(ignored)}"
        for path, ignored in (
            (sites, columns_ignored(sites, SITES)),
            (candidates, columns_ignored(candidates, CANDIDATES)),
            *(() if standing is None else ((standing, landmark_columns_ignored(standing)),)),
        )
        if ignored
    ]
    unknown = stated_costs.keys() - {candidate.landmark.landmark_id for candidate in offered}
    if unknown:
        notes.append(f"{len(unknown):,} rows of {costs} are about candidates that {candidates} does not list")
    weights = sum(site.weight for site in asked.sites) if asked.weighted else None
    return (
        PlanReport(
            plan=made,
            terms=terms,
            delays=delays,
            sites=asked.sites,
            border=BorderUsed.of(borders, error_m=error_m),
            chips=weights if choices.chips is None else choices.chips,
        ),
        notes,
    )
