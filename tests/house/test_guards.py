"""The guards bite: what they are there to refuse is refused."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.house import tree

BIN = Path(sys.executable).parent


def _broken_contracts(tmp_path: Path, module: str, line: str) -> str:
    """What lint-imports says, in a copy of the tree where `module` has one line more; empty when it is content."""
    shutil.copytree(tree.ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(tree.ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / "src/lightbound" / module).open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    done = subprocess.run(
        [BIN / "lint-imports", "--no-cache", "--no-logo"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout if done.returncode else ""


@pytest.mark.parametrize(
    ("module", "line", "says"),
    [
        ("units.py", "import os", "Core: "),
        ("geo/earth.py", "from time import monotonic_ns", "Core: "),
        ("adjudication/__init__.py", "import random", "Core: "),
        ("canonical/cbor.py", "import socket", "Core: "),
        ("keys/agreement.py", "import secrets", "Core: "),
        ("tlog/merkle.py", "import sqlite3", "Core: "),
        ("ranging/timing/challenger.py", "import asyncio", "Core: "),
        ("errors.py", "import lightbound.units", "Floors: "),
        ("geo/earth.py", "import lightbound.ranging.readings", "Floors: "),
        ("canonical/cbor.py", "import lightbound.keys.purposes", "Floors: "),
        ("keys/purposes.py", "import lightbound.tlog.merkle", "Floors: "),
        ("tlog/merkle.py", "import lightbound.ranging.readings", "Floors: "),
        ("attic.py", '"""A room without a floor."""', "Floors: "),
        ("adjudication/__init__.py", "import numba", "Compiled "),
    ],
)
def test_the_contracts_refuse(tmp_path: Path, module: str, line: str, says: str) -> None:
    broken = _broken_contracts(tmp_path, module, line)
    assert any(told.startswith(says) and "BROKEN" in told for told in broken.splitlines()), broken


@pytest.mark.parametrize(
    "code",
    [
        "import datetime\nprint(datetime.datetime.now(datetime.UTC))\n",
        "from datetime import datetime\nNOW = datetime.utcnow()\n",
        "from datetime import date\nTODAY = date.today()\n",
        "import time\nNOW = time.time()\n",
        "from time import time_ns\n",
        "import numpy as np\nDICE = np.random.default_rng()\n",
    ],
)
def test_ruff_refuses_a_clock_or_dice_that_are_not_arguments(code: str) -> None:
    command = [str(BIN / "ruff"), "check", "--select", "TID251", "--stdin-filename", "src/lightbound/geo/earth.py", "-"]
    done = subprocess.run(command, cwd=tree.ROOT, input=code, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "TID251" in done.stdout


def test_the_wheel_holds_the_whole_package_and_its_licence(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=tree.ROOT, capture_output=True, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        inside = {name for name in archive.namelist() if ".dist-info/" not in name}
        licences = {name.rpartition("/")[2] for name in archive.namelist() if "/licenses/" in name}
    assert inside == {path.relative_to(tree.ROOT / "src").as_posix() for path in tree.files(tree.PACKAGE)}
    assert licences == {"LICENSE", "NOTICE"}
