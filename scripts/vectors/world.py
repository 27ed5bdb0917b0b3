"""The small world that all vectors are of: four landmarks of three operators, one agent, one session.

The session is the example of `docs/spec/clp1.md`. One landmark measures and is acknowledged, the second is bound to and
waits in vain, the third contributes too late and is absent; the fourth was not drawn.
"""

from __future__ import annotations

import hashlib
from typing import Any

from vectors.octets import Raw, Signer, cbor, digest, seed, sign, sign1
from vectors.record import AGENT, LANDMARK, Script

SECOND = 1_000_000_000
NOW = 1_800_000_000 * SECOND
"""15 January 2027, 08:00 UTC: when the session is issued."""
FROM, TO = NOW - 86_400 * 30 * SECOND, NOW + 86_400 * 335 * SECOND

VERIFIER = Signer.named("verifier", "verifier")
PARTIES = tuple(Signer.named(f"directory {n}", "directory") for n in (1, 2, 3))
OPERATORS = tuple(Signer.named(f"operator {n}", "operator") for n in (1, 2, 3))
ENROLMENT = Signer.named("enrolment", "enrolment")
S_SEED, X_SEED = seed("session key S"), seed("session key X")
SESSION_KEY = Signer(S_SEED, "session")
LANDMARKS = tuple(
    sorted((Signer.named(f"landmark {n}", "landmark") for n in (1, 2, 3, 4)), key=lambda signer: signer.kid)
)
"""In the order of their ids."""

TYP = "lightbound.{}/1"


def statement(kind: str, payload: Any, *signers: Signer, **wrong: Any) -> bytes:
    """A statement; the payload is a map, or bytes that pass for one."""
    data = bytes(payload) if isinstance(payload, Raw) else cbor(payload)
    if kind in ("bind", "directory"):
        return sign(TYP.format(kind), data, signers, **wrong)
    return sign1(TYP.format(kind), data, *signers, **wrong)


def _operator(number: int, name: str, owner: str) -> dict[str, Any]:
    return {
        "key": OPERATORS[number].public,
        "name": name,
        "owner": owner,
        "contact": f"noc@operator-{number + 1}.example",
        "from_ns": FROM,
        "to_ns": TO,
    }


def _position(number: int, operator: int, place: tuple[int, int, int], hosting: str, country: str) -> dict[str, Any]:
    latitude_e7, longitude_e7, altitude_m = place
    return {
        "landmark_key": LANDMARKS[number].public,
        "operator": OPERATORS[operator].kid,
        "latitude_e7": latitude_e7,
        "longitude_e7": longitude_e7,
        "altitude_m": altitude_m,
        "error_m": 50,
        "hosting": hosting,
        "jurisdiction": country,
        "can_pause": number == 3,
        "surveyed": "GNSS on the roof, 2 h",
        "from_ns": FROM,
        "to_ns": TO,
    }


OPERATOR_SAYS = (
    _operator(0, "Meridian Timing", "Meridian Group"),
    _operator(1, "North Clock", "North Clock Cooperative"),
    _operator(2, "Isochrone Labs", "Meridian Group"),
)
POSITION_SAYS = (
    _position(0, 0, (501_109_220, 86_821_270, 112), "Rack & Room", "DE"),
    _position(1, 1, (522_296_756, 210_122_287, 100), "Vistula Hosting", "PL"),
    _position(2, 2, (-338_688_200, 1_512_092_900, 19), "Harbour Cloud", "AU"),
    _position(3, 1, (596_749_712, 144_208_001, -6), "Rack & Room", "SE"),
)
OPERATOR_STATEMENTS = tuple(
    statement("operator", says, key) for says, key in zip(OPERATOR_SAYS, OPERATORS, strict=True)
)
POSITION_STATEMENTS = tuple(
    statement("position", says, next(key for key in OPERATORS if key.kid == says["operator"])) for says in POSITION_SAYS
)
DIRECTORY_SAYS: dict[str, Any] = {
    "number": 1,
    "previous": None,
    "axes": ["hosting"],
    "operators": sorted(map(digest, OPERATOR_STATEMENTS)),
    "positions": sorted(map(digest, POSITION_STATEMENTS)),
    "from_ns": FROM,
    "to_ns": TO,
}
DIRECTORY = statement("directory", DIRECTORY_SAYS, *PARTIES[:2])
ADMISSION: dict[str, Any] = {
    "directory": DIRECTORY,
    "operators": OPERATOR_STATEMENTS,
    "positions": POSITION_STATEMENTS,
    "keys": [party.public for party in PARTIES],
    "threshold": 2,
}

