"""What a sender of bundles may hope for: a check that crashes or fills the memory, and a witness that counts as two."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lightbound.bundles.contents import Bundle
from lightbound.bundles.logged import LogTrusted
from lightbound.bundles.reading import MOST_VALUES, read_bundle
from lightbound.bundles.recomputed import follows
from lightbound.errors import ErrorCode, Malformed, Refused
from lightbound.files.check_trust import read_check_trust, write_check_trust
from tests.bundles.made import attested, check, logged, trusted


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bundle]:
    with attested(tmp_path_factory.mktemp("world") / "verifier") as made:
        yield made.bundle()


def test_brackets_of_every_depth_are_no_verdict() -> None:
    for depth in range(900, 1_100):
        with pytest.raises(Refused) as caught:
            follows(f'{{"standing":{"[" * depth}{"]" * depth}}}', {"standing": "verified"}, "bundle.verdicts[0]")
        assert caught.value.faults[0].code is ErrorCode.NUMBERS_DIFFER


@pytest.mark.parametrize("empty", [b"\x80", b"\xa0", b"\x61a", b"\x00"])
def test_a_file_of_more_values_than_any_bundle_is_none_before_they_are_made(empty: bytes) -> None:
    count = MOST_VALUES + 1
    with pytest.raises(Malformed) as caught:
        read_bundle(b"\x9a" + count.to_bytes(4, "big") + empty * count)
    assert str(caught.value) == f"expected at most {MOST_VALUES} values, found more at column bundle"


def test_a_witness_that_is_named_twice_is_one_witness(bundle: Bundle) -> None:
    with_log, log = logged(bundle)
    first = log.witnesses[0]
    for twice in ((first, first), (first, replace(first, name="witness.example/other"))):
        done = check(with_log, trusted(LogTrusted(key=log.key, witnesses=twice, threshold=2)))
        assert done.error is not None
        assert done.error.faults[0].code in {ErrorCode.TOO_FEW_WITNESSES, ErrorCode.WRONG_KEY}
        assert check(with_log, trusted(LogTrusted(key=log.key, witnesses=twice[:1], threshold=1))).error is None


def test_a_trust_file_names_each_witness_once(tmp_path: Path, bundle: Bundle) -> None:
    _, log = logged(bundle)
    first = log.witnesses[0]
    path = tmp_path / "check-trust.toml"
    for more in (first, replace(first, name="witness.example/other")):
        believed = trusted(LogTrusted(key=log.key, witnesses=(first, more), threshold=1))
        path.write_text(write_check_trust(believed, roots=None), encoding="utf-8")
        with pytest.raises(Malformed) as caught:
            read_check_trust(path)
        assert caught.value.faults[0].column == "log.witnesses"


def test_a_folder_of_any_name_stands_in_the_trust_file_that_is_written(tmp_path: Path) -> None:
    (tmp_path / 'a "quoted"\\folder').mkdir()
    path = tmp_path / "check-trust.toml"
    path.write_text(write_check_trust(trusted(), roots='a "quoted"\\folder'), encoding="utf-8")
    with pytest.raises(Malformed, match="a folder with certificates"):
        read_check_trust(path)
