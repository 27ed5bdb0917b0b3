"""What landmarks, clocks and disks can do to what an agent keeps: nothing to what it keeps of other landmarks."""

import base64
import json
import os
from pathlib import Path

import pytest

from lightbound.canonical.cbor import encode
from lightbound.errors import ErrorCode, Fault, Malformed, Unavailable
from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.purposes import Purpose
from lightbound.keys.signing import digest
from lightbound.net.http_errors import error_body
from lightbound.roles.agent import fetching
from lightbound.roles.agent.receipts import ASKS_S, FOLDER
from lightbound.roles.agent.receipts_file import FORMAT, NAME, ToAsk, read_waiting, write_waiting
from lightbound.tlog.checkpoint import open_checkpoint
from lightbound.tlog.proof import read_proof
from tests.ranging.parties import key
from tests.roles.agent.lying import NOW_NS, NOW_S, Liar, held, honest, receipts_of, served, session_of, take
from tests.tlog.histories import LOG, LOG_KEY

LIAR, FIRST, SECOND = (key(Purpose.LANDMARK, "receipts", number) for number in range(3))
SESSION = bytes([1]) * 32
DAY_S = 86_400
YEAR_S = 365 * DAY_S

DISK_FULL = (
    b'{"format":"lightbound.error/1","class":"%s","faults":[{"code":"write_failed","expected":"a","found":"b"}]}'
)


@pytest.mark.parametrize("kind", [b"unavailable", b"refused", b"malformed"])
def test_a_landmark_that_says_a_disk_is_full_does_not_stop_the_receipts_of_others(kind: bytes, tmp_path: Path) -> None:
    liar = Liar(key=LIAR, answer=lambda _: (503, DISK_FULL % kind))
    others = [honest(FIRST), honest(SECOND)]
    with served([liar, *others]):
        receipts = receipts_of(tmp_path, [liar, *others])
        for session in (SESSION, bytes([2]) * 32):
            take(receipts, session, [liar, *others])
        receipts.turn(now_s=NOW_S + 5, running_s=0)
    assert len(held(tmp_path, "cose")) == len(held(tmp_path, "tlog-proof")) == 4
    assert receipts.trouble() is None
    waiting, _ = read_waiting(tmp_path / NAME)
    assert [(one.landmark, one.asks, one.at_s) for one in waiting] == [(liar.id, 1, NOW_S + 5 + ASKS_S[1])] * 2


def test_the_same_error_raised_as_it_is_here_stops_nothing_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whatever code the network part raises: where it happens decides, and not what it is called.
    def answer(_: str) -> tuple[int, bytes]:
        return 503, error_body(Unavailable(fault))

    def as_it_is(_status: int, _body: bytes, _peer: str) -> Unavailable:
        return Unavailable(fault)

    fault = Fault(code=ErrorCode.WRITE_FAILED, expected="a", found="b")
    monkeypatch.setattr("lightbound.net.http_client.read_error", as_it_is)
    liar, other = Liar(key=LIAR, answer=answer), honest(FIRST)
    with served([liar, other]):
        receipts = receipts_of(tmp_path, [liar, other])
        take(receipts, SESSION, [liar, other])
        receipts.turn(now_s=NOW_S + 5, running_s=0)
    assert len(held(tmp_path, "cose")) == 1
    assert receipts.trouble() is None


