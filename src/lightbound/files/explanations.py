"""An explanation as one object of JSON, `lightbound.explanation/1` of docs/explaining.md."""

from typing import Any, Final

import numpy as np

from lightbound.adjudication.explanation import Explanation, QuestionExplained, Side
from lightbound.adjudication.one_chip import UNSTATED
from lightbound.adjudication.remedies import Missing, Trip
from lightbound.files.verdicts import objects
from lightbound.geo.cities import POSITION_ERROR_M

FORMAT: Final = "lightbound.explanation/1"


def explanation_object(explanation: Explanation) -> dict[str, Any]:
    """The explanation as an object of the documented format; numbers are whole nanoseconds and metres."""
    (verdict,) = objects(explanation.verdicts)
    reference, cities, conflict = explanation.reference, explanation.cities, explanation.conflict
    return {
        "format": FORMAT,
        "chip_id": explanation.chip_id,
        "verdict": verdict,
        "licensed": _question(explanation.licensed),
        "excluded": _question(explanation.excluded),
        "bounds": [
            {
                "landmark_id": bound.landmark_id,
                "fault_unit": _unit(bound.unit),
                "latitude": bound.position.latitude,
                "longitude": bound.position.longitude,
                "round_trip_ns": bound.round_trip_ns,
                "clock_error_ns": bound.clock_error_ns,
                "measured_at": None if bound.measured_at_ns is None else instant(bound.measured_at_ns),
                "session_id": bound.session_id,
                "bound_m": bound.bound_m,
            }
            for bound in explanation.bounds
        ],
        "left_out": [
            {"landmark_id": left.landmark_id, "reason": str(left.reason), "rows": left.rows}
            for left in explanation.left_out
        ],
        "landmarks_not_heard": explanation.landmarks_not_heard,
        "shaped_by": list(explanation.shaped_by),
        "conflict": None
        if conflict is None
        else {
            "landmark_ids": list(conflict.landmark_ids),
            "fault_units": [_unit(unit) for unit in conflict.units],
            "gaps": [{"landmark_ids": [one, other], "gap_m": gap_m} for one, other, gap_m in conflict.gaps],
        },
        "reference": None
        if reference is None
        else {
            "kind": str(reference.kind),
            "latitude": round(reference.position.latitude, 4),
            "longitude": round(reference.position.longitude, 4),
        },
        "cities": {
            "name": cities.name,
            "version": cities.version,
            "sha256": cities.sha256,
            "position_error_m": int(POSITION_ERROR_M),
        },
    }


def instant(since_1970_ns: int) -> str:
    """RFC 3339 in UTC, with as many decimals as it takes."""
    text = str(np.datetime64(since_1970_ns, "ns"))
    return text.rstrip("0").rstrip(".") + "Z"


def _question(question: QuestionExplained | None) -> dict[str, Any] | None:
    if question is None:
        return None
    return {
        "area": question.area,
        "verdict": str(question.verdict),
        "proof": None if question.proof is None else str(question.proof),
        "margin_m": question.margin_m,
        "fault_units": [
            {
                "fault_unit": _unit(unit.unit),
                "proves": None if unit.proves is None else str(unit.proves),
                "outside": _side(unit.outside),
                "within": _side(unit.within),
            }
            for unit in question.units
        ],
        "decided_by": [_unit(unit) for unit in question.decided_by],
        "rests_on": list(question.rests_on),
        "missing": None if question.missing is None else _missing(question.missing),
    }


def _side(side: Side) -> dict[str, Any]:
    return {
        "landmark_id": side.landmark_id,
        "distance_m": side.distance_m,
        "margin_m": side.margin_m,
        "proves": side.proves,
    }


def _missing(missing: Missing) -> dict[str, Any]:
    return {
        "claim": str(missing.claim),
        "fault_units_proving": missing.units_proving,
        "fault_units_needed": missing.units_needed,
        "fault_units_heard": missing.units_heard,
        "falls": [
            {
                "landmark_id": fall.landmark_id,
                "fault_unit": _unit(fall.unit),
                "round_trip_ns": fall.round_trip_ns,
                **_trip(fall.trip),
            }
            for fall in missing.falls
        ],
        "suggestions": [
            {
                "city": None if suggestion.city is None else suggestion.city.name,
                "country": None if suggestion.city is None else suggestion.city.country,
                "latitude": suggestion.position.latitude,
                "longitude": suggestion.position.longitude,
                "position_error_m": int(suggestion.position_error_m),
                **_trip(suggestion.trip),
            }
            for suggestion in missing.suggestions
        ],
    }


def _trip(trip: Trip) -> dict[str, Any]:
    return {
        "greatest_round_trip_ns": trip.greatest_round_trip_ns,
        "distance_m": trip.distance_m,
        "least_ns_at_c": trip.least_ns_at_c,
        "least_ns_in_fibre": trip.least_ns_in_fibre,
    }


def _unit(name: str) -> str | None:
    """The name of a fault unit; null for that of all landmarks without a stated one."""
    return None if name == UNSTATED else name
