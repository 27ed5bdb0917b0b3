"""Any bytes are read or raise `Malformed`, nothing else; and what comes out can be read as measurements."""

import io
import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightbound.errors import Malformed
from lightbound.files.importing.atlas import AtlasSettings
from lightbound.files.importing.atlas_places import read_places
from lightbound.files.importing.dropped import Tally
from lightbound.files.importing.mapped_csv import CsvMap
from lightbound.files.importing.ping_output import PingOutput
from lightbound.files.importing.runs import import_atlas, import_ping
from tests.importing.atlas_files import api_anchor, api_probe, oldest_result, result
from tests.importing.round_trip import rows_read_back

PING = (
    b"PING a (192.0.2.1) 56(84) bytes of data.\n[17.5] 64 bytes from 192.0.2.1: icmp_seq=1 ttl=5 time=1.2 ms\n"
    b"--- a ping statistics ---\n2 packets transmitted, 1 received, 50% packet loss, time 1ms\n"
    b"rtt min/avg/max/mdev = 1.2/1.2/1.2/0.0 ms\n"
)
FPING = (
    b"192.0.2.1 : [0], 64 bytes, 0.03 ms (0.03 avg, 0% loss)\n2001:db8::1 : 1.2 - 3.4\na is alive (3 ms)\n"
    b"b : xmt/rcv/%loss = 2/2/0%, min/avg/max = 1.2/2.3/3.4\n"
)

SEEDS: dict[str, list[bytes]] = {
    "atlas": [
        json.dumps([result(1.5, 2.5), oldest_result(), result(1.0, type="dns"), result()], indent=1).encode(),
        b"".join(json.dumps(item).encode() + b"\n" for item in (result(1.5), ["atlas_result", result(2.5)])),
    ],
    "places": [json.dumps({"results": [api_probe(), api_anchor()]}).encode()],
    "ping": [PING, FPING],
    "csv": [b'src,dst,rtt,at,n\na,b,1.5,2026-03-01T12:00:00Z,3\n"a ""b""",c,2,2026-03-01T12:00:00+01:00,1\n'],
}

CSV = {"landmark_id": "src", "chip_id": "dst", "round_trip_ms": "rtt", "measured_at": "at", "samples": "n"}


def import_as(kind: str, path: Path, *, every: bool) -> bytes:
    """The measurements that come out; of places, nothing."""
    out, tally = io.BytesIO(), Tally()
    match kind:
        case "atlas":
            import_atlas([path], out, AtlasSettings(), tally)
        case "places":
            list(read_places([path], tally))
        case "ping":
            import_ping(path, out, PingOutput(tally, landmark="l", chip=None, untimed_at_ns=None), tally, every=every)
        case "csv":
            import_ping(path, out, CsvMap(columns=CSV), tally, every=every)
    return out.getvalue()


def spoiled(seed: bytes, dice: random.Random) -> bytes:
    """The seed with a few bytes changed, cut, doubled or put elsewhere."""
    content = bytearray(seed)
    for _ in range(dice.randrange(1, 6)):
        at = dice.randrange(len(content) + 1)
        end = min(len(content), at + dice.choice([1, 1, 1, 5, 50]))
        match dice.randrange(10):
            case 0 | 1 | 2:
                del content[at:end]
            case 3 | 4:
                content.insert(at, dice.randrange(256))
            case 5 | 6:
                content.insert(at, dice.choice(b'{}[]",:\n.-+eE0129 '))
            case 7 | 8:
                content[at:at] = content[at:end] * dice.choice([1, 2, 100])
            case _:
                del content[at:]
    return bytes(content)


def check(kind: str, path: Path, content: bytes, *, every: bool) -> None:
    path.write_bytes(content)
    try:
        out = import_as(kind, path, every=every)
    except Malformed:
        return
    if kind != "places":
        assert rows_read_back(path.parent, out)


@pytest.mark.parametrize("kind", SEEDS)
@given(content=st.binary() | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_parse_or_are_malformed(tmp_path_factory: pytest.TempPathFactory, kind: str, content: bytes) -> None:
    check(kind, tmp_path_factory.getbasetemp() / kind, content, every=True)


@pytest.mark.parametrize("every", [True, False])
@pytest.mark.parametrize("kind", SEEDS)
def test_a_good_file_with_a_few_bytes_changed_parses_or_is_malformed(tmp_path: Path, kind: str, every: bool) -> None:  # noqa: FBT001 - a case
    dice = random.Random(7)
    for _ in range(150):
        check(kind, tmp_path / kind, spoiled(dice.choice(SEEDS[kind]), dice), every=every)


@pytest.mark.parametrize("kind", SEEDS)
def test_the_good_files_that_are_spoiled_above_are_good(tmp_path: Path, kind: str) -> None:
    for content in SEEDS[kind]:
        path = tmp_path / kind
        path.write_bytes(content)
        out = import_as(kind, path, every=False)
        assert kind == "places" or rows_read_back(tmp_path, out)


@pytest.mark.soak
@pytest.mark.parametrize("kind", SEEDS)
def test_twenty_thousand_spoiled_files_parse_or_are_malformed(tmp_path: Path, kind: str) -> None:
    seed = random.SystemRandom().randrange(2**32)
    dice = random.Random(seed)
    for number in range(5_000):
        content = spoiled(dice.choice(SEEDS[kind]), dice)
        try:
            check(kind, tmp_path / kind, content, every=number % 2 == 0)
        except BaseException as error:
            error.add_note(f"seed {seed}, file {number}: {content!r}")
            raise
