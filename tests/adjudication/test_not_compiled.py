"""Where a process may not run what it wrote, as the units for systemd have it, verdicts are those that they were."""

import subprocess
import sys

import pytest

from tests.house import tree

PR_SET_MDWE = 65
PR_MDWE_REFUSE_EXEC_GAIN = 1

PROGRAM = f"""
import ctypes, sys
if sys.argv.pop(1) == "refused" and ctypes.CDLL(None).prctl({PR_SET_MDWE}, {PR_MDWE_REFUSE_EXEC_GAIN}, 0, 0, 0):
    sys.exit("the kernel knows no such rule")
from lightbound.adjudication import facts
facts.COMPILED_FROM_BOUNDS = 0
from lightbound.cli.app import main
main()
"""

EXAMPLE = tree.ROOT / "examples/azure"


def adjudicated(rule: str) -> subprocess.CompletedProcess[str]:
    files = (EXAMPLE / "measurements.csv", "--landmarks", EXAMPLE / "landmarks.csv", "--chips", EXAMPLE / "chips.csv")
    command = [sys.executable, "-c", PROGRAM, rule, "adjudicate", *map(str, files), "--json"]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def test_verdicts_are_the_same_where_machine_code_may_not_be_made() -> None:
    refused = adjudicated("refused")
    if "no such rule" in refused.stderr:
        pytest.skip("needs Linux 6.3 or later")
    assert refused.returncode == 0, refused.stderr
    assert refused.stdout == adjudicated("allowed").stdout
