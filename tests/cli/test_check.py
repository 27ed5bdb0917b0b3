"""`lightbound check` shows what the verifier chose: by which rules, about which areas, with which key of the host."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lightbound.bundles.contents import Bundle
from lightbound.bundles.vouching import vouched
from lightbound.cli.app import app
from lightbound.cli.check import AFTER, HOST_KEY, RULES
from tests.bundles.made import trusted, unattested, written
from tests.ranging.parties import VERIFIER


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bundle]:
    with unattested(tmp_path_factory.mktemp("world") / "verifier") as made:
        yield made.bundle()


def test_areas_and_rules_are_printed_for_the_verifier_chose_them(bundle: Bundle, tmp_path: Path) -> None:
    said = CliRunner().invoke(app, ["check", *written(tmp_path, bundle, trusted()).arguments()]).output
    assert f"\nlicensed  {bundle.terms.licensed}\nexcluded  CN\nrules     1 fault unit may lie, proof " in said
    assert f"  - {RULES}\n" in said
    assert HOST_KEY not in said


def test_a_program_is_told_the_same(bundle: Bundle, tmp_path: Path) -> None:
    files = written(tmp_path, bundle, trusted())
    told = json.loads(CliRunner().invoke(app, ["check", *files.arguments(), "--json"]).output)
    assert told["terms"] == {
        "licensed": bundle.terms.licensed,
        "excluded": "CN",
        "fault_budget": bundle.terms.fault_budget,
        "proof": bundle.terms.proof,
        "window_s": bundle.terms.window_ns / 1e9,
        "border_error_m": bundle.terms.border_error_m,
        "host_key": None,
    }
    (verdict,) = told["verdicts"]
    assert told["does_not_show"] == [AFTER, RULES, *verdict["assurance"]["does_not_show"]]


def test_a_host_s_key_is_named_as_the_word_of_the_verifier(bundle: Bundle, tmp_path: Path) -> None:
    other = vouched(replace(bundle, pinned=replace(bundle.pinned, quote_key=b"\x00\x0b" + bytes(32))), VERIFIER)
    files = written(tmp_path, other, trusted())
    told = json.loads(CliRunner().invoke(app, ["check", *files.arguments(), "--json"]).output)
    assert told["terms"]["host_key"] == "000b" + bytes(32).hex()
    assert HOST_KEY in told["does_not_show"]
