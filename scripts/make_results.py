"""Rebuild docs/results.md, its pictures and docs/results/results.json from the evaluation data: `make results`.

What is written are counts over the data and never a row of it. Equal data and an equal tree give equal bytes. Given a
folder, the files that the commands were given stay there, so that each figure can be had again by hand:

    .venv/bin/python scripts/make_results.py FOLDER
"""

import json
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from results_data import (
    BAD_HOSTS,
    MAINLAND,
    ROOT,
    DataSet,
    data_folder,
    read_clouds,
    read_mesh,
    write_landmarks,
    write_measurements,
    write_truth,
)
from results_page import page

from lightbound.adjudication.evaluation.evaluate import Plan
from lightbound.adjudication.facts import Settings
from lightbound.adjudication.verdicts import Proof, Verdict
from lightbound.drawing.evaluation_plots import evaluation_plots, saved
from lightbound.files.dossier import AreaMaker
from lightbound.files.evaluation import CONFIDENCE, Evaluated, evaluate_files, evaluation_object
from lightbound.files.vetting import Mesh, vet_files, vetting_object
from lightbound.files.vetting import read_mesh as read_mesh_files
from lightbound.geo.borders import DEFAULT_BORDER_ERROR_M, packaged_borders
from lightbound.geo.earth import LEAST_RADIUS_M, Position
from lightbound.geo.kernels import angle_between
from lightbound.ranging.bounds import Speed
from lightbound.ranging.draws import uniform
from lightbound.ranging.liars import false_place, trial
from lightbound.ranging.readings import Landmark
from lightbound.ranging.vetting import distrusted_landmarks

FORMAT: Final = "lightbound.results/1"
TRIALS: Final = 1000
SEED: Final = 0
LIAR_AT_LEAST_M: Final = 500_000.0
"""How far from the truth a liar's place is, at the least."""

ANYWHERE: Final = "anywhere on Earth"
CITY: Final = "the place of another landmark"

PICTURES: Final = ("refuted", "number", "nearness")

VERDICTS: Final = frozenset(map(str, Verdict))

QUICK: Final[dict[str, Any]] = {"claim_distances_km": (), "numbers": (), "not_nearer_km": ()}
"""For evaluations of which only the verdicts are wanted."""


def main() -> None:
    """Everything, or nothing where the data is missing."""
    data = data_folder()
    if data is None:
        raise SystemExit(
            "results: the evaluation data is not here, so the page stays as it is; say LIGHTBOUND_SHARED=FOLDER"
        )
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(temporary)
        results, pictures = rebuild(data, work, told=lambda what: print(what, file=sys.stderr, flush=True))
    folder = ROOT / "docs/results"
    folder.mkdir(exist_ok=True)
    for name, content in pictures.items():
        (folder / name).write_bytes(content)
    (folder / "results.json").write_text(written(results), encoding="utf-8")
    (ROOT / "docs/results.md").write_text(page(results), encoding="utf-8")


def rebuild(data: Path, work: Path, *, told: Callable[[str], None]) -> tuple[dict[str, Any], dict[str, bytes]]:
    """All counts, and the pictures by name."""
    mesh, clouds = read_mesh(data), read_clouds(data)
    told("vetting")
    vetting = {**mesh_vetting(mesh, work / "vet-mesh"), "clouds": cloud_vetting(clouds, work / "vet-clouds")}
    left = [name for name in mesh.endpoints if name not in vetting["mesh"]["left_out"]]
    honest = [name for name in mesh.endpoints if name not in BAD_HOSTS]
    regions = list(clouds.endpoints)
    results: dict[str, Any] = {"format": FORMAT, "confidence": CONFIDENCE, "seed": SEED, "vetting": vetting}
    told("verdicts")
    for name, data_set, chips, landmarks, border_error_m in (
        ("mesh", mesh, honest, honest, None),
        ("mesh_border_error_0", mesh, honest, honest, 0),
        ("mesh_unvetted", mesh, honest, mesh.endpoints, None),
        ("mesh_vetted", mesh, honest, left, None),
        ("clouds", clouds, regions, regions, None),
    ):
        evaluated = evaluation(
            data_set,
            work / name,
            chips=chips,
            landmarks=landmarks,
            licence="circle",
            plan=plan(**QUICK),
            border_error_m=border_error_m,
        )
        results[name] = aggregates(evaluated)
    pictures: dict[str, bytes] = {}
    for what, data_set, names in (("mesh", mesh, honest), ("clouds", clouds, regions)):
        told(f"{what}: own country, false claims, fewer landmarks")
        evaluated = evaluation(
            data_set, work / f"{what}_own_country", chips=names, landmarks=names, licence="country", plan=plan()
        )
        results[f"{what}_own_country"] = aggregates(evaluated)
        figures = evaluation_plots(evaluated.evaluation, confidence=CONFIDENCE)
        pictures |= {f"{what}-{name}.svg": saved(figures[name], "svg") for name in PICTURES}
    told("liars")
    results["liars"] = liars(mesh, set(left), work / "liars", count=TRIALS)
    return results, pictures


