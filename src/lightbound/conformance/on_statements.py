"""The reference's answers about single statements, packets and keys."""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from lightbound.conformance.arguments import Arguments, Json, NotAnOperation, octets
from lightbound.conformance.shapes import as_json, of_json
from lightbound.keys.agreement import AgreementKey
from lightbound.keys.ed25519 import KEY_BYTES, SigningKey, VerifyingKey
from lightbound.keys.purposes import Purpose
from lightbound.keys.signing import digest
from lightbound.ranging.statements import admission, binding, closing, measurement, opening, session
from lightbound.ranging.statements.kinds import SIGNED_BY, Kind
from lightbound.ranging.timing.packets import (
    HANDLE_BYTES,
    NONCE_BYTES,
    PacketType,
    is_genuine,
    read_packet,
    timed_keys,
    write_packet,
)

SHAPES: Final[dict[Kind, type]] = {
    Kind.OPERATOR: admission.Operator,
    Kind.POSITION: admission.PositionStatement,
    Kind.DIRECTORY: admission.Directory,
    Kind.SESSION: session.Session,
    Kind.OPEN: opening.Open,
    Kind.CONTRIB: opening.Contrib,
    Kind.BIND: binding.Bind,
    Kind.CLOSE: closing.Close,
    Kind.ACK: closing.Ack,
    Kind.MEASUREMENT: measurement.Measurement,
    Kind.ABORT: measurement.Abort,
}
"""What is read from each type of statement."""

READERS: Final[dict[Kind, Callable[[bytes, VerifyingKey], object]]] = {
    Kind.POSITION: admission.read_position,
    Kind.SESSION: session.read_session,
    Kind.OPEN: opening.read_open,
    Kind.CONTRIB: opening.read_contrib,
    Kind.BIND: binding.read_bind,
    Kind.CLOSE: closing.read_close,
    Kind.ACK: closing.read_ack,
    Kind.MEASUREMENT: measurement.read_measurement,
    Kind.ABORT: measurement.read_abort,
}
"""Of types that one stated key signs."""

WRITERS: Final[dict[Kind, Callable[[Any, SigningKey], bytes]]] = {
    Kind.OPERATOR: admission.write_operator,
    Kind.POSITION: admission.write_position,
    Kind.SESSION: session.write_session,
    Kind.OPEN: opening.write_open,
    Kind.CONTRIB: opening.write_contrib,
    Kind.CLOSE: closing.write_close,
    Kind.ACK: closing.write_ack,
    Kind.MEASUREMENT: measurement.write_measurement,
    Kind.ABORT: measurement.write_abort,
}

MANIFEST: Final = "evidence"
"""No statement, for nobody signs it; BIND holds its digest."""

PACKETS: Final = {kind.name.lower(): kind for kind in PacketType}

_T = TypeVar("_T")


def _kind(asked: Arguments) -> Kind:
    try:
        return Kind(f"lightbound.{asked.text('statement')}/1")
    except ValueError:
        raise NotAnOperation("no such statement") from None


def read(asked: Arguments) -> Json:
    """What a statement says, and the digest by which others name it."""
    data = asked.octets("data")
    if asked.text("statement") == MANIFEST:
        return {"fields": as_json(binding.read_evidence(data)), "digest": digest(data).hex()}
    return {"fields": as_json(_read(_kind(asked), data, asked)), "digest": digest(data).hex()}


def _read(kind: Kind, data: bytes, asked: Arguments) -> object:
    if kind is Kind.OPERATOR:
        return admission.read_operator(data)
    if kind is Kind.DIRECTORY:
        return admission.read_directory(data, directory_trust(asked))
    raw = _only(asked.every("keys", octets))
    return READERS[kind](data, VerifyingKey(purpose=SIGNED_BY[kind][0], raw=raw))


def directory_trust(asked: Arguments) -> admission.DirectoryTrust:
    """Whose directories are believed: those that so many of some keys signed, and of no more than there are."""
    keys = tuple(VerifyingKey(purpose=Purpose.DIRECTORY, raw=raw) for raw in asked.every("keys", octets))
    most = len({key.key_id for key in keys})
    return admission.DirectoryTrust(keys=keys, threshold=asked.integer("threshold", least=1, most=most))


def _only(items: Sequence[_T]) -> _T:
    if len(items) != 1:
        raise NotAnOperation("one key was expected")
    return items[0]


def write(asked: Arguments) -> Json:
    """The bytes of a statement with these fields, signed by the keys of these seeds."""
    fields = asked.plain("fields")
    if asked.text("statement") == MANIFEST:
        return {"data": of_json(binding.Evidence, fields).manifest().hex()}
    kind = _kind(asked)
    seeds = asked.every("seeds", octets)
    purposes = SIGNED_BY[kind] if kind is Kind.BIND else SIGNED_BY[kind] * len(seeds)
    if len(seeds) != len(purposes) or any(len(seed) != KEY_BYTES for seed in seeds):
        raise NotAnOperation("a seed of 32 bytes for each signer was expected")
    keys = [SigningKey.of_seed(purpose, seed) for purpose, seed in zip(purposes, seeds, strict=True)]
    said = of_json(SHAPES[kind], fields)
    if kind is Kind.BIND:
        return {"data": binding.write_bind(said, *keys).hex()}
    if kind is Kind.DIRECTORY:
        return {"data": admission.write_directory(said, keys).hex()}
    return {"data": WRITERS[kind](said, _only(keys)).hex()}


def read_a_packet(asked: Arguments) -> Json:
    """A packet taken apart, and whether its tag is by this key."""
    packet = read_packet(asked.octets("data"))
    return {
        "type": packet.type.name.lower(),
        "handle": packet.handle.hex(),
        "round": packet.round,
        "nonce": packet.nonce.hex(),
        "genuine": is_genuine(packet, asked.octets("key", KEY_BYTES)),
    }


def write_a_packet(asked: Arguments) -> Json:
    """The 64 bytes of a packet."""
    kind = PACKETS.get(asked.text("type"))
    if kind is None:
        raise NotAnOperation("no such packet")
    written = write_packet(
        kind,
        asked.octets("key", KEY_BYTES),
        handle=asked.octets("handle", HANDLE_BYTES),
        round_number=asked.integer("round", least=0, most=65_535),
        nonce=asked.octets("nonce", NONCE_BYTES),
    )
    return {"data": written.hex()}


def keys_of_the_timed_phase(asked: Arguments) -> Json:
    """The two keys, from one end's seed and the other end's public key."""
    keys = timed_keys(
        AgreementKey.of_seed(asked.octets("seed", KEY_BYTES)).agree(asked.octets("peer")),
        sid=asked.octets("sid"),
        landmark=asked.octets("landmark"),
        bind=asked.octets("bind"),
    )
    return {"handle": keys.handle.hex(), "to_landmark": keys.to_landmark.hex(), "to_agent": keys.to_agent.hex()}


def key_id(asked: Arguments) -> Json:
    """The id of an Ed25519 public key."""
    return {"id": VerifyingKey(purpose=Purpose.LANDMARK, raw=asked.octets("key")).key_id.hex()}


OPERATIONS: Final[dict[str, Callable[[Arguments], Json]]] = {
    "read": read,
    "write": write,
    "read_packet": read_a_packet,
    "write_packet": write_a_packet,
    "timed_keys": keys_of_the_timed_phase,
    "key_id": key_id,
}
