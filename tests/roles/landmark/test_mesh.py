"""Landmarks that time one another, by the protocol and the programs that everybody uses."""

import csv
import json
import signal
import subprocess
from pathlib import Path

import pytest

from lightbound.net.http_client import Server
from tests.roles.landmark.running import descendants, is_alive
from tests.roles.verifier.running import command, waited, world


@pytest.mark.long
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
        _is_accused_if_it_stood_elsewhere(out, there.landmarks[0].key.key_id.hex())
        _ends_with_its_landmark(there.landmarks[0].process, signal.SIGKILL)
        first = there.landmarks[1]
        with Server(first.url) as server:
            assert json.loads(server.get("/health").body)["mesh"] is True
        assert f"mesh={tmp_path}/mesh-{first.name}" in (first.data / "log").read_text(encoding="utf-8")
        _ends_with_its_landmark(first.process, signal.SIGTERM)


def _pairs(data: Path, admission: Path, folder: Path) -> set[tuple[str, str]] | None:
    """Who timed whom; None while not everybody has timed everybody."""
    out = folder / "out"
    command("verifier", "export", "--data", data, "--admission", admission, "--out", out, "--mesh")
    rows = csv.DictReader((out / "mesh.csv").read_text(encoding="utf-8").splitlines())
    pairs = {(row["landmark_id"], row["chip_id"]) for row in rows}
    return pairs if len(pairs) == 6 else None


def _is_accused_if_it_stood_elsewhere(out: Path, landmark: str) -> None:
    """What was measured here is faster than light from where this landmark now says that it stands."""
    text = (out / "landmarks.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    for row in rows:
        if row["landmark_id"] == landmark:
            row["latitude"], row["longitude"] = "48.85", "2.35"
    with (out / "moved.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    vetted = json.loads(command("vet", out / "mesh.csv", "--landmarks", out / "moved.csv", "--json"))
    assert len(vetted["contradictions"]) == 2
    assert all(landmark in one["landmarks"] for one in vetted["contradictions"])


def _ends_with_its_landmark(process: object, how: signal.Signals) -> None:
    assert isinstance(process, subprocess.Popen)
    children = descendants(process.pid)
    assert len(children) == 2
    everybody = {*children, *(grandchild for child in children for grandchild in descendants(child))}
    process.send_signal(how)
    process.wait(timeout=20)
    waited(lambda: not any(is_alive(one) for one in everybody) or None)
