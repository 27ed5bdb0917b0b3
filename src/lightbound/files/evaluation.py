"""An evaluation from files, and what came of it as an object."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lightbound.adjudication.evaluation.evaluate import ALGORITHM, Evaluation, Plan, evaluate, thinnings
from lightbound.adjudication.evaluation.replay import Tally
from lightbound.adjudication.evaluation.shares import Share
from lightbound.adjudication.facts import Settings
from lightbound.adjudication.verdicts import BorderUsed, Verdict
from lightbound.errors import ErrorCode, Fault, Unavailable
from lightbound.files.dossier import AreaMaker, Steps, silent
from lightbound.files.landmarks import landmark_columns_ignored, read_landmarks
from lightbound.files.measurements import measurement_columns_ignored, read_measurements
from lightbound.files.truth import read_truths, truth_columns_ignored
from lightbound.files.whole import whole_file
from lightbound.geo.borders import DEFAULT_BORDER_ERROR_M, packaged_borders
from lightbound.geo.shapes import Area
from lightbound.geo.sides import Side

FORMAT: Final = "lightbound.evaluation/1"

CONFIDENCE: Final = 0.95
"""Of every interval that is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    """What three files show about verdicts."""

    evaluation: Evaluation
    border: BorderUsed
    rows_of_no_chip: int
    """Rows about chips whose truth is not stated."""
    notes: tuple[str, ...]


def evaluate_files(
    measurements: Path,
    *,
    landmarks: Path,
    truth: Path,
    plan: Plan,
    border_error_m: int | None = None,
    steps: Steps = silent,
) -> Evaluated:
    """Everything that three files show.

    Raises:
        Malformed: a file, with the first of its faults by line and the count of all.
        Unavailable: a file cannot be read.
    """
    borders = packaged_borders()
    error_m = int(DEFAULT_BORDER_ERROR_M) if border_error_m is None else border_error_m
    placed = read_landmarks(landmarks)
    make = AreaMaker(chips=truth, borders=borders, border_error_m=error_m)
    areas: list[Area] = []
    truths = read_truths(truth, make=lambda text: areas.append(make(text)))
    readings = read_measurements(
        measurements,
        landmarks=placed,
        chips=truths.chips,
        progress=steps("reading measurements", measurements.stat().st_size),
    )
    replays = len(plan.claim_distances_km) + 1 + len(thinnings(plan, len(placed)))
    evaluation = evaluate(
        readings,
        landmarks=placed,
        truths=truths,
        areas=areas,
        borders=borders,
        plan=plan,
        progress=steps("replaying", replays * len(plan.cases())),
    )
    return Evaluated(
        evaluation=evaluation,
        border=BorderUsed.of(borders, error_m=error_m),
        rows_of_no_chip=readings.rows_of_unasked_chips,
        notes=tuple(
            f"columns of {path} that were not looked at: {', '.join(ignored)}"
            for path, ignored in (
                (measurements, measurement_columns_ignored(measurements)),
                (landmarks, landmark_columns_ignored(landmarks)),
                (truth, truth_columns_ignored(truth)),
            )
            if ignored
        ),
    )


def evaluation_object(evaluated: Evaluated) -> dict[str, Any]:
    """The whole evaluation as one object of the documented format."""
    evaluation, border = evaluated.evaluation, evaluated.border
    plan = evaluation.plan
    return {
        "format": FORMAT,
        "algorithm": ALGORITHM,
        "chips": evaluation.chips,
        "landmarks": evaluation.landmarks,
        "rows": evaluation.rows,
        "rows_of_no_chip": evaluated.rows_of_no_chip,
        "most_landmarks_of_a_chip": evaluation.most_landmarks,
        "confidence": CONFIDENCE,
        "seed": plan.seed,
        "claim_radius_km": plan.claim_radius_km,
        "outcomes": [
            {
                **_settings(outcome.settings),
                "truth_kept": _share(outcome.kept),
                "contradictions": outcome.contradictions,
                "licensed": _tally(outcome.licensed),
                "excluded": _tally(outcome.excluded),
            }
            for outcome in evaluation.outcomes
        ],
        "false_claims": [
            {**_settings(item.settings), "distance_km": item.distance_km, "refuted": _share(item.refuted)}
            for item in evaluation.refutations
        ],
        "fewer_landmarks": [
            {
                **_settings(item.settings),
                "choice": str(item.choice),
                "value": item.value,
                "licensed": _tally(item.licensed),
                "excluded": _tally(item.excluded),
            }
            for item in evaluation.thinned
        ],
        "assumptions": [str(assumption) for assumption in evaluation.assumptions],
        "border": {
            "name": border.name,
            "version": border.version,
            "viewpoint": border.viewpoint,
            "sha256": border.sha256,
            "error_m": border.error_m,
        },
    }


def write_folder(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write files into a folder, made if it is not there, in the order given; each appears whole or not at all.

    Raises:
        Unavailable: the folder or a file cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        fault = Fault(
            code=ErrorCode.WRITE_FAILED,
            expected="a folder to write to",
            found=error.strerror or type(error).__name__,
            file=str(folder),
        )
        raise Unavailable(fault) from error
    for name, content in contents.items():
        with whole_file(folder / name) as stream:
            stream.write(content)


def _settings(settings: Settings) -> dict[str, Any]:
    return {
        "speed": settings.speed.value,
        "fault_budget": settings.fault_budget,
        "proof_allowed": settings.proof.value,
    }


def _share(share: Share) -> dict[str, Any]:
    low, high = share.interval(confidence=CONFIDENCE)
    return {
        "count": share.count,
        "of": share.of,
        "share": None if not share.of else round(share.count / share.of, 4),
        "low": round(low, 4),
        "high": round(high, 4),
    }


def _tally(tally: Tally) -> dict[str, Any] | None:
    """The counts of one question; None where nobody was asked."""
    if not tally.decided.of:
        return None
    return {
        "decided": _share(tally.decided),
        "wrong": tally.wrong,
        **{
            f"truly_{side.value}": {
                **{str(verdict): tally.counts.get((side, verdict), 0) for verdict in Verdict},
                "decided": _share(tally.verdicts(Verdict.WITHIN, Verdict.OUTSIDE, truly=side)),
            }
            for side in Side
        },
    }
