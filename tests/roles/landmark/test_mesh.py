"""Landmarks that time one another, by the protocol and the programs that everybody uses."""

import csv
import json
import signal
import subprocess
from pathlib import Path

from lightbound.net.http_client import Server
from tests.roles.landmark.running import descendants, is_alive
from tests.roles.verifier.running import command, waited, world


def test_landmarks_of_a_mesh_time_one_another_and_are_vetted(tmp_path: Path) -> None:
    with world(tmp_path, more=("--every", "2s", "--nearest", "3", "--extras", "0")) as there:
        for landmark in there.landmarks:
            data = tmp_path / f"mesh-{landmark.name}"
            code = there.verifier.invite(name=landmark.name, landmark=landmark.key.key_id)
            command("agent", "enrol", "--data", data, "--verifier", there.verifier.url, "--code", code)
            landmark.stop()
            landmark.more = ("--mesh", str(data))
            landmark.start()
        pairs = waited(lambda: _pairs(there.verifier.data, there.verifier.admission, tmp_path), within_s=60)
        names = {landmark.key.key_id.hex() for landmark in there.landmarks}
        assert pairs == {(one, other) for one in names for other in names if one != other}
        out = tmp_path / "out"
        vetted = json.loads(command("vet", out / "mesh.csv", "--landmarks", out / "landmarks.csv", "--json"))
        assert vetted["contradictions"] == []
        _ends_with_its_landmark(there.landmarks[0].process, signal.SIGKILL)
        first = there.landmarks[1]
        with Server(first.url) as server:
            assert json.loads(server.get("/health").body)["mesh"] is True
        _ends_with_its_landmark(first.process, signal.SIGTERM)


def _pairs(data: Path, admission: Path, folder: Path) -> set[tuple[str, str]] | None:
    """Who timed whom; None while not everybody has timed everybody."""
    out = folder / "out"
    command("verifier", "export", "--data", data, "--admission", admission, "--out", out, "--mesh")
    rows = csv.DictReader((out / "mesh.csv").read_text(encoding="utf-8").splitlines())
    pairs = {(row["landmark_id"], row["chip_id"]) for row in rows}
    return pairs if len(pairs) == 6 else None


def _ends_with_its_landmark(process: object, how: signal.Signals) -> None:
    assert isinstance(process, subprocess.Popen)
    children = descendants(process.pid)
    assert len(children) == 2
    everybody = {*children, *(grandchild for child in children for grandchild in descendants(child))}
    process.send_signal(how)
    process.wait(timeout=20)
    waited(lambda: not any(is_alive(one) for one in everybody) or None)
