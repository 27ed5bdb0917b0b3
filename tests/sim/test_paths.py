"""The paths of a simulated world: none is faster than light, and each is what it was drawn to be."""

from pathlib import Path
from typing import Final

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lightbound.geo.earth import Position
from lightbound.sim.measured_paths import places_of, read_table
from lightbound.sim.paths import Endpoint, Paths, distance_m, moved
from lightbound.sim.scenario import PathModel
from lightbound.units import SPEED_OF_LIGHT_M_PER_S
from tests.house import tree

AZURE: Final = tree.ROOT / "examples" / "azure"

positions = st.builds(Position, st.floats(-90, 90), st.floats(-180, 180))
ends = st.builds(Endpoint, name=st.sampled_from(["a", "b", "c"]), position=positions)
ranges = st.tuples(st.floats(1, 5), st.floats(1, 5)).map(lambda pair: (min(pair), max(pair)))
models = st.builds(
    PathModel,
    speed=st.floats(0.01, 1.0),
    detour=ranges,
    overhead_us=st.sampled_from([(0.0, 0.0), (0.0, 5.0), (30.0, 300.0)]),
)
tables = st.dictionaries(
    st.tuples(st.sampled_from(["a", "b"]), st.sampled_from(["b", "c"])), st.integers(1, 10**9), max_size=3
)


def light_ns(one: Endpoint, other: Endpoint) -> float:
    """How long light in vacuum takes there and back, along the ground."""
    return 2e9 * distance_m(one.position, other.position) / SPEED_OF_LIGHT_M_PER_S


@given(seed=st.integers(0, 2**63 - 1), model=models, table=tables, one=ends, other=ends)
def test_no_path_is_faster_than_light_and_each_is_the_same_both_ways(
    seed: int, model: PathModel, table: dict[tuple[str, str], int], one: Endpoint, other: Endpoint
) -> None:
    """Also where a table says otherwise, and between ends that stand beside their places."""
    paths = Paths(seed=seed, model=model, table_ns=table)
    there_ns = paths.floor_ns(one, other)
    assert there_ns > light_ns(one, other)
    if (other.name, one.name) not in table or (one.name, other.name) not in table or one.name == other.name:
        assert paths.floor_ns(other, one) == there_ns
    assert Paths(seed=seed, model=model, table_ns=table).floor_ns(one, other) == there_ns


@given(seed=st.integers(0, 2**63 - 1), model=models, one=ends, other=ends)
def test_a_floor_lies_between_the_ends_of_what_it_is_drawn_from(
    seed: int, model: PathModel, one: Endpoint, other: Endpoint
) -> None:
    floor_ns = Paths(seed=seed, model=model, table_ns={}).floor_ns(one, other)
    least_ns, most_ns = (
        light_ns(one, other) * detour / model.speed + 1e3 * overhead
        for detour, overhead in zip(model.detour, model.overhead_us, strict=True)
    )
    assert least_ns * (1 - 1e-9) <= floor_ns <= most_ns * (1 + 1e-9) + 1


@given(seed=st.integers(0, 2**31), here=positions, there=positions)
def test_ends_of_one_place_share_its_paths_and_other_places_have_others(
    seed: int, here: Position, there: Position
) -> None:
    assume(distance_m(here, there) > 1_000)
    paths = Paths(seed=seed, model=PathModel(overhead_us=(0.0, 0.0)), table_ns={})

    def slowness(one: str, other: str) -> float:
        ends = Endpoint(name=one, position=here), Endpoint(name=other, position=there)
        return paths.floor_ns(*ends) / light_ns(*ends)

    assert slowness("a", "b") == pytest.approx(slowness("b", "a"))
    assert len({slowness("a", name) for name in ("b", "c", "d")}) == 3
    elsewhere = Endpoint(name="b", position=moved(there, metres=500.0, azimuth=30.0))
    end = Endpoint(name="a", position=here)
    assert paths.floor_ns(end, elsewhere) / light_ns(end, elsewhere) == pytest.approx(slowness("a", "b"), rel=1e-4)


@given(position=positions, metres=st.floats(0, 19e6), azimuth=st.floats(0, 360))
def test_what_is_moved_is_as_far_away_as_it_was_moved(position: Position, metres: float, azimuth: float) -> None:
    assert distance_m(position, moved(position, metres=metres, azimuth=azimuth)) == pytest.approx(metres, abs=1e-3)


# -- measured ones -----------------------------------------------------------------------------------------------


def test_the_least_of_several_measurements_counts(tmp_path: Path) -> None:
    (tmp_path / "landmarks.csv").write_text(
        "landmark_id,latitude,longitude,position_error_m,country\nx,1,2,50,SG\ny,3,4,50,MY\n"
    )
    (tmp_path / "chips.csv").write_text("chip_id,licensed_area,excluded_area\nchip-y,MY,CN\nchip-z,MY,CN\n")
    (tmp_path / "measurements.csv").write_text(
        "landmark_id,chip_id,round_trip_ms\nx,chip-y,9\nx,chip-y,7.5\nx,chip-z,8\n"
    )
    assert read_table(tmp_path) == {("x", "y"): 7_500_000, ("x", "z"): 8_000_000}
    assert [(place.name, place.position, place.country) for place in places_of(tmp_path)] == [
        ("x", Position(1.0, 2.0), "SG"),
        ("y", Position(3.0, 4.0), "MY"),
    ]


def test_a_measured_path_stands_for_its_pair_and_distance_for_the_others() -> None:
    table_ns = read_table(AZURE)
    ends = {place.name: Endpoint(name=place.name, position=place.position) for place in places_of(AZURE)}
    model = PathModel()
    measured, drawn = (Paths(seed=1, model=model, table_ns=each) for each in (table_ns, {}))
    pairs = [(one, other) for one in ends for other in ends if one != other]
    assert sum((one, other) in table_ns for one, other in pairs) > 1_000
    for one, other in pairs:
        floor_ns = measured.floor_ns(ends[one], ends[other])
        if (one, other) in table_ns:
            assert floor_ns == max(table_ns[one, other], int(light_ns(ends[one], ends[other])) + 1)
        elif (other, one) not in table_ns:
            assert floor_ns == drawn.floor_ns(ends[one], ends[other])
