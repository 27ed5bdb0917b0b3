"""Files as RIPE Atlas's API and archive give them, made up: its shapes, nobody's measurements."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

PROBE: Final = 6771
TARGET: Final = "198.51.100.7"
AT_S: Final = 1_772_366_400
"""2026-03-01T12:00:00Z."""


def result(*rtts: float, **changes: Any) -> dict[str, Any]:
    """A ping result of today's firmware with these round trips in milliseconds; a field given as None is left out."""
    answers = [{"rtt": rtt} for rtt in rtts]
    known = {
        "fw": 5080,
        "mver": "2.6.2",
        "lts": 17,
        "dst_name": TARGET,
        "af": 4,
        "dst_addr": TARGET,
        "src_addr": "192.0.2.9",
        "proto": "ICMP",
        "ttl": 55,
        "size": 48,
        "result": answers,
        "dup": 0,
        "rcvd": len(answers),
        "sent": len(answers),
        "min": min(rtts, default=-1),
        "max": max(rtts, default=-1),
        "avg": sum(rtts) / len(rtts) if rtts else -1,
        "msm_id": 1001,
        "prb_id": PROBE,
        "timestamp": AT_S,
        "msm_name": "Ping",
        "from": "203.0.113.9",
        "type": "ping",
        "group_id": 1001,
        "step": 240,
        "stored_timestamp": AT_S + 60,
    }
    return {name: value for name, value in (known | changes).items() if value is not None}


def oldest_result(**changes: Any) -> dict[str, Any]:
    """A ping result of firmware 1, which told no single answers."""
    known = {
        "addr": TARGET,
        "avg": 20.126,
        "dup": 0,
        "from": "203.0.113.9",
        "fw": 1,
        "max": 20.3,
        "min": 19.937999999999999,
        "msm_id": 1001,
        "name": "target.example",
        "prb_id": PROBE,
        "rcvd": 3,
        "sent": 3,
        "size": 56,
        "timestamp": AT_S,
    }
    return {name: value for name, value in (known | changes).items() if value is not None}


def api_probe(probe: int = PROBE, **changes: Any) -> dict[str, Any]:
    """A probe as /api/v2/probes/ gives it."""
    known = {
        "address_v4": "203.0.113.9",
        "address_v6": "2001:db8::9",
        "asn_v4": 64500,
        "asn_v6": 64501,
        "country_code": "DE",
        "description": "under the stairs",
        "geometry": {"type": "Point", "coordinates": [8.68, 50.11]},
        "id": probe,
        "is_anchor": False,
        "is_public": True,
        "status": {"id": 1, "name": "Connected", "since": "2026-02-01T00:00:00Z"},
        "tags": [{"name": "Office", "slug": "office"}],
        "type": "Probe",
    }
    return known | changes


def archived_probe(probe: int = PROBE, **changes: Any) -> dict[str, Any]:
    """A probe as the daily archive gives it."""
    known = {
        "address_v4": None,
        "address_v6": None,
        "asn_v4": 64500,
        "asn_v6": None,
        "country_code": "DE",
        "day": "20260301",
        "id": probe,
        "is_anchor": False,
        "is_public": False,
        "latitude": 50.11,
        "longitude": 8.68,
        "status": 1,
        "status_name": "Connected",
        "tags": ["office"],
    }
    return known | changes


def api_anchor(probe: Any = PROBE, **changes: Any) -> dict[str, Any]:
    """An anchor as /api/v2/anchors/ gives it."""
    known = {
        "id": 2182,
        "type": "Anchor",
        "fqdn": "fra.anchors.example",
        "probe": probe,
        "is_ipv4_only": False,
        "ip_v4": TARGET,
        "as_v4": 64510,
        "ip_v6": "2001:DB8:0::7",
        "as_v6": 64510,
        "city": "Frankfurt",
        "country": "DE",
        "company": "Example",
        "geometry": {"type": "Point", "coordinates": [8.6821, 50.1109]},
        "is_disabled": False,
    }
    return known | changes


def write_array(path: Path, items: list[Any]) -> Path:
    """A JSON array."""
    path.write_text(json.dumps(items), encoding="utf-8")
    return path


def write_lines(path: Path, items: list[Any]) -> Path:
    """JSON lines."""
    path.write_text("".join(json.dumps(item) + "\n" for item in items), encoding="utf-8")
    return path


def many_results(count: int, seed: int) -> Iterator[str]:
    """Results of one length each, as text, all with an answer that counts, some with one missing. Quick to make."""
    dice = random.Random(seed)
    template = json.dumps(result(0.5, 0.5, 0.5))
    start, end = template.index('"result": ['), template.index(', "dup"')
    head, tail = template[:start], template[end:]
    for index in range(count):
        target = f"10.{dice.randrange(256)}.{dice.randrange(256)}.{dice.randrange(256)}"
        base = dice.uniform(1, 300)
        answers = ", ".join(
            '{"x": "*"}' if answer and dice.random() < 0.02 else f'{{"rtt": {base + dice.expovariate(1):.6f}}}'
            for answer in range(3)
        )
        yield (
            head.replace(TARGET, target)
            + f'"result": [{answers}]'
            + tail.replace(f'"prb_id": {PROBE}', f'"prb_id": {1 + index % 13_000}')
        )


def write_many(path: Path, count: int, seed: int) -> Path:
    """A JSON array of so many results."""
    with path.open("w", encoding="utf-8") as file:
        file.write("[")
        for index, text in enumerate(many_results(count, seed)):
            file.write(("," if index else "") + text)
        file.write("]")
    return path