def plan(**fewer: Any) -> Plan:
    """Both speeds, budgets 0 to 2, both proofs."""
    return Plan(
        settings=Settings(), speeds=tuple(Speed), fault_budgets=(0, 1, 2), proofs=tuple(Proof), seed=SEED, **fewer
    )


def evaluation(
    data_set: DataSet,
    folder: Path,
    *,
    chips: Iterable[str],
    landmarks: Iterable[str],
    licence: str,
    plan: Plan,
    border_error_m: int | None = None,
) -> Evaluated:
    """`lightbound evaluate readings` on part of a data set; nothing that was measured in the mainland is believed."""
    believed = [name for name in landmarks if data_set.endpoints[name].country != MAINLAND]
    trusted = set(believed)
    return evaluate_files(
        write_measurements((row for row in data_set.rows if row[0] in trusted), folder / "measurements.csv"),
        landmarks=write_landmarks(data_set.endpoints, believed, folder / "landmarks.csv"),
        truth=write_truth(data_set.endpoints, chips, folder / "truth.csv", licence=licence),
        plan=plan,
        border_error_m=border_error_m,
    )


def aggregates(evaluated: Evaluated) -> dict[str, Any]:
    """The counts of an evaluation, without what follows from them."""
    told = evaluation_object(evaluated)
    kept = ("chips", "landmarks", "rows", "outcomes", "false_claims", "fewer_landmarks", "claim_radius_km", "border")
    bare: dict[str, Any] = counts({name: told[name] for name in kept if told[name] != []})
    if not evaluated.evaluation.plan.numbers:
        bare.pop("fewer_landmarks")
    for item in bare.get("fewer_landmarks", ()):
        for question in ("licensed", "excluded"):
            item[question] = {name: item[question][name] for name in ("decided", "truly_outside")}
    return bare


def counts(told: Any) -> Any:
    """The same without intervals, and without verdicts that nobody got."""
    if isinstance(told, list):
        return [counts(item) for item in told]
    if not isinstance(told, dict):
        return told
    if told.keys() == {"count", "of", "share", "low", "high"}:
        return [told["count"], told["of"]]
    if told.get("decided", {}).get("of") == 0:
        return {"decided": [0, 0]}
    return {name: counts(item) for name, item in told.items() if not (name in VERDICTS and item == 0)}


def mesh_vetting(mesh: DataSet, folder: Path) -> dict[str, Any]:
    """Who is found in the whole mesh, at both speeds, with and without the rows measured in the mainland."""
    rows = write_measurements(mesh.rows, folder / "measurements.csv")
    landmarks = write_landmarks(mesh.endpoints, mesh.endpoints, folder / "landmarks.csv")
    cases: dict[str, Any] = {}
    for name, speed, area in (
        ("mesh", Speed.VACUUM, MAINLAND),
        ("mesh_all_rows", Speed.VACUUM, None),
        ("mesh_fibre", Speed.FIBRE, MAINLAND),
        ("mesh_fibre_all_rows", Speed.FIBRE, None),
    ):
        cases[name] = finding(vet_files(rows, landmarks=landmarks, exclude_area=area, speed=speed))
    return cases


