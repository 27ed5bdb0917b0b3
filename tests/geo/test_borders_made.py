"""How the packaged borders are made, and that they were made so."""

import importlib.util
import io
import sys
from pathlib import Path
from types import ModuleType
from typing import Final

import numpy as np
import pytest
import shapefile
import shapely

from lightbound.geo.borders import Borders, read_borders
from tests.geo.drawn import DATA, shapes_by_code
from tests.house import tree

Ring = list[tuple[float, float]]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """The script, as a module."""
    spec = importlib.util.spec_from_file_location("package_borders", tree.ROOT / "scripts" / "package_borders.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up there
    spec.loader.exec_module(module)
    return module


def _square(west: float, south: float, side: float = 1.0) -> Ring:
    """Clockwise, as a shapefile's outer rings run."""
    east, north = west + side, south + side
    return [(west, south), (west, north), (east, north), (east, south), (west, south)]


def _layer(*features: tuple[str, str, list[Ring]]) -> shapefile.Reader:
    """A shapefile in memory of features with ISO_A2_EH, ADM0_A3 and rings."""
    shp, shx, dbf = io.BytesIO(), io.BytesIO(), io.BytesIO()
    with shapefile.Writer(shp=shp, shx=shx, dbf=dbf, shapeType=shapefile.POLYGON) as writer:
        for field in ("ISO_A2_EH", "ADM0_A3", "NAME"):
            writer.field(field, "C")
        for code, three, rings in features:
            writer.poly(rings)
            writer.record(code, three, f"Land {three}")
    return shapefile.Reader(shp=shp, shx=shx, dbf=dbf)


def _made(script: ModuleType, *features: tuple[str, str, list[Ring]]) -> Borders:
    files = script.made_from(_layer(*features))
    return read_borders(files["borders.json"], files["borders.npz"])


HOLED: Final = [_square(10, 10, 8), [(12.0, 12.0), (13.0, 12.0), (13.0, 13.0), (12.0, 13.0), (12.0, 12.0)]]


def test_what_is_packaged_is_what_is_read_back(script: ModuleType) -> None:
    made = _made(script, ("AA", "AAA", HOLED), ("-99", "BBB", [_square(0, 0)]))
    assert made.codes == ("AA", "NE-BBB")
    assert made.names == {"AA": "Land AAA", "NE-BBB": "Land BBB"}
    ((outer, hole),) = made.polygons("AA")
    assert outer.tolist() == [[10, 10], [18, 10], [18, 18], [10, 18], [10, 10]]
    assert hole.tolist() == [[12, 12], [12, 13], [13, 13], [13, 12], [12, 12]]


def test_the_same_land_makes_the_same_bytes_in_whatever_order_it_comes(script: ModuleType) -> None:
    turned = [[*ring[2:], *ring[1:3]] for ring in HOLED]
    islands = [_square(0, 0), _square(3, 3), _square(-5, 2)]
    one = script.made_from(_layer(("AA", "AAA", HOLED), ("BB", "BBB", islands)))
    two = script.made_from(_layer(("BB", "BBB", islands[::-1]), ("AA", "AAA", turned)))
    assert one == two


def test_packing_the_packaged_polygons_again_makes_the_packaged_bytes(
    script: ModuleType,
) -> None:
    units = {code: shapely.transform(shape, lambda at: np.round(at * 1e7)) for code, shape in shapes_by_code().items()}
    assert script.packed(units) == (DATA / "borders.npz").read_bytes()


def test_points_a_hair_off_the_antimeridian_or_a_pole_are_put_on_it(script: ModuleType) -> None:
    nearly = [(170.0, 80.0), (170.0, 89.9999995), (179.9999995, 89.9999995), (180.0, 80.0), (170.0, 80.0)]
    ((ring,),) = _made(script, ("AA", "AAA", [nearly])).polygons("AA")
    assert ring.tolist() == [[170, 80], [180, 80], [180, 90], [170, 90], [170, 80]]


def test_features_that_share_a_code_lose_the_border_between_them_and_keep_the_larger_ones_name(
    script: ModuleType,
) -> None:
    made = _made(script, ("AA", "SML", [_square(2, 0)]), ("AA", "BIG", [_square(0, 0, 2)]))
    ((ring,),) = made.polygons("AA")
    assert shapely.Polygon(ring).area == 5
    assert made.names["AA"] == "Land BIG"


@pytest.mark.parametrize(
    ("features", "says"),
    [
        ((("AA", "AAA", [[(0.0, 0.0), (1.0, 1.0), (1.0, 0.0), (0.0, 2.0), (0.0, 0.0)]]),), "AAA is invalid"),
        ((("AA", "AAA", [_square(0, 0, 2)]), ("BB", "BBB", [_square(1, 1, 2)])), "AA and BB overlap"),
        ((("AA", "AAA", [_square(0, 0, 3)]), ("AA", "BBB", [_square(1, 1)])), "AA: area changed"),
        ((("AA", "AAA", [_square(179.5, 0)]),), "AA leaves the frame"),
    ],
)
def test_anything_unforeseen_stops_the_script(
    script: ModuleType, features: tuple[tuple[str, str, list[Ring]], ...], says: str
) -> None:
    with pytest.raises(SystemExit, match=says):
        script.made_from(_layer(*features))


def test_the_script_reads_no_wheel_but_the_one_it_names(script: ModuleType, tmp_path: Path) -> None:
    wheel = tmp_path / "other.whl"
    wheel.write_bytes(b"something else")
    with pytest.raises(SystemExit, match="expected sha256 9037d0cf"):
        script.main(["--wheel", str(wheel), "--check"])
