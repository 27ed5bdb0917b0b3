"""The admission folder of the running example is one like any other."""

import random
from pathlib import Path

from lightbound.demo.admission import POSITION, DemoLandmark, make_admission
from lightbound.files.admission import read_admission
from lightbound.files.keys import key_path, read_key
from lightbound.keys.purposes import Purpose
from lightbound.keys.signing import digest
from lightbound.ranging.statements.admission import Axis

YEAR_NS = 31_557_600 * 10**9


def _landmarks(folder: Path) -> list[DemoLandmark]:
    return [
        DemoLandmark(
            name=f"lm-{number}",
            latitude=1.25 + number,
            longitude=-103.8 + number,
            error_m=100,
            operator=f"Operator {number % 5}",
            owner=f"Owner {number % 5}",
            hosting=f"hall {number}",
            jurisdiction="SG",
            url=f"http://127.0.0.{number + 1}:8471",
            data=folder / f"lm-{number}",
        )
        for number in range(8)
    ]


def test_eight_landmarks_of_five_operators_are_let_in_and_find_their_keys_and_positions(tmp_path: Path) -> None:
    wanted = _landmarks(tmp_path)
    dice = random.Random(1)
    keys = make_admission(tmp_path / "admission", wanted, seed=dice.randbytes, from_ns=YEAR_NS, to_ns=9 * YEAR_NS)
    folder = read_admission(tmp_path / "admission")
    assert len(folder.operators) == 5
    assert folder.admitted.left_out == ()
    assert {one.name for one in folder.addresses.values()} == {one.name for one in wanted}
    assert {one.fault_unit for one in folder.admitted.by_id.values()} == {f"Owner {number}" for number in range(5)}
    for one in wanted:
        key = read_key(key_path(one.data, Purpose.LANDMARK), Purpose.LANDMARK)
        assert key.key_id == keys[one.name].key_id
        there = folder.admitted.by_id[key.key_id]
        assert there.position_digest == digest((one.data / POSITION).read_bytes())
        assert (folder.addresses[key.key_id].name, folder.addresses[key.key_id].url) == (one.name, one.url)
        assert round(there.position.position.latitude, 7) == one.latitude


def test_axes_join_what_shares_them(tmp_path: Path) -> None:
    make_admission(
        tmp_path / "admission",
        _landmarks(tmp_path),
        seed=random.Random(2).randbytes,
        from_ns=YEAR_NS,
        to_ns=9 * YEAR_NS,
        axes=tuple(Axis),
    )
    folder = read_admission(tmp_path / "admission")
    assert {one.fault_unit for one in folder.admitted.by_id.values()} == {"Owner 0"}
