"""The timed phase at a landmark, and its clocks: "The timed phase" of the page."""

import hashlib
from typing import Any, Final

from tests.conformance.second.encoding import Json, Refused, cbor, check, h, refuse

TYPES: Final = {"ready": 1, "probe": 2, "reply": 3}
MS: Final = 1_000_000


def tag_of(covered: bytes, key: bytes) -> bytes:
    return hashlib.blake2s(covered, key=key, digest_size=16).digest()


def packet(kind: int, handle: bytes, number: int, nonce: bytes, key: bytes) -> bytes:
    covered = b"LB\x01" + bytes([kind]) + handle + number.to_bytes(2, "big") + bytes(2) + nonce
    return covered + tag_of(covered, key) + bytes(16)


def unpacked(data: bytes) -> tuple[int, bytes, int, bytes]:
    fits = len(data) == 64 and data[:3] == b"LB\x01" and data[3] in (1, 2, 3)
    check(fits and data[14:16] == bytes(2) and data[48:] == bytes(16), "packet_malformed")
    number = int.from_bytes(data[12:14], "big")
    check(data[3] != 1 or number == 0, "packet_malformed")
    return data[3], data[4:12], number, data[16:32]


def transcript(sid: bytes, landmark: bytes, bind: bytes, answers: list[list[Any]]) -> bytes:
    return h(cbor(["CLP/1 transcript", sid, landmark, bind, answers]))


def clock_error(errors: Json, r: int) -> int:
    rate, stamp = errors["rate_ppb"], errors["stamp_ns"]
    longest = r + stamp
    for _ in range(2):
        longest += -(-longest * rate // (10**9 - rate))
    return int(longest - r + (-(-errors["session_ns"] // 3) if errors["can_pause"] else 0))


def round_counts(errors: Json, sent: Json, received: Json) -> bool:
    t, k = received["ns"] - sent["ns"], received["check_ns"] - sent["check_ns"]
    return bool(t > 0 and k >= 0 and abs(t - k) <= errors["stamp_ns"] + abs(k) * errors["rate_ppb"] // 10**9)


def phase_counts(errors: Json, began: Json, ended: Json) -> bool:
    t, u = ended["ns"] - began["ns"], ended["utc_ns"] - began["utc_ns"]
    return bool(t >= 0 and abs(t - u) + abs(u) * errors["rate_ppb"] // 10**9 <= errors["session_ns"] // 2)


class TimedPhase:
    """From the first READY until it is over."""

    def __init__(self, keys: tuple[bytes, bytes], handle: bytes, cookie: bytes, errors: Json) -> None:
        """Before any READY."""
        self.to_landmark, self.to_agent = keys
        self.handle, self.cookie, self.errors = handle, cookie, errors
        self.waiting: list[str] = []
        self.address: str | None = None
        self.target: str | None = None
        self.sent = self.silent = self.dropped = 0
        self.valid: list[tuple[list[Any], int]] = []
        self.out: tuple[bytes, Json, int] | None = None
        self.began: Json = None
        self.ended: Json = None
        self.first_ready_ns: int | None = None
        self.next_ns = self.gap_ns = 0

    def third(self) -> int | None:
        return sorted(r for _, r in self.valid)[2] if len(self.valid) >= 3 else None

    def end_ns(self) -> int:
        return 30_000 * MS + (self.began["ns"] if self.began else self.first_ready_ns or 0)

    def enough(self, now_ns: int) -> bool:
        far = self.sent == 16 and (self.third() or 0) > 50 * MS
        return far or self.sent >= 64 or self.silent >= 16 or now_ns >= self.end_ns()

    def look(self, now_ns: int) -> tuple[bool, bool]:
        """Whether a PROBE may be sent now, and whether it is over; what waited too long is given up."""
        if self.ended or self.first_ready_ns is None:
            return False, self.ended is not None
        if self.out:
            if now_ns < self.out[2]:
                return False, False
            self.out, self.silent, self.next_ns = None, self.silent + 1, now_ns + self.gap_ns
        over = self.enough(now_ns)
        return not over and now_ns >= self.next_ns and (self.address is not None or bool(self.waiting)), over

    def challenge(self, nonce: bytes, gap_ns: int, at: Json) -> bytes:
        check(self.look(at["ns"])[0], "out_of_order")
        self.target = self.waiting.pop(0) if self.address is None else self.address
        self.began = self.began or at
        third = self.third()
        wait_ns = 500 * MS if third is None else min(500 * MS, 2 * third + 20 * MS)
        self.out, self.gap_ns = (nonce, at, min(at["ns"] + wait_ns, self.end_ns())), gap_ns
        self.sent += 1
        return packet(2, self.handle, self.sent - 1, nonce, self.to_agent)

    def arrived(self, data: bytes, source: str, at: Json) -> bool:
        try:
            kind, handle, number, nonce = unpacked(data)
        except Refused:
            return False
        if handle != self.handle or data[32:48] != tag_of(data[:32], self.to_landmark) or self.ended:
            return False
        if kind == 1:
            return self.ready(nonce, source, at)
        if kind != 3 or not self.out or source != self.target or (number, nonce) != (self.sent - 1, self.out[0]):
            return False
        counts = round_counts(self.errors, self.out[1], at)
        if counts and at["ns"] >= self.out[2]:
            return False
        if counts:
            self.valid.append(([number, nonce, data[32:48]], at["ns"] - self.out[1]["ns"]))
        else:
            self.dropped += 1
        self.address, self.out, self.silent, self.next_ns = source, None, 0, at["ns"] + self.gap_ns
        return True

    def ready(self, cookie: bytes, source: str, at: Json) -> bool:
        if cookie != self.cookie or self.address is not None or source in self.waiting or len(self.waiting) >= 4:
            return False
        if self.first_ready_ns is None:
            self.first_ready_ns = self.next_ns = at["ns"]
        self.waiting.append(source)
        return True

    def end(self, at: Json) -> None:
        if not self.ended:
            self.ended, self.out = at, None

    def bound(self) -> tuple[int, int]:
        check(self.ended, "out_of_order")
        third = self.third()
        if third is None:
            refuse("too_few_answers")
        check(phase_counts(self.errors, self.began, self.ended), "clock_disagrees")
        return third, clock_error(self.errors, third)
