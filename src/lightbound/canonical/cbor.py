"""Deterministic CBOR (RFC 8949, 4.2.1): every value has one encoding, and any other is refused.

Only what statements need exists here: integers of 64 bits, byte and text strings, arrays, maps with text or integer
keys, true, false and null. No floats, no tags, no indefinite lengths. The reading is strict because a hash or a
signature is over bytes: two encodings of one value would be two statements with one meaning.
"""

from typing import Any, Final, NoReturn, TypeAlias

import cbor2

from lightbound.errors import ErrorCode, malformed

Value: TypeAlias = int | bytes | str | bool | list["Value"] | tuple["Value", ...] | dict[Any, "Value"] | None
"""What can be encoded. Decoded arrays are lists; keys of maps are texts or integers."""

MOST_BYTES: Final = 65_536
"""No statement is longer. A session with 500 landmarks is 25 kB. Smaller: large sessions are refused. Larger: whoever
is asked to read garbage reads more of it."""

MOST_DEPTH: Final = 8
"""Containers inside one another. The deepest statement has four."""

_INT_LEAST: Final = -(2**63)
_INT_MOST: Final = 2**64 - 1


_CONTAINERS: Final = frozenset((list, tuple, dict))


def _refuse_tag(*_: object) -> NoReturn:
    raise ValueError("a tag")


_NO_TAGS: Final = dict.fromkeys((*range(300), 1004, 43_000, 55_799), _refuse_tag)
"""Every tag that the library would turn into something else: dates, fractions, references. What is left is its own
type of tag, which is no type of ours."""


def encode(value: Value) -> bytes:
    """The one encoding of a value."""
    return _encoded(value, only_texts=_only_texts(value))


def decode(data: bytes, *, what: str, most_bytes: int = MOST_BYTES) -> Value:
    """The value that these bytes encode, all of them and in the one way; `what` names it in errors.

    Raises:
        Malformed: the bytes are too many, no CBOR, of a type that statements do not have, or not deterministic.
    """
    if len(data) > most_bytes:
        raise malformed(ErrorCode.CBOR_MALFORMED, f"at most {most_bytes} bytes", f"{len(data)}", what)
    try:
        value: Value = cbor2.loads(
            data,
            semantic_decoders=_NO_TAGS,
            max_depth=MOST_DEPTH,
            allow_indefinite=False,
            allow_duplicate_keys=False,
        )
    # The library reports most faults of the bytes by its own errors, and some by Python's.
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, MemoryError, RecursionError) as error:
        raise malformed(ErrorCode.CBOR_MALFORMED, "CBOR without tags", str(error) or "other bytes", what) from error
    again = _encoded(value, only_texts=_check(value, what))
    if again != data:
        found = "bytes after its end" if data.startswith(again) else "another encoding of it"
        raise malformed(ErrorCode.CBOR_NOT_DETERMINISTIC, "the deterministic encoding", found, what)
    return value


def _encoded(value: Value, *, only_texts: bool) -> bytes:
    """The encoding. The library orders keys by length first (4.2.3), which for texts alone is the order of 4.2.1."""
    return cbor2.dumps(value, canonical=True) if only_texts else cbor2.dumps(_ordered(value))


def _only_texts(value: Value) -> bool:
    """Whether all keys of all maps are texts."""
    if type(value) is dict:
        return all(type(key) is str for key in value) and _only_texts(tuple(value.values()))
    if type(value) is list or type(value) is tuple:
        for item in value:  # a generator for each array of a transcript costs as much as encoding it
            if type(item) in _CONTAINERS and not _only_texts(item):
                return False
    return True


def _ordered(value: Value) -> Value:
    """The same with the keys of maps in the order of their encodings."""
    if type(value) is dict:
        return {key: _ordered(value[key]) for key in sorted(value, key=cbor2.dumps)}
    if type(value) is list or type(value) is tuple:
        return [_ordered(item) for item in value]
    return value


def _check(value: object, path: str) -> bool:
    """Refuse what is none of our types, at any depth, which the decoder caps; whether all keys are texts."""
    kind = type(value)
    if kind is bytes or kind is str or kind is bool or value is None:
        return True
    only_texts = True
    if kind is int:
        if not _INT_LEAST <= value <= _INT_MOST:  # type: ignore[operator] # its type has just been looked at
            raise malformed(ErrorCode.CBOR_MALFORMED, "an integer of 64 bits", "a larger one", path)
    elif kind is list:
        for i, item in enumerate(value):  # type: ignore[var-annotated,arg-type]
            # Bytes and small numbers, which long arrays hold, need no look and no path.
            if type(item) is not bytes and not (type(item) is int and 0 <= item <= _INT_MOST):
                only_texts &= _check(item, f"{path}[{i}]")
    elif kind is dict:
        for key, item in value.items():  # type: ignore[attr-defined]
            if type(key) is not str and type(key) is not int:
                raise malformed(ErrorCode.CBOR_MALFORMED, "a text or an integer as key", type(key).__name__, path)
            only_texts &= _check(item, f"{path}.{key}") and type(key) is str
    else:
        raise malformed(
            ErrorCode.CBOR_MALFORMED, "an integer, string, array, map, true, false or null", kind.__name__, path
        )
    return only_texts
