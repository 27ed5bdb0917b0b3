"""SESSION: a verifier asks one agent, for all chips of its host, to be timed by stated landmarks.

The chips are a salted Merkle root, so that landmarks learn neither which nor how many, and one chip can be shown
to have been asked for without the others.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lightbound.canonical.cbor import Value, encode
from lightbound.canonical.fields import Fields, integer, octets
from lightbound.errors import ErrorCode, malformed, refused
from lightbound.keys.ed25519 import SigningKey, VerifyingKey
from lightbound.keys.purposes import Purpose
from lightbound.ranging.statements.kinds import LANDMARK_ID_BYTES, VERSION, Kind, believed, signed
from lightbound.tlog import merkle

MOST_LANDMARKS: Final = 512
MOST_CHIPS: Final = 1_024
"""Of one host."""

LONGEST_SESSION_NS: Final = 600_000_000_000
"""Ten minutes from issue to expiry. Longer: an answer can be staged for longer after the question was known."""

CHIP_ID_BYTES: Final = 32
CHIP_SALT_BYTES: Final = 16
"""Of each chip in the tree, 128 bits: ids of chips get known, and without a salt a list of them could be tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """How the landmarks came to be chosen, for whoever checks that they were not picked."""

    beacon: bytes
    """A value of 32 bytes that nobody could know when the directory was signed."""
    beacon_name: str
    """Which one: fixed before its value was known, as the next of a stated source."""
    chosen: tuple[bytes, ...]
    """Those that could prove the site, by the policy."""
    extras: int
    """So many more, drawn from all others of the directory by the beacon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What is asked of whom."""

    versions: tuple[int, ...]
    """Versions of the protocol that the verifier speaks, so that a downgrade shows."""
    sid: bytes
    agent: VerifyingKey
    """The enrolment key that must answer: a session is of no use to another agent."""
    chips: bytes
    directory: bytes
    """Digest of the directory the landmarks are from."""
    landmarks: tuple[bytes, ...]
    draw: Draw
    policy: bytes
    """Digest of the policy of the verifier: areas, fault budget, the rule that chooses landmarks for a site."""
    issued_ns: int
    expiry_ns: int
    commitments: dict[str, bytes]
    """Of private fields: `site`."""


PRIVATE: Final = ("site",)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipProof:
    """What shows that one chip was asked for: its salt, and its place in the tree."""

    chip_id: bytes
    salt: bytes
    index: int
    count: int
    path: tuple[bytes, ...]


def chips_root(chips: Sequence[tuple[bytes, bytes]]) -> bytes:
    """The 32 bytes that stand for some chips, each an id and a salt. Its count is hidden inside."""
    return _chips(len(chips), merkle.root([salt + chip_id for chip_id, salt in chips]))


def chip_proof(chips: Sequence[tuple[bytes, bytes]], index: int) -> ChipProof:
    """What shows the chip at `index` to be among them, and nothing of the others but their count."""
    chip_id, salt = chips[index]
    path = merkle.inclusion_proof([salt + chip_id for chip_id, salt in chips], index)
    return ChipProof(chip_id=chip_id, salt=salt, index=index, count=len(chips), path=path)


def asked_for(proof: ChipProof, chips: bytes) -> bool:
    """Whether the chip of the proof is among those that `chips` stands for."""
    if len(proof.chip_id) != CHIP_ID_BYTES or len(proof.salt) != CHIP_SALT_BYTES or proof.count > MOST_CHIPS:
        return False
    root = merkle.root_from(proof.salt + proof.chip_id, proof.index, proof.count, proof.path)
    return root is not None and _chips(proof.count, root) == chips


def write_session(session: Session, key: SigningKey) -> bytes:
    """The statement SESSION, signed by the verifier."""
    draw = session.draw
    payload: dict[str, Value] = {
        "versions": list(session.versions),
        "sid": session.sid,
        "agent": session.agent.raw,
        "chips": session.chips,
        "directory": session.directory,
        "landmarks": list(session.landmarks),
        "draw": {
            "beacon": draw.beacon,
            "beacon_name": draw.beacon_name,
            "chosen": list(draw.chosen),
            "extras": draw.extras,
        },
        "policy": session.policy,
        "issued_ns": session.issued_ns,
        "expiry_ns": session.expiry_ns,
        "commitments": dict(session.commitments),
    }
    return signed(Kind.SESSION, encode(payload), key)


def read_session(data: bytes, verifier: VerifyingKey) -> Session:
    """What a verifier asks for, checked against its key; whether it may be asked now is for whoever is asked.

    Raises:
        Malformed, Refused: not such a statement, or not by this key.
    """
    fields = Fields.of(believed(data, Kind.SESSION, verifier), Kind.SESSION.short)
    ids = octets(LANDMARK_ID_BYTES)
    read = Session(
        versions=fields.ascending("versions", integer(1, 255), least=1, most=16),
        sid=fields.octets("sid", 16),
        agent=VerifyingKey(purpose=Purpose.ENROLMENT, raw=fields.octets("agent", 32)),
        chips=fields.octets("chips", 32),
        directory=fields.octets("directory", 32),
        landmarks=fields.ascending("landmarks", ids, least=1, most=MOST_LANDMARKS),
        draw=_draw(fields.map("draw")),
        policy=fields.octets("policy", 32),
        issued_ns=fields.instant_ns("issued_ns"),
        expiry_ns=fields.instant_ns("expiry_ns"),
        commitments=fields.digests("commitments", PRIVATE),
    )
    fields.end()
    if not 0 < read.expiry_ns - read.issued_ns <= LONGEST_SESSION_NS:
        found = f"{read.expiry_ns - read.issued_ns} ns"
        raise malformed(
            ErrorCode.STATEMENT_MALFORMED, "an expiry within ten minutes of issue", found, f"{fields.path}.expiry_ns"
        )
    return read


def check_askable(session: Session, *, now_ns: int) -> None:
    """Nothing, if a session may be begun at this moment by whoever speaks this version.

    Raises:
        Refused: it speaks no version of ours, or is not valid now.
    """
    check_version(session)
    if not session.issued_ns <= now_ns <= session.expiry_ns:
        raise refused(ErrorCode.NOT_VALID_THEN, "a session that is valid now", "another", "session.expiry_ns")


def check_version(session: Session) -> None:
    """Nothing, if the verifier offers a version that is spoken here.

    Raises:
        Refused: it does not.
    """
    if VERSION not in session.versions:
        found = ", ".join(map(str, session.versions))
        raise refused(ErrorCode.WRONG_VERSION, f"version {VERSION}", found, "session.versions")


def _draw(fields: Fields) -> Draw:
    read = Draw(
        beacon=fields.octets("beacon", 32),
        beacon_name=fields.text("beacon_name"),
        chosen=fields.ascending("chosen", octets(LANDMARK_ID_BYTES), most=MOST_LANDMARKS),
        extras=fields.integer("extras", most=MOST_LANDMARKS),
    )
    fields.end()
    return read


def _chips(count: int, root: bytes) -> bytes:
    return hashlib.sha256(encode(["CLP/1 chips", count, root])).digest()