CHIPS = tuple({"chip_id": seed(f"chip {n}"), "salt": seed(f"salt of chip {n}")[:16]} for n in range(5))
SITE = {"field": "site", "salt": seed("salt of the site"), "value": "hall 4, row C"}
BEACON = seed("beacon")


def chips_root(chips: Any) -> bytes:
    """Salts and ids under one root (RFC 9162), and its count beside it."""

    def root(leaves: list[bytes]) -> bytes:
        if len(leaves) == 1:
            return hashlib.sha256(b"\x00" + leaves[0]).digest()
        split = 1 << (len(leaves) - 1).bit_length() - 1
        return hashlib.sha256(b"\x01" + root(leaves[:split]) + root(leaves[split:])).digest()

    leaves = [chip["salt"] + chip["chip_id"] for chip in chips]
    return digest(cbor(["CLP/1 chips", len(leaves), root(leaves)]))


def drawn(chosen: Any, extras: int, *, beacon: bytes = BEACON) -> list[bytes]:
    """The ids that a draw from the four gives."""
    others = [key.kid for key in LANDMARKS if key.kid not in chosen]
    ranked = sorted(others, key=lambda kid: digest(cbor(["CLP/1 draw", beacon, ENROLMENT.public, kid])))
    return sorted([*chosen, *ranked[:extras]])


CHOSEN = [LANDMARKS[0].kid, LANDMARKS[1].kid]
SESSION_SAYS: dict[str, Any] = {
    "versions": [1],
    "sid": seed("sid")[:16],
    "agent": ENROLMENT.public,
    "chips": chips_root(CHIPS),
    "directory": digest(DIRECTORY),
    "landmarks": drawn(CHOSEN, 1),
    "draw": {"beacon": BEACON, "beacon_name": "log.example checkpoint 48211", "chosen": CHOSEN, "extras": 1},
    "policy": seed("policy"),
    "issued_ns": NOW,
    "expiry_ns": NOW + 300 * SECOND,
    "commitments": {"site": digest(cbor(["CLP/1 field", SITE["salt"], SITE["field"], SITE["value"]]))},
}
SESSION = statement("session", SESSION_SAYS, VERIFIER)

ASKED = [next(n for n, key in enumerate(LANDMARKS) if key.kid == kid) for kid in SESSION_SAYS["landmarks"]]
"""Numbers of the landmarks of the session: the one that measures, the one that aborts, the one that is absent."""
FIRST, SECOND_ONE, ABSENT = (LANDMARKS[n] for n in ASKED)

ERRORS = {"stamp_ns": 2_000, "rate_ppb": 200_000, "session_ns": 20_000_000, "can_pause": False}
AGENT_ADDRESS = "198.51.100.7:40321"
EVIDENCE = cbor({"quote": None, "reports": []})


def dice(name: str) -> dict[str, bytes]:
    """What a landmark draws for one session."""
    lengths = {"random": 32, "x_seed": 32, "cookie": 16, "close_random": 32, "address_salt": 32}
    return {what: seed(f"{what} of {name}")[:length] for what, length in lengths.items()}


def landmark(number: int = ASKED[0], *, errors: dict[str, Any] | None = None) -> Script:
    """One of the landmarks, before SESSION came."""
    return Script(
        LANDMARK,
        identity={
            "seed": LANDMARKS[number].seed,
            "position": digest(POSITION_STATEMENTS[number]),
            "errors": errors or ERRORS,
            "stamps": "kernel",
            "utc_error_ns": 1_000_000,
            "port": 8471,
            "software": "lightbound/0.1.0",
        },
        verifier=VERIFIER.public,
        dice=dice(f"landmark {number}"),
    )


def agent(*, trusted: Any = LANDMARKS) -> Script:
    """The agent, before SESSION came."""
    return Script(
        AGENT,
        trust={
            "verifier": VERIFIER.public,
            "directories": [digest(DIRECTORY)],
            "landmarks": [key.public for key in trusted],
        },
        seed=ENROLMENT.seed,
        dice={"s_seed": S_SEED, "x_seed": X_SEED},
    )


def at(since_ns: int, *, check_ns: int | None = None, utc_ns: int | None = None) -> dict[str, int]:
    """A moment, told from the issue of SESSION: on clocks that agree, unless said otherwise.

    The first two clocks count from somewhere else than UTC does, as clocks of machines do.
    """
    return {
        "ns": 7_000 * SECOND + since_ns,
        "check_ns": 6_999 * SECOND + (since_ns if check_ns is None else check_ns),
        "utc_ns": NOW + (since_ns if utc_ns is None else utc_ns),
    }
