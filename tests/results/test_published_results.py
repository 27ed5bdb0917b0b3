"""What is published on docs/results.md is what the data says, and says nothing that the counts do not bear out."""

import copy
import importlib
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.house import tree

FOLDER = tree.ROOT / "docs/results"
PAGE = (tree.ROOT / "docs/results.md").read_text(encoding="utf-8")
RESULTS: dict[str, Any] = json.loads((FOLDER / "results.json").read_text(encoding="utf-8"))


def _script(name: str) -> ModuleType:
    sys.path.insert(0, str(tree.ROOT / "scripts"))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(tree.ROOT / "scripts"))


def test_the_page_is_made_from_the_counts_beside_it() -> None:
    assert _script("results_page").page(RESULTS) == PAGE


def test_the_file_of_counts_is_what_the_script_writes() -> None:
    assert _script("make_results").written(RESULTS) == (FOLDER / "results.json").read_text(encoding="utf-8")


def test_every_picture_is_shown_and_needs_nothing_else() -> None:
    shown = set(re.findall(r"\(results/([a-z-]+\.svg)\)", PAGE))
    assert shown == {path.name for path in FOLDER.glob("*.svg")}
    for name in shown:
        drawn = (FOLDER / name).read_text(encoding="utf-8")
        assert not re.search(r"""(?:href|src)=["']https?:""", drawn)


def test_no_round_trip_of_the_data_is_on_the_page() -> None:
    assert "rtt_ms" not in PAGE
    assert not {"round_trip_ns", "contradictions_listed"} & set(re.findall("[a-z_]+", json.dumps(RESULTS)))


def _tampered(change: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    results = copy.deepcopy(RESULTS)
    change(results)
    return results


@pytest.mark.parametrize(
    "change",
    [
        lambda results: results["mesh"]["outcomes"][3]["excluded"].update(wrong=1),
        lambda results: results["mesh"]["outcomes"][0].update(truth_kept=[192, 193]),
        lambda results: results["mesh"]["outcomes"][5].update(contradictions=1),
        lambda results: results["mesh"]["outcomes"][2]["excluded"]["truly_unsure"].update(outside=1),
        lambda results: results["mesh_border_error_0"]["outcomes"][2]["excluded"]["truly_outside"].update(outside=152),
        lambda results: results["mesh_unvetted"]["outcomes"][4]["licensed"].update(wrong=1),
        lambda results: results["vetting"]["mesh"]["suspects"].pop(),
        lambda results: results["vetting"]["clouds"]["suspects"].append({"landmark_id": "x", "contradicted_by": 1}),
        lambda results: results["liars"][1].update(found_of_contradicting=[800, 885]),
        lambda results: results["clouds"]["outcomes"][7]["licensed"].update(wrong=2),
    ],
)
def test_a_page_that_would_claim_too_much_is_not_written(change: Callable[[dict[str, Any]], None]) -> None:
    with pytest.raises(SystemExit, match="no longer true"):
        _script("results_page").page(_tampered(change))


def test_the_table_of_verdicts_comes_out_again(shared_data: Path, tmp_path: Path) -> None:
    script = _script("make_results")
    mesh = script.read_mesh(shared_data)
    honest = [name for name in mesh.endpoints if name not in script.BAD_HOSTS]
    evaluated = script.evaluation(
        mesh, tmp_path, chips=honest, landmarks=honest, licence="circle", plan=script.plan(**script.QUICK)
    )
    assert script.aggregates(evaluated) == RESULTS["mesh"]


def test_the_vetting_comes_out_again(shared_data: Path, tmp_path: Path) -> None:
    script = _script("make_results")
    found = script.mesh_vetting(script.read_mesh(shared_data), tmp_path)
    found["clouds"] = script.cloud_vetting(script.read_clouds(shared_data), tmp_path)
    assert found == RESULTS["vetting"]


@pytest.mark.soak
def test_everything_published_comes_out_again(shared_data: Path, tmp_path: Path) -> None:
    results, pictures = _script("make_results").rebuild(shared_data, tmp_path, told=lambda _: None)
    assert json.loads(json.dumps(results)) == RESULTS
    assert {name: (FOLDER / name).read_bytes() for name in pictures} == pictures
