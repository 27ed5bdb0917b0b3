"""What the README shows is what the program prints."""

import re

import pytest

from lightbound.cli.app import main
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLE = ROOT / "examples" / "azure"


def test_the_table_in_the_readme_is_what_make_demo_prints(capsys: pytest.CaptureFixture[str]) -> None:
    files = ["--landmarks", str(EXAMPLE / "landmarks.csv"), "--chips", str(EXAMPLE / "chips.csv")]
    with pytest.raises(SystemExit) as ended:
        main(["adjudicate", str(EXAMPLE / "measurements.csv"), *files])
    assert ended.value.code in (0, None)
    printed = iter(capsys.readouterr().out.splitlines())
    (shown,) = re.findall(r"```text\n(.*?)```", README, re.DOTALL)
    for line in shown.splitlines():
        if line != "...":
            # Lines stand in the same order; those between are left out only where the README says so.
            assert any(line.rstrip() == other.rstrip() for other in printed), line