def cloud_vetting(clouds: DataSet, folder: Path) -> dict[str, Any]:
    """Who is found in the tables of the clouds."""
    rows = write_measurements(clouds.rows, folder / "measurements.csv")
    landmarks = write_landmarks(clouds.endpoints, clouds.endpoints, folder / "landmarks.csv")
    return finding(vet_files(rows, landmarks=landmarks, exclude_area=MAINLAND))


def finding(mesh: Mesh) -> dict[str, Any]:
    """What a vetting found, without the readings that show it."""
    told = vetting_object(mesh)
    kept = ("landmarks", "landmarks_left", "pairs_measured", "rows", "suspects", "ambiguous")
    return {
        **{name: told[name] for name in kept},
        "contradictions": len(told["contradictions"]),
        "left_out": sorted(mesh.landmarks[landmark].landmark_id for landmark in mesh.vetting.doubtful),
    }


def liars(mesh: DataSet, left: set[str], work: Path, *, count: int) -> list[dict[str, Any]]:
    """Trials of one liar, in the mesh as it is and in the vetted one, by where it says it is."""
    area = AreaMaker(chips=Path("here"), borders=packaged_borders(), border_error_m=DEFAULT_BORDER_ERROR_M)(MAINLAND)
    results = []
    for vetted in (False, True):
        names = [name for name in mesh.endpoints if not vetted or name in left]
        members = set(names)
        landmarks, readings = read_mesh_files(
            write_measurements((row for row in mesh.rows if members.issuperset(row[:2])), work / "measurements.csv"),
            landmarks=write_landmarks(mesh.endpoints, names, work / "landmarks.csv"),
        )
        honest = [place for place, name in enumerate(names) if name not in BAD_HOSTS]
        distrusted = distrusted_landmarks(landmarks, area)
        for kind in (ANYWHERE, CITY):
            contradicting = found = 0
            for number in range(count):
                liar, place = draw(landmarks, honest, kind, number)
                seen = trial(
                    readings, landmarks=landmarks, liar=liar, place=place, excluded=area, distrusted=distrusted
                )
                contradicting += seen.contradicts
                found += seen.contradicts and seen.found
            results.append(
                {
                    "vetted": vetted,
                    "place": kind,
                    "trials": count,
                    "contradicting": [contradicting, count],
                    "found_of_contradicting": [found, contradicting],
                }
            )
    return results


def draw(landmarks: tuple[Landmark, ...], honest: list[int], kind: str, number: int) -> tuple[int, Position]:
    """Which landmark lies in a trial, and where it says it is."""
    liar = honest[int(len(honest) * uniform(SEED, "liar", number))]
    true = landmarks[liar].position
    if kind == ANYWHERE:
        return liar, false_place(true, at_least_m=LIAR_AT_LEAST_M, names=(SEED, "place", number))
    far = [
        landmarks[other].position
        for other in honest
        if angle_between(*true.unit(), *landmarks[other].position.unit()) * LEAST_RADIUS_M >= LIAR_AT_LEAST_M
    ]
    return liar, far[int(len(far) * uniform(SEED, "city", number))]


def written(results: dict[str, Any]) -> str:
    """JSON with a line for each record, so that a change of one figure is a change of one line."""
    lines = []
    for name, value in results.items():
        parts = value if isinstance(value, dict) else {"": value}
        told = []
        for part, item in parts.items():
            key = f"  {json.dumps(part)}: " if part else "  "
            if isinstance(item, list) and item and isinstance(item[0], dict):
                told.append(f"{key}[\n" + ",\n".join(f"   {json.dumps(record)}" for record in item) + "\n  ]")
            else:
                told.append(f"{key}{json.dumps(item)}")
        opened, closed = ("{\n", "\n }") if isinstance(value, dict) else ("", "")
        lines.append(f" {json.dumps(name)}: {opened}" + ",\n".join(told).strip("" if opened else " ") + closed)
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    main()