def test_a_receipt_that_is_held_is_never_replaced(tmp_path: Path) -> None:
    nobody = SigningKey.of_seed(Purpose.LOG, bytes(31) + b"\x09")

    def answer(path: str) -> tuple[int, bytes]:
        said = liar.opened(session_of(path))
        if path.endswith("/logged"):
            log = LOG if len(liar.asked) == 1 else nobody
            return 200, encode([liar.receipt(said, log=log)])
        # One that never has a receipt: all is fetched again.
        return 200, encode({"open": said, "abort": liar.aborted(session_of(path))})

    liar = Liar(key=LIAR, answer=answer)
    with served([liar]):
        receipts = receipts_of(tmp_path, [liar])
        take(receipts, SESSION, [liar])
        receipts.turn(now_s=NOW_S + 5, running_s=0)
        receipts.turn(now_s=NOW_S + 100, running_s=0)
        assert [len(one.opens) for one in read_waiting(tmp_path / NAME)[0]] == [1]
        # Also by a process that does not know what the one before it held.
        (tmp_path / NAME).unlink()
        receipts = receipts_of(tmp_path, [liar])
        take(receipts, SESSION, [liar])
        receipts.turn(now_s=NOW_S + 200, running_s=0)
    assert sum(path.endswith("/logged") for path in liar.asked) == 3
    (kept,) = held(tmp_path, "tlog-proof")
    # It bears the time of what it is about, and no earlier one than receipts are asked for.
    assert NOW_S - 2 * DAY_S < kept.stat().st_mtime <= NOW_S + 5
    open_checkpoint(read_proof(kept.read_bytes()).checkpoint, LOG_KEY)


def test_a_landmark_that_gives_more_and_more_statements_of_one_session_has_two_of_each_kept(tmp_path: Path) -> None:
    def answer(path: str) -> tuple[int, bytes]:
        count = len(liar.asked) + 1
        turn = NOW_NS + count // 2
        said, end = liar.opened(SESSION, at_ns=turn), liar.aborted(SESSION, at_ns=turn)
        if path.endswith("/logged"):
            return 200, encode([liar.receipt(said), liar.receipt(end, 1)])
        return 200, encode({"open": said, "abort": end, "measurement": liar.aborted(SESSION, at_ns=NOW_NS + 10**9)})

    liar = Liar(key=LIAR, answer=answer)
    with served([liar]):
        receipts = receipts_of(tmp_path, [liar])
        take(receipts, SESSION, [liar])
        for number, after_s in enumerate((5, 100, 1_000, 10_000)):
            receipts.turn(now_s=NOW_S + after_s, running_s=0)
            if number == 1:
                # What is held is remembered, so that a new process begins no new count.
                receipts = receipts_of(tmp_path, [liar])
                take(receipts, SESSION, [liar], now_s=NOW_S + after_s)
            assert len(held(tmp_path, "cose")) == min(number + 1, 2) * 2
    (one,), _ = read_waiting(tmp_path / NAME)
    assert {digest(path.read_bytes()) for path in held(tmp_path, "cose")} == {*one.opens, *one.ends}


def test_a_receipt_with_the_lines_of_strangers_is_not_kept_and_what_stands_beside_it_is(tmp_path: Path) -> None:
    def answer(path: str) -> tuple[int, bytes]:
        said, end = liar.opened(SESSION), liar.aborted(SESSION)
        if path.endswith("/logged"):
            return 200, encode([liar.receipt(said, padding=padding), liar.receipt(end, 1)])
        return 200, encode({"open": said, "abort": end})

    padding = "".join(f"\u2014 j{number} {base64.b64encode(bytes(300)).decode()}\n" for number in range(40)).encode()
    liar = Liar(key=LIAR, answer=answer)
    with served([liar]):
        receipts = receipts_of(tmp_path, [liar])
        take(receipts, SESSION, [liar])
        receipts.turn(now_s=NOW_S + 5, running_s=0)
    (kept,) = held(tmp_path, "cose")
    assert kept.read_bytes() == liar.aborted(SESSION)
    assert receipts.count() == 1


def old_file(folder: Path, *, days: float) -> Path:
    """A statement that was kept so long ago."""
    path = folder / FOLDER / f"{bytes(32).hex()}.cose"
    path.write_bytes(b"x")
    os.utime(path, (NOW_S - days * DAY_S,) * 2)
    return path


def code(trouble: tuple[str, str] | None) -> str | None:
    """Of what fails."""
    return None if trouble is None else trouble[0]


