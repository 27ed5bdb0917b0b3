"""Vetting on measured meshes: the known bad are doubted, hardly anybody else is, and planted liars are found."""

import importlib
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pytest

from lightbound.files.dossier import AreaMaker
from lightbound.files.vetting import Mesh, read_mesh, vet_files
from lightbound.geo.borders import packaged_borders
from lightbound.ranging.bounds import Speed
from lightbound.ranging.liars import trial
from lightbound.ranging.vetting import distrusted_landmarks
from tests.house import tree

MOST_OTHERS: Final = 0.03
"""Share of the hosts not known to be bad that may be doubted."""

ENOUGH_FOUND: Final = 0.95
"""Share of the liars that contradict anything that must be found."""

PUBLISHED: Final = tree.ROOT / "docs/results/results.json"


@pytest.fixture(scope="module")
def scripts() -> ModuleType:
    """The script that publishes results, which also says who is known to be bad and how liars are drawn."""
    sys.path.insert(0, str(tree.ROOT / "scripts"))
    try:
        return importlib.import_module("make_results")
    finally:
        sys.path.remove(str(tree.ROOT / "scripts"))


def _doubted(mesh: Mesh) -> set[str]:
    return {mesh.landmarks[landmark].landmark_id for landmark in mesh.vetting.doubtful}


def _vetted(scripts: ModuleType, shared_data: Path, folder: Path, *, speed: Speed, area: str | None) -> Mesh:
    data = scripts.read_mesh(shared_data)
    return vet_files(
        scripts.write_measurements(data.rows, folder / "measurements.csv"),
        landmarks=scripts.write_landmarks(data.endpoints, data.endpoints, folder / "landmarks.csv"),
        exclude_area=area,
        speed=speed,
    )


def test_the_known_bad_are_doubted_and_hardly_anybody_else(
    scripts: ModuleType, shared_data: Path, tmp_path: Path
) -> None:
    mesh = _vetted(scripts, shared_data, tmp_path, speed=Speed.VACUUM, area="CN")
    bad, doubted = set(scripts.BAD_HOSTS), _doubted(mesh)
    assert bad <= doubted
    assert len(doubted - bad) <= MOST_OTHERS * (len(mesh.landmarks) - len(bad))
    assert "wp:70" not in doubted


def test_an_honest_host_is_accused_by_forged_answers_only(
    scripts: ModuleType, shared_data: Path, tmp_path: Path
) -> None:
    believed = _vetted(scripts, shared_data, tmp_path, speed=Speed.FIBRE, area=None)
    assert "wp:70" in _doubted(believed)
    left_out = _vetted(scripts, shared_data, tmp_path, speed=Speed.FIBRE, area="CN")
    assert "wp:70" not in _doubted(left_out)
    assert set(scripts.BAD_HOSTS) <= _doubted(left_out)


@pytest.mark.parametrize("speed", Speed)
def test_nobody_in_the_clouds_is_doubted(scripts: ModuleType, shared_data: Path, tmp_path: Path, speed: Speed) -> None:
    data = scripts.read_clouds(shared_data)
    mesh = vet_files(
        scripts.write_measurements(data.rows, tmp_path / "measurements.csv"),
        landmarks=scripts.write_landmarks(data.endpoints, data.endpoints, tmp_path / "landmarks.csv"),
        speed=speed,
    )
    assert mesh.vetting.pairs_measured > 1600
    assert not mesh.vetting.contradictions


@pytest.mark.parametrize(("mesh", "trials"), [("vetted", 100), ("as measured", 60)])
def test_liars_that_contradict_anything_are_found(
    scripts: ModuleType, shared_data: Path, tmp_path: Path, mesh: str, trials: int
) -> None:
    data = scripts.read_mesh(shared_data)
    left_out = _published()["vetting"]["mesh"]["left_out"] if mesh == "vetted" else ()
    names = [name for name in data.endpoints if name not in left_out]
    members = set(names)
    landmarks, readings = read_mesh(
        scripts.write_measurements((row for row in data.rows if members.issuperset(row[:2])), tmp_path / "m.csv"),
        landmarks=scripts.write_landmarks(data.endpoints, names, tmp_path / "l.csv"),
    )
    honest = [place for place, name in enumerate(names) if name not in scripts.BAD_HOSTS]
    area = AreaMaker(chips=tmp_path / "here", borders=packaged_borders(), border_error_m=2000.0)("CN")
    distrusted = distrusted_landmarks(landmarks, area)
    seen = []
    for number in range(trials):
        liar, place = scripts.draw(landmarks, honest, scripts.ANYWHERE, number)
        seen.append(trial(readings, landmarks=landmarks, liar=liar, place=place, excluded=area, distrusted=distrusted))
    contradicting = [case for case in seen if case.contradicts]
    assert len(contradicting) >= 0.8 * trials
    assert sum(case.found for case in contradicting) >= ENOUGH_FOUND * len(contradicting)


def _published() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    return found


@pytest.mark.soak
def test_all_published_trials_of_liars_come_out_as_published(
    scripts: ModuleType, shared_data: Path, tmp_path: Path
) -> None:
    data, published = scripts.read_mesh(shared_data), _published()
    left = set(data.endpoints) - set(published["vetting"]["mesh"]["left_out"])
    again = scripts.liars(data, left, tmp_path, count=scripts.TRIALS)
    assert again == published["liars"]
    for item in again:
        found, contradicting = item["found_of_contradicting"]
        assert item["contradicting"][1] == scripts.TRIALS
        assert found >= ENOUGH_FOUND * contradicting
