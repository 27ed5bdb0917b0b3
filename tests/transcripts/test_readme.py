"""What the README shows is what the program prints."""

import re

import pytest

from lightbound.cli.app import main
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLE = ROOT / "examples" / "azure"


def blocks() -> list[str]:
    """What the README shows of output: of the running example, and of the example on files."""
    return re.findall(r"```text\n(.*?)```", README, re.DOTALL)


def assert_told(shown: str, printed: str) -> None:
    """Each line that is shown was printed, in the same order; `...` stands for any others."""
    left = iter(printed.splitlines())
    for line in shown.splitlines():
        if line != "...":
            assert any(line.rstrip() == other.rstrip() for other in left), line


def test_the_table_in_the_readme_is_what_make_example_prints(capsys: pytest.CaptureFixture[str]) -> None:
    files = ["--landmarks", str(EXAMPLE / "landmarks.csv"), "--chips", str(EXAMPLE / "chips.csv")]
    with pytest.raises(SystemExit) as ended:
        main(["adjudicate", str(EXAMPLE / "measurements.csv"), *files])
    assert ended.value.code in (0, None)
    _, shown = blocks()
    assert_told(shown, capsys.readouterr().out)
