"""One ping result of RIPE Atlas: which probe asked which target, when, and the least round trip.

The fields are those of RIPE Atlas's "Measurement result format", from firmware 1 on
(https://atlas.ripe.net/docs/apis/measurement-result-format/). They are read strictly, and so that a bound stays a
bound: a round trip is never rounded down. Probes reckon in nanoseconds since firmware 5000, in microseconds
before, and by a clock of their own; how right it is, no result says.
"""

import ipaddress
import math
import re
from functools import lru_cache
from typing import Any, Final, NamedTuple

from lightbound.errors import ErrorCode
from lightbound.files.columns import is_id
from lightbound.files.faults import shown
from lightbound.files.importing.dropped import Reason, Tally, WrongField
from lightbound.units import LONGEST_ROUND_TRIP_NS

NS_PER_MS: Final = 1_000_000

GREATEST_PROBE: Final = 2**63 - 1
LONGEST_NAME: Final = 100
"""Characters of a name or an address: an id has room for that and a word before it."""

LATEST_S: Final = 7_258_118_399
"""The end of 2199, which is as far as the measurement format goes."""

MOST_REQUESTS: Final = 1 << 16
"""More requests behind one result than their sequence number can count is no ping."""

_FIRST_WITH_TYPE: Final = 4460
"""Firmware from which on every result says its type and has its target in `dst_addr`."""

_LONGEST_MS: Final = LONGEST_ROUND_TRIP_NS / NS_PER_MS

_OCTET: Final = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4: Final = re.compile(rf"(?:{_OCTET}\.){{3}}{_OCTET}")
"""What `ipaddress` takes for IPv4, in a quarter of the time."""

_STREAM_RESULT: Final = "atlas_result"


class AtlasPing(NamedTuple):
    """What a result says about a round trip. Whether the probe is where it says, and tells the truth, it cannot say."""

    probe: int
    target: str
    """Address, written the one shortest way."""
    target_name: str | None
    """As it is given: whether it could be part of an id is for whoever makes one of it."""
    measured_at_s: int
    """Start of the measurement by the probe's clock, seconds since 1970 UTC."""
    round_trip_ns: int
    """The least of the answers that count."""
    samples: int
    """How many answers count."""
    synced_s: int | None
    """How long before the result the probe's clock was found right; None where the probe does not know."""


def read_ping(item: Any, tally: Tally) -> AtlasPing | Reason:
    """The result, or the reason why it gives no round trip. Its answers that do not count are counted in `tally`.

    Raises:
        WrongField: the item is not as the format says. A result with one such field is not believed in the others.
    """
    if isinstance(item, list) and len(item) == 2 and isinstance(item[0], str):
        if item[0] != _STREAM_RESULT:
            return Reason.OTHER_KIND
        item = item[1]
    if not isinstance(item, dict):
        raise WrongField(None, "an object", shown(item), ErrorCode.VALUE_MALFORMED)
    firmware = _firmware(item)
    if not _is_ping(item, firmware):
        return Reason.OTHER_KIND
    probe = _whole(item, "prb_id", 1, GREATEST_PROBE)
    measured_at_s = _whole(item, "timestamp", 0, LATEST_S)
    synced_s = _whole(item, "lts", -1, GREATEST_PROBE) if item.get("lts") is not None else -1
    name = item.get("dst_name", item.get("name"))
    least_ms, samples, without = _least(item, firmware)
    field = "dst_addr" if item.get("dst_addr") else "addr"
    if not item.get(field):
        if samples:
            raise WrongField("dst_addr", "an address", "none", ErrorCode.VALUE_MISSING)
        return Reason.UNRESOLVED
    target = address(item[field]) if isinstance(item[field], str) else None
    if target is None:
        raise WrongField(field, "an IP address", shown(item[field]), ErrorCode.VALUE_MALFORMED)
    if without:
        for reason in without:
            tally.drop(reason)
    if not samples:
        return _why_none(without)
    return AtlasPing(
        probe=probe,
        target=target,
        target_name=name if isinstance(name, str) else None,
        measured_at_s=measured_at_s,
        round_trip_ns=nanoseconds(least_ms),
        samples=samples,
        synced_s=None if synced_s < 0 else synced_s,
    )


@lru_cache(maxsize=1 << 14)
def address(text: str) -> str | None:
    """An IP address written the one shortest way; None if the text is none that could be part of an id."""
    if _IPV4.fullmatch(text):
        return text  # IPv4 has one way only
    try:
        return str(ipaddress.ip_address(text)) if len(text) <= LONGEST_NAME and is_id(text) else None
    except ValueError:
        return None


def nanoseconds(ms: float) -> int:
    """The least whole number of nanoseconds that is not below so many milliseconds.

    A number of JSON stands for the double nearest to it: 288.389 is 288,389,000 ns and not one more.
    """
    ns = round(ms * NS_PER_MS)
    return ns + (ns / NS_PER_MS < ms)