def test_what_is_old_is_forgotten_also_if_nothing_can_be_written_and_nothing_is_given_up(tmp_path: Path) -> None:
    other = honest(FIRST)
    write_waiting(tmp_path / NAME, [], heard_s=NOW_S)
    with served([other]):
        receipts = receipts_of(tmp_path, [other], kept_days=1)
        old = old_file(tmp_path, days=2)
        # Root writes everywhere, but no file where a folder is.
        name = digest(other.opened(SESSION)).hex()
        stops = [tmp_path / NAME, tmp_path / FOLDER / f"{name}.tlog-proof"]
        stops[0].unlink()
        for stop in stops:
            stop.mkdir()
        take(receipts, SESSION, [other])
        assert not old.exists()
        assert code(receipts.trouble()) == "write_failed"

        # It is asked all the same, as often as it takes, and once there is room it is kept.
        for turn in range(1, 12):
            asked, old = len(other.asked), old_file(tmp_path, days=2)
            receipts.turn(now_s=NOW_S + 40 * turn, running_s=1)
            assert len(other.asked) == asked + 2
            assert not old.exists()
            assert code(receipts.trouble()) == "write_failed"
        for stop in stops:
            stop.rmdir()
        receipts.turn(now_s=NOW_S + 500, running_s=1)
        assert code(receipts.trouble()) == "write_failed"
        take(receipts, bytes([2]) * 32, [other], now_s=NOW_S + 501)
    assert receipts.trouble() is None
    assert [path.stem for path in held(tmp_path)] == [name] * 2
    assert [one.session[0] for one in read_waiting(tmp_path / NAME)[0]] == [2]


def test_it_looks_for_what_is_old_each_hour_and_before_it_asks_anybody(tmp_path: Path) -> None:
    write_waiting(tmp_path / NAME, [], heard_s=NOW_S)
    other = honest(FIRST)
    receipts = receipts_of(tmp_path, [other])
    take(receipts, SESSION, [other])
    old = old_file(tmp_path, days=31)
    take(receipts, SESSION, [other], running_s=3_599)
    assert old.exists()
    take(receipts, SESSION, [other], running_s=3_600)
    assert not old.exists()
    assert not other.asked


def test_a_statement_that_was_heard_under_a_wrong_clock_has_nothing_forgotten_under_the_right_one(
    tmp_path: Path,
) -> None:
    other = honest(FIRST)
    write_waiting(tmp_path / NAME, [], heard_s=NOW_S + YEAR_S)
    receipts = receipts_of(tmp_path, [other])
    kept = old_file(tmp_path, days=29)
    take(receipts, SESSION, [other])
    assert kept.exists()


@pytest.mark.parametrize("ahead_s", [31 * DAY_S, YEAR_S])
def test_a_clock_that_is_ahead_for_a_moment_empties_nothing_and_parks_nothing(ahead_s: float, tmp_path: Path) -> None:
    def answer(path: str) -> tuple[int, bytes]:
        return (503, b"") if len(late.asked) == 1 else in_time.answer(path)

    good, late, in_time = honest(FIRST), Liar(key=SECOND, answer=answer), honest(SECOND)
    with served([good, late]):
        receipts = receipts_of(tmp_path, [good, late])
        take(receipts, SESSION, [good])
        receipts.turn(now_s=NOW_S + 5, running_s=1)
        assert len(held(tmp_path, "cose")) == 1
        old = old_file(tmp_path, days=29)

        # An hour later the clock is wrong, while one is asked in vain and another says what it said before.
        take(receipts, bytes([2]) * 32, [good, late], now_s=NOW_S + 10)
        receipts.turn(now_s=NOW_S + ahead_s, running_s=3_600)
        take(receipts, bytes([3]) * 32, [late], now_s=NOW_S + ahead_s)
        assert old.exists()
        assert len(held(tmp_path, "cose")) == 3

        # It is right again, and another process, too: nothing is due later than a day from now.
        for again in (receipts, receipts_of(tmp_path, [good, late])):
            take(again, bytes([4]) * 32, [good], now_s=NOW_S + 20)
            assert all(one.at_s <= NOW_S + 20 + ASKS_S[-1] for one in read_waiting(tmp_path / NAME)[0])
        again.turn(now_s=NOW_S + 20 + DAY_S, running_s=0)
    assert {session_of(path)[0] for path in late.asked} == {2, 3}
    assert len(held(tmp_path, "cose")) == 6
    assert again.count() == 0


