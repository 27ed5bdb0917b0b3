"""What a policy believes, and what it refuses to be."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightbound.errors import ErrorCode, Malformed, Refused
from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.purposes import Purpose
from lightbound.tlog import merkle
from lightbound.tlog.checkpoint import Checkpoint, log_key, sign_checkpoint
from lightbound.tlog.cosignature import Cosignature, cosign_text, witness_key
from lightbound.tlog.note import NoteKey, read_note, with_lines
from lightbound.tlog.policy import Policy, enough, open_by_policy, policy_of, read_policy, write_policy

ORIGIN = "log.example/test"
LOG = SigningKey.of_seed(Purpose.LOG, bytes(31) + b"\x01")
KEYS = [SigningKey.of_seed(Purpose.WITNESS, bytes(31) + bytes([number])) for number in range(10, 16)]
WITNESSES = [witness_key(f"w{number}.example", key.verifying) for number, key in enumerate(KEYS)]
NAMES = ["X1", "X2", "X3", "Y1", "Y2", "Y3"]

LINES = [f"log {log_key(ORIGIN, LOG.verifying)} https://log.example/"]
LINES += [f"witness {name} {key}" for name, key in zip(NAMES, WITNESSES, strict=True)]

TWO_LEVELS = "\n".join([
    "# two of one house and one of another", "", *LINES, "group X-witnesses\t2 X1 X2 X3",
    "  group Y-witnesses any Y1 Y2 Y3", "group X-and-Y all X-witnesses Y-witnesses ", "quorum X-and-Y", "",
])  # fmt: skip
"""The example of the specification, with keys."""


def by(*witnesses: NoteKey) -> list[Cosignature]:
    return [Cosignature(witness=one, at_s=1) for one in witnesses]


def checkpoint(*cosigners: int) -> bytes:
    said = Checkpoint(origin=ORIGIN, size=3, root=merkle.root([b"a", b"b", b"c"]))
    note = read_note(sign_checkpoint(said, LOG))
    lines = [cosign_text(note.text, WITNESSES[one].name, KEYS[one], at_s=1_000 + one) for one in cosigners]
    return with_lines(note, lines).encoded()


def test_two_levels_hold_for_those_sets_of_witnesses_that_the_lines_say_and_no_others() -> None:
    policy = read_policy(TWO_LEVELS.encode())
    for count in range(7):
        for chosen in itertools.combinations(range(6), count):
            of_x, of_y = sum(one < 3 for one in chosen), sum(one >= 3 for one in chosen)
            assert enough(policy, by(*(WITNESSES[one] for one in chosen))) == (of_x >= 2 and of_y >= 1)


def test_a_witness_counts_once_and_a_stranger_never() -> None:
    policy = policy_of([log_key(ORIGIN, LOG.verifying)], WITNESSES[:3], 2)
    renamed = witness_key("another.example", KEYS[1].verifying)
    assert not enough(policy, by(WITNESSES[0], WITNESSES[0], WITNESSES[4], renamed))
    assert enough(policy, by(WITNESSES[0], WITNESSES[2]))


def test_a_key_that_stands_twice_among_witnesses_is_refused_for_it_would_count_twice() -> None:
    renamed = witness_key("another.example", KEYS[0].verifying)
    for twice in ((WITNESSES[0], WITNESSES[0]), (WITNESSES[0], renamed)):
        with pytest.raises(Malformed) as caught:
            policy_of([], twice, 2)
        assert caught.value.faults[0].code is ErrorCode.SETTING_MALFORMED


@given(k=st.integers(0, 6), cosigned=st.sets(st.integers(0, 5)), more=st.integers(0, 5))
def test_k_of_n_asks_for_k_and_another_cosignature_never_spoils_it(k: int, cosigned: set[int], more: int) -> None:
    policy = policy_of([], WITNESSES, k)
    assert read_policy(write_policy(policy)) == policy
    holds = enough(policy, by(*(WITNESSES[one] for one in cosigned)))
    assert holds == (len(cosigned) >= k)
    assert enough(policy, by(*(WITNESSES[one] for one in cosigned | {more}))) >= holds


def test_a_checkpoint_is_believed_with_a_quorum_and_refused_with_less() -> None:
    policy = read_policy(TWO_LEVELS.encode())
    read, seen = open_by_policy(checkpoint(0, 2, 4), policy)
    assert read.size == 3
    assert [one.at_s for one in seen] == [1_000, 1_002, 1_004]
    with pytest.raises(Refused) as caught:
        open_by_policy(checkpoint(0, 1, 2), policy)
    assert caught.value.faults[0].code is ErrorCode.TOO_FEW_WITNESSES
    assert "w2.example" in str(caught.value)


def test_a_checkpoint_of_a_log_that_is_not_listed_is_refused() -> None:
    other = SigningKey.of_seed(Purpose.LOG, bytes(31) + b"\x02")
    for key in (log_key(ORIGIN, other.verifying), log_key("log.example/other", LOG.verifying)):
        with pytest.raises(Refused) as caught:
            open_by_policy(checkpoint(), policy_of([key], [], 0))
        assert caught.value.faults[0].code is ErrorCode.WRONG_KEY


def test_a_log_that_changes_its_key_is_believed_by_either_and_not_with_a_line_that_does_not_hold() -> None:
    new = SigningKey.of_seed(Purpose.LOG, bytes(31) + b"\x02")
    both = [log_key(ORIGIN, LOG.verifying), log_key(ORIGIN, new.verifying)]
    old_note = read_note(checkpoint())
    of_new = read_note(sign_checkpoint(Checkpoint(origin=ORIGIN, size=3, root=bytes(32)), new))
    good = read_note(
        sign_checkpoint(Checkpoint(origin=ORIGIN, size=3, root=merkle.root([b"a", b"b", b"c"])), new)
    ).signatures
    for note in (old_note, with_lines(old_note, good)):
        assert open_by_policy(note.encoded(), policy_of(both, [], 0))[0].size == 3
    with pytest.raises(Refused):
        open_by_policy(with_lines(old_note, of_new.signatures).encoded(), policy_of(both, [], 0))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", None),
        ("quorum none", 1),
        ("quorum none\nquorum none\n", 2),
        ("quorum X1\n", 1),
        ("quorum none none\n", 1),
        (f"witness none {WITNESSES[0]}\nquorum none\n", 1),
        (f"{LINES[1]}\n{LINES[1].replace('X1', 'X2')}\nquorum X1\n", 2),
        (f"{LINES[1]}\nwitness X2 {witness_key('other.example', KEYS[0].verifying)}\nquorum X1\n", 2),
        (f"{LINES[0]}\nlog {log_key('other.example', LOG.verifying)}\nquorum none\n", 2),
        (f"log {WITNESSES[0]}\nquorum none\n", 1),
        (f"witness X1 {log_key(ORIGIN, LOG.verifying)}\nquorum none\n", 1),
        (f"{LINES[1]} url more\nquorum X1\n", 1),
        (f"{LINES[1]}\ngroup g all\nquorum g\n", 2),
        (f"{LINES[1]}\ngroup g 2 X1\nquorum g\n", 2),
        (f"{LINES[1]}\ngroup g 0 X1\nquorum g\n", 2),
        (f"{LINES[1]}\ngroup g 01 X1\nquorum g\n", 2),
        (f"{LINES[1]}\ngroup g some X1\nquorum g\n", 2),
        (f"{LINES[1]}\ngroup g any none\nquorum g\n", 2),
        (f"{LINES[1]}\ngroup g any X1 X1\nquorum g\n", 2),
        (f"{LINES[1]}\ngroup g any X1\ngroup h any X1\nquorum g\n", 3),
        (f"{LINES[1]}\ngroup X1 any X1\nquorum X1\n", 2),
        ("group g any g\nquorum g\n", 1),
        ("quorum\x0bnone\n", 1),
        ("# \x7f\nquorum none\n", 1),
        ("Quorum none\n", 1),
        ("quorum\u00a0none\n", 1),
    ],
)
def test_another_file_is_refused_and_the_line_is_named(text: str, line: int | None) -> None:
    with pytest.raises(Malformed) as caught:
        read_policy(text.encode())
    assert caught.value.faults[0].line == line


def test_names_are_bytes_and_two_that_look_alike_are_two() -> None:
    for name in (b"K", "\u212a".encode(), b"\xff\xfe", "Łódź".encode()):
        data = b"witness %s %s\nquorum %s\n" % (name, str(WITNESSES[0]).encode(), name)
        policy = read_policy(data)
        assert write_policy(policy) == data
        assert enough(policy, by(WITNESSES[0]))
    with pytest.raises(Malformed):
        read_policy(b"witness K %s\nquorum \xe2\x84\xaa\n" % str(WITNESSES[0]).encode())


def test_what_is_written_is_read_again_as_it_was() -> None:
    policy = read_policy(TWO_LEVELS.encode())
    assert read_policy(write_policy(policy)) == policy
    assert policy.logs[0].url == "https://log.example/"


@given(st.lists(st.sampled_from([*TWO_LEVELS.split(), "\n", "\n", "none", "group", "any", "\t"]), max_size=40))
def test_any_words_are_a_policy_or_malformed(words: list[str]) -> None:
    try:
        policy = read_policy((" ".join(words) + "\n").encode())
    except Malformed:
        return
    assert isinstance(policy, Policy)
    assert read_policy(write_policy(policy)) == policy


@given(st.binary(max_size=200))
def test_any_bytes_are_a_policy_or_malformed(data: bytes) -> None:
    try:
        read_policy(data)
    except Malformed:
        return


def test_many_groups_one_in_the_other_are_no_deep_water() -> None:
    lines = [LINES[1], "group g0 any X1", *(f"group g{at} any g{at - 1}" for at in range(1, 2_000)), "quorum g1999", ""]
    assert enough(read_policy("\n".join(lines).encode()), by(WITNESSES[0]))
