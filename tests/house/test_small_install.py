"""What agents and landmarks are made of runs on the small install, without numpy and what stands on it."""

import subprocess
import sys

import pytest

HEAVY = ("numpy", "scipy", "shapely", "pyproj", "pyarrow", "numba", "matplotlib")


@pytest.mark.parametrize(
    "module",
    [
        "lightbound.ranging.sessions.agent",
        "lightbound.ranging.sessions.landmark",
        "lightbound.ranging.timing.challenger",
        "lightbound.ranging.timing.responder",
        "lightbound.files.admission",
        "lightbound.files.directories",
        "lightbound.files.keys",
        "lightbound.files.showing",
        "lightbound.enrolment.delivery",
        "lightbound.net.http_client",
        "lightbound.cli.app",
    ],
)
def test_it_imports_nothing_heavy(module: str) -> None:
    code = f"import sys, {module}; sys.exit(', '.join(name for name in {HEAVY!r} if name in sys.modules) or None)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