def test_a_landmark_that_signs_what_is_to_come_has_nothing_forgotten(tmp_path: Path) -> None:
    def answer(path: str) -> tuple[int, bytes]:
        said = liar.opened(SESSION, at_ns=NOW_NS + YEAR_S * 10**9)
        return 200, encode([liar.receipt(said)]) if path.endswith("/logged") else encode({"open": said})

    liar = Liar(key=LIAR, answer=answer)
    with served([liar]):
        receipts = receipts_of(tmp_path, [liar])
        take(receipts, SESSION, [liar])
        receipts.turn(now_s=NOW_S + 5, running_s=0)
        old = old_file(tmp_path, days=1)
        take(receipts, bytes([2]) * 32, [liar], now_s=NOW_S + 10)
        assert read_waiting(tmp_path / NAME)[1] == NOW_S + 5
        take(receipts_of(tmp_path, [liar]), bytes([3]) * 32, [liar], now_s=NOW_S + 40 * DAY_S)
    assert old.exists()


def test_a_mistake_of_ours_over_one_landmark_is_told_and_the_others_are_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(one: ToAsk, *_: object, **more: object) -> fetching.Came:
        if one.landmark == liar.id:
            raise AssertionError
        return fetching.fetched(one, *_, **more)  # type: ignore[arg-type] # passed on as it came

    liar, other = honest(LIAR), honest(FIRST)
    with served([liar, other]):
        receipts = receipts_of(tmp_path, [liar, other])
        take(receipts, SESSION, [liar, other])
        with monkeypatch.context() as patch:
            patch.setattr("lightbound.roles.agent.receipts.fetched", broken)
            receipts.turn(now_s=NOW_S + 5, running_s=0)
        assert len(held(tmp_path, "cose")) == 1
        assert code(receipts.trouble()) == "bug"
        receipts.turn(now_s=NOW_S + 100, running_s=0)
    assert len(held(tmp_path, "cose")) == 2
    assert receipts.trouble() is None


@pytest.mark.parametrize("at_s", [float("nan"), float("inf"), -float("inf"), 10**400])
@pytest.mark.parametrize("which", ["at_s", "heard_s"])
def test_an_instant_that_is_no_number_is_malformed(which: str, at_s: float, tmp_path: Path) -> None:
    file = tmp_path / NAME
    write_waiting(file, [ToAsk(session=SESSION, landmark=bytes(16), ended=None, at_s=1.0)], heard_s=0.0)
    told = json.loads(file.read_bytes())
    (told if which == "heard_s" else told["waiting"][0])[which] = at_s
    file.write_text(json.dumps(told))
    with pytest.raises(Malformed) as caught:
        read_waiting(file)
    assert caught.value.faults[0].code is ErrorCode.FILE_FORMAT


def test_what_is_waited_for_is_read_as_it_was_written_and_as_it_once_was(tmp_path: Path) -> None:
    file = tmp_path / NAME
    one = ToAsk(
        session=SESSION, landmark=bytes(16), ended=bytes(32), at_s=1.5, asks=2, opens=(bytes(32),), ends=(SESSION,) * 2
    )
    write_waiting(file, [one], heard_s=2.5)
    assert read_waiting(file) == ([one], 2.5)
    before = {"session": SESSION.hex(), "landmark": bytes(16).hex(), "ended": None, "at_s": 1.5, "asks": 2}
    file.write_text(json.dumps({"format": FORMAT, "waiting": [before]}))
    assert read_waiting(file) == ([ToAsk(session=SESSION, landmark=bytes(16), ended=None, at_s=1.5, asks=2)], 0.0)