def _firmware(item: dict[str, Any]) -> int:
    firmware = item.get("fw")
    if isinstance(firmware, str) and firmware.isascii() and firmware.isdigit():  # as some of the oldest have it
        item = {"fw": int(firmware[:9])}
    return _whole(item, "fw", 1, 10**8)


def _is_ping(item: dict[str, Any], firmware: int) -> bool:
    if item.get("type") == "ping":
        return True
    kind = item.get("type", item.get("msm_name"))
    if kind is None and firmware < _FIRST_WITH_TYPE:
        return "sent" in item and "rcvd" in item
    if not isinstance(kind, str):
        raise _wrong(item, "type", "the kind of measurement")
    return kind.lower() == "ping"


def _least(item: dict[str, Any], firmware: int) -> tuple[float, int, list[Reason]]:
    """The least round trip in milliseconds, the count of answers that count, and why the others do not."""
    replies = item.get("result")
    if replies is None and firmware < _FIRST_WITH_TYPE:
        return _least_of_summary(item)
    if not isinstance(replies, list):
        raise _wrong(item, "result", "an array of answers")
    least, samples = math.inf, 0
    without: list[Reason] = []
    for index, reply in enumerate(replies):
        # Nearly all are like this, and nothing in them needs another look.
        if type(reply) is dict and len(reply) == 1 and type(ms := reply.get("rtt")) is float and 0 < ms <= _LONGEST_MS:
            read: float | Reason = ms
        else:
            read = _answer(reply, f"result[{index}]")
        if isinstance(read, Reason):
            without.append(read)
            continue
        samples += 1
        least = min(least, read)
    return least, samples, without


def _answer(reply: Any, field: str) -> float | Reason:
    """Milliseconds of one answer, or why it does not count."""
    if not isinstance(reply, dict):
        raise WrongField(field, "an object", shown(reply), ErrorCode.VALUE_MALFORMED)
    if "rtt" not in reply:
        if "error" in reply:
            return Reason.ERROR_REPLY
        if "x" in reply:
            return Reason.TIMEOUT
        raise WrongField(field, "rtt, x or error", shown(sorted(reply)), ErrorCode.VALUE_MISSING)
    ms = _milliseconds(reply["rtt"], f"{field}.rtt")
    if "error" in reply:
        return Reason.ERROR_REPLY
    if "dup" in reply:
        return Reason.DUPLICATE_REPLY
    return ms if ms > 0 else Reason.NOT_POSITIVE


def _least_of_summary(item: dict[str, Any]) -> tuple[float, int, list[Reason]]:
    """The same of the oldest results, which hold no single answers."""
    received = _whole(item, "rcvd", 0, MOST_REQUESTS)
    without = [Reason.TIMEOUT] * (_whole(item, "sent", 0, MOST_REQUESTS) - received)
    if not received:
        return math.inf, 0, without
    least = _milliseconds(item.get("min"), "min")
    return (least, received, without) if least > 0 else (math.inf, 0, [*without, Reason.NOT_POSITIVE])


def _why_none(without: list[Reason]) -> Reason:
    if set(without) - {Reason.TIMEOUT, Reason.ERROR_REPLY}:
        return Reason.NO_USABLE_REPLY
    return Reason.ERROR_ONLY if Reason.ERROR_REPLY in without else Reason.NO_REPLY


def _milliseconds(value: object, field: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        code = ErrorCode.VALUE_MISSING if value is None else ErrorCode.VALUE_MALFORMED
        raise WrongField(field, "a number of milliseconds", "none" if value is None else shown(value), code)
    if not value <= _LONGEST_MS:  # so that NaN, which is no JSON, could not pass either
        expected = f"at most {_LONGEST_MS:.0f} ms"
        raise WrongField(field, expected, shown(value), ErrorCode.VALUE_OUT_OF_RANGE)
    return float(max(value, -1.0))  # all that is not positive is the same to us, and a long integer is no double


def _whole(item: dict[str, Any], field: str, least: int, most: int) -> int:
    value = item.get(field)
    if type(value) is not int:  # True is an int, too, to `isinstance`
        raise _wrong(item, field, "a whole number")
    if least <= value <= most:
        return value
    expected = f"a whole number from {least} to {most}"
    raise WrongField(field, expected, shown(value), ErrorCode.VALUE_OUT_OF_RANGE)


def _wrong(item: dict[str, Any], field: str, expected: str) -> WrongField:
    value = item.get(field)
    if value is None:
        return WrongField(field, expected, "none", ErrorCode.VALUE_MISSING)
    return WrongField(field, expected, shown(value), ErrorCode.VALUE_MALFORMED)
