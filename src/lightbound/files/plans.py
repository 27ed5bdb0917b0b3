"""A plan as one JSON object, and its landmarks as JSON lines, CSV or Parquet.

The CSV and Parquet name their columns as a file of landmarks does, so that what was planned can be read as one.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from lightbound.adjudication.planning.delays import Fit
from lightbound.adjudication.planning.obstacles import Obstacle
from lightbound.adjudication.planning.plan import Plan, Target
from lightbound.adjudication.planning.scene import Site, Terms
from lightbound.adjudication.verdicts import BorderUsed
from lightbound.errors import ErrorCode, Fault, Malformed
from lightbound.files.whole import whole_file

FORMAT: Final = "lightbound.plan/1"
LANDMARK_FORMAT: Final = "lightbound.planned-landmark/1"

ENDINGS: Final = (".jsonl", ".csv", ".parquet")
"""File endings that name a format to write."""

_SCHEMA: Final = pa.schema(
    {
        "format": pa.string(),
        "rank": pa.int64(),
        "landmark_id": pa.string(),
        "latitude": pa.float64(),
        "longitude": pa.float64(),
        "position_error_m": pa.float64(),
        "fault_unit": pa.string(),
        "country": pa.string(),
        "cost": pa.float64(),
        "cost_so_far": pa.float64(),
        "weight_proven": pa.float64(),
        "share_of_provable": pa.float64(),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """Delays that somebody stated."""

    slowness: float
    overhead_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanReport:
    """A plan, and everything that a reader must know to judge or repeat it."""

    plan: Plan
    terms: Terms
    delays: Stated | Fit
    sites: Sequence[Site]
    border: BorderUsed
    chips: float | None
    """Chips that the sites stand for in all; None where nobody said."""

    def per_chip(self, cost: float) -> float | None:
        """A cost a year for each chip."""
        return None if self.chips is None else cost / self.chips

    def share(self, weight: float) -> float:
        """A weight as a share of what is provable; 0 where nothing is."""
        return weight / self.plan.weight_provable if self.plan.weight_provable else 0.0


def plan_object(report: PlanReport) -> dict[str, Any]:
    """The plan as one object of the documented format."""
    plan, border = report.plan, report.border
    return {
        "format": FORMAT,
        "proves": "nothing: expected round trips, not measured ones",
        "speed": report.terms.speed.value,
        "fault_budget": report.terms.fault_budget,
        "independent_landmarks": report.terms.independent_landmarks,
        "delays": _delays(report.delays),
        "border": {
            "name": border.name,
            "version": border.version,
            "viewpoint": border.viewpoint,
            "sha256": border.sha256,
            "error_m": border.error_m,
        },
        "chips": report.chips,
        "weight": {
            "asked": plan.weight_asked,
            "provable": plan.weight_provable,
            "proven_by_standing_landmarks": plan.weight_standing,
            "proven_at_interval_ends": None
            if plan.weight_between is None
            else {"slow": plan.weight_between[0], "quick": plan.weight_between[1]},
        },
        "order": [
            {key: value for key, value in landmark.items() if key != "format"} for landmark in landmark_objects(report)
        ],
        "targets": [_target(report, target) for target in plan.targets],
        "goals": _goals(report),
    }


def landmark_objects(report: PlanReport) -> list[dict[str, Any]]:
    """The landmarks that the plan would have built, in its order, each as one object."""
    landmarks = []
    for rank, step in enumerate(report.plan.order, start=1):
        landmark = report.plan.landmarks[step.place]
        landmarks.append(
            {
                "format": LANDMARK_FORMAT,
                "rank": rank,
                "landmark_id": landmark.landmark_id,
                "latitude": landmark.position.latitude,
                "longitude": landmark.position.longitude,
                "position_error_m": landmark.position_error_m,
                "fault_unit": landmark.fault_unit,
                "country": landmark.country,
                "cost": float(report.plan.cover.cost[step.place]),
                "cost_so_far": step.cost_so_far,
                "weight_proven": step.weight_proven,
                "share_of_provable": report.share(step.weight_proven),
            }
        )
    return landmarks


def write_landmarks(report: PlanReport, path: Path) -> None:
    """Write the plan's landmarks to a file in the format its ending names; it appears whole or not at all.

    Raises:
        Malformed: the ending names no format.
        Unavailable: the file cannot be written.
    """
    if path.suffix not in ENDINGS:
        raise Malformed(
            Fault(
                code=ErrorCode.FILE_FORMAT,
                expected=f"an output file ending in {', '.join(ENDINGS)}",
                found=repr(path.name),
            )
        )
    landmarks = landmark_objects(report)
    with whole_file(path) as stream:
        if path.suffix == ".jsonl":
            stream.writelines(f"{json.dumps(one, ensure_ascii=False, allow_nan=False)}\n".encode() for one in landmarks)
            return
        table = pa.Table.from_pylist(landmarks, schema=_SCHEMA)
        if path.suffix == ".csv":
            pa_csv.write_csv(table, stream)
        else:
            pq.write_table(table, stream, compression="zstd")


def _delays(delays: Stated | Fit) -> dict[str, Any]:
    if isinstance(delays, Stated):
        return {"kind": "stated", "slowness": delays.slowness, "overhead_ms": delays.overhead_ms}
    return {
        "kind": "fitted",
        "quantile": delays.quantile,
        "confidence": delays.confidence,
        "pairs": delays.pairs,
        "pairs_impossible": delays.impossible,
        "classes": [
            {
                "nearest_m": round(one.nearest_m),
                "farthest_m": round(one.farthest_m),
                "pairs": one.pairs,
                "least_excess_ns": round(one.least_excess_ns),
                "excess_ns": round(one.excess_ns),
                "excess_low_ns": round(one.low_ns),
                "excess_high_ns": None if one.high_ns == float("inf") else round(one.high_ns),
            }
            for one in delays.classes
        ],
    }


def _target(report: PlanReport, target: Target) -> dict[str, Any]:
    return {
        "percent_of_provable": target.percent,
        "weight": target.weight,
        "landmarks": len(target.places),
        "landmark_ids": [report.plan.landmarks[place].landmark_id for place in target.places],
        "cost": target.cost,
        "cost_per_chip_year": report.per_chip(target.cost),
        "least_possible_cost": target.least.cost,
        "least_known_by": target.least.by.value,
        "gap": target.gap,
    }


def _goals(report: PlanReport) -> list[dict[str, Any]]:
    plan = report.plan
    units = plan.units_at_places()
    rank = {goal: number for number, step in enumerate(plan.order, start=1) for goal in step.goals}
    found = {obstacle.goal: obstacle for obstacle in plan.obstacles}
    return [
        {
            "site_id": report.sites[goal.site].site_id,
            "question": goal.asked.value,
            "weight": goal.weight,
            "to_edge_m": round(float(plan.scene.goal_to_edge_m[number])),
            "fault_units_with_a_place": units[number],
            "proven_from_rank": None if number in found else rank.get(number, 0),
            "obstacle": _obstacle(report, found[number]) if number in found else None,
        }
        for number, goal in enumerate(plan.scene.goals)
    ]


def _obstacle(report: PlanReport, obstacle: Obstacle) -> dict[str, Any]:
    nearest = obstacle.nearest
    return {
        "why": obstacle.why.value,
        "needed_at_site_ns": obstacle.needed_ns,
        "expected_at_site_ns": _finite(obstacle.expected_ns),
        "landmark_within_m": obstacle.within_m,
        "nearest": None
        if nearest is None
        else {
            "landmark_id": report.plan.landmarks[nearest.place].landmark_id,
            "apart_m": round(nearest.apart_m),
            "needed_ns": nearest.needed_ns,
            "expected_ns": _finite(nearest.expected_ns),
        },
    }


def _finite(value: float) -> int | None:
    return None if value == float("inf") else round(value)
