"""Vectors of the timed packets and their keys, and of ids of keys."""

from __future__ import annotations

from typing import Any

from vectors import world
from vectors.curve import D, P
from vectors.octets import Raw, digest, flipped, seed
from vectors.pair import PLAIN, contrib_x, packet
from vectors.record import AGENT, ALL, LANDMARK, Subject
from vectors.statements import payload_of

BOTH = (LANDMARK, AGENT)
MALFORMED = ("malformed", "packet_malformed")

SMALL_U = (
    0,
    1,
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
    P - 1,
    P,
    P + 1,
)
"""Every u of a point of small order on Curve25519 or its twist, and two that are these again (RFC 7748, 6.1)."""


def make() -> Subject:
    """Packets, then keys."""
    subject = Subject("packets", "The timed packets, the keys of their tags, and ids of keys.")
    keys = PLAIN.pair.keys()
    read = {"do": "read_packet"}
    for name, about, data, direction, roles in (
        ("ready", "the agent is there", PLAIN.ready, "to_landmark", (LANDMARK,)),
        ("probe", "a challenge, of round 0", PLAIN.probe, "to_agent", (AGENT,)),
        ("reply", "its answer", PLAIN.reply, "to_landmark", (LANDMARK,)),
    ):
        told = subject.result(name, about, roles, is_={"genuine": True}, data=data, key=keys[direction], **read)
        writer = (AGENT,) if roles == (LANDMARK,) else (LANDMARK,)
        fields = {field: told[field] for field in ("type", "handle", "round", "nonce")}
        again = {"do": "write_packet", "key": keys[direction], **fields}
        subject.result(
            f"{name}-written", f"{about}: the same bytes from its fields", writer, is_={"data": data}, **again
        )
        other = keys["to_agent" if direction == "to_landmark" else "to_landmark"]
        given = read | {"data": data, "key": other}
        subject.result(
            f"{name}-other-direction", "under the key of the other direction", roles, is_={"genuine": False}, **given
        )
    last = packet(3, keys["to_landmark"], handle=keys["handle"], number=63, nonce=seed("a nonce")[:16])
    about = "the reply of the last round"
    key = keys["to_landmark"]
    subject.result("reply-last-round", about, (LANDMARK,), is_={"round": 63}, data=last, key=key, **read)
    high = packet(3, keys["to_landmark"], handle=keys["handle"], number=0x0102, nonce=seed("a nonce")[:16])
    about = "a round that no phase has: well-formed, and of use to nobody"
    subject.result("reply-high-round", about, (LANDMARK,), is_={"round": 258}, data=high, key=key, **read)
    for name, byte in (("handle", 4), ("round", 13), ("nonce", 16), ("tag", 47)):
        changed = flipped(PLAIN.reply, byte)
        about = f"a bit of its {name} turned"
        subject.result(f"reply-{name}-flipped", about, BOTH, is_={"genuine": False}, data=changed, key=key, **read)
    for name, about, data in _malformed():
        subject.refusal(f"packet-{name}", about, BOTH, MALFORMED, data=data, key=key, **read)
    _timed_keys(subject)
    _ids(subject)
    return subject


def _malformed() -> list[tuple[str, str, bytes]]:
    good, ready = PLAIN.reply, PLAIN.ready

    def at(number: int, value: int, data: bytes = good) -> bytes:
        return data[:number] + bytes((value,)) + data[number + 1 :]

    return [
        ("empty", "no bytes", b""),
        ("short", "63 bytes", good[:-1]),
        ("long", "65 bytes", good + b"\0"),
        ("without-padding", "48 bytes", good[:48]),
        ("magic", "it begins with LC", at(1, 0x43)),
        ("wrong-version", "version 2", at(2, 2)),
        ("version-nought", "version 0", at(2, 0)),
        ("type-nought", "type 0", at(3, 0)),
        ("type-four", "type 4", at(3, 4)),
        ("reserved-first", "something in the first reserved byte", at(14, 1)),
        ("reserved-second", "something in the second", at(15, 0x80)),
        ("padding-first", "something in the first byte of padding", at(48, 1)),
        ("padding-last", "something in the last byte of padding", at(63, 1)),
        ("ready-with-round", "READY of round 1", at(13, 1, ready)),
    ]


def _timed_keys(subject: Subject) -> None:
    agents_x = payload_of("bind")["x"]
    context: dict[str, Any] = {
        "do": "timed_keys",
        "sid": world.SESSION_SAYS["sid"],
        "landmark": PLAIN.pair.kid,
        "bind": digest(PLAIN.bind),
    }
    landmarks_seed = world.dice(f"landmark {world.ASKED[0]}")["x_seed"]
    landmarks_x = contrib_x(PLAIN.contrib)
    told = subject.result(
        "timed-keys-landmark",
        "as the landmark derives them",
        (LANDMARK,),
        seed=landmarks_seed,
        peer=agents_x,
        **context,
    )
    about = "as the agent derives them: the same"
    subject.result("timed-keys-agent", about, (AGENT,), is_=told, seed=world.X_SEED, peer=landmarks_x, **context)
    high = flipped(agents_x, 31, 7)
    about = "the highest bit of a key, which RFC 7748 ignores"
    subject.result("timed-keys-high-bit", about, BOTH, is_=told, seed=landmarks_seed, peer=high, **context)
    about = "another BIND: other keys"
    other = context | {"bind": seed("another BIND")}
    subject.result("timed-keys-other-bind", about, BOTH, seed=landmarks_seed, peer=agents_x, **other)
    for number, u in enumerate(SMALL_U):
        peer = Raw(u.to_bytes(32, "little"))
        about = "a key of small order, with which anybody would share"
        why = ("refused", "wrong_key")
        subject.refusal(f"timed-keys-small-order-{number}", about, BOTH, why, seed=landmarks_seed, peer=peer, **context)


def _ids(subject: Subject) -> None:
    for name, about, key in (
        ("key-id", "the id of a key", world.VERIFIER.public),
        ("key-id-of-landmark", "a landmark's id is that of its key", world.FIRST.public),
    ):
        subject.result(name, about, ALL, do="key_id", key=key)
    why = ("malformed", "key_malformed")
    subject.refusal("key-id-short", "a key of 31 bytes", ALL, why, do="key_id", key=world.VERIFIER.public[:-1])
    subject.refusal("key-id-long", "a key of 33 bytes", ALL, why, do="key_id", key=world.VERIFIER.public + b"\0")
    for number, y in enumerate(small_order_y()):
        for sign in (0, 1):
            key = (y | sign << 255).to_bytes(32, "little")
            about = "a key of small order, of which one signature does for many messages"
            subject.refusal(f"key-id-small-order-{number}-{sign}", about, ALL, why, do="key_id", key=key)


def small_order_y() -> list[int]:
    """Every y of a point of small order, and those that are these again. Of order 8: D y^4 + 2 y^2 = 1."""
    root = pow(D + 1, (P + 3) // 8, P)
    if (root * root - D - 1) % P:
        root = root * pow(2, (P - 1) // 4, P) % P
    for plus_or_minus in (root, P - root):
        square = (plus_or_minus - 1) * pow(D, -1, P) % P
        y = pow(square, (P + 3) // 8, P)
        if (y * y - square) % P:
            y = y * pow(2, (P - 1) // 4, P) % P
        if (y * y - square) % P == 0:
            return [0, 1, min(y, P - y), max(y, P - y), P - 1, P, P + 1]
    raise AssertionError("there are points of order 8")
