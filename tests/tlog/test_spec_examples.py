"""The examples of docs/spec/log.md are what they say: each is cut from the page, and read, checked and made again."""

import re
from pathlib import Path

import pytest

from lightbound.errors import ErrorCode, Refused
from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.purposes import Purpose
from lightbound.tlog import merkle
from lightbound.tlog.checkpoint import log_key, open_checkpoint, sign_checkpoint
from lightbound.tlog.cosignature import cosign_text, read_cosignature, witness_key
from lightbound.tlog.note import read_note, read_signature_line, read_vkey, with_lines
from lightbound.tlog.policy import open_by_policy, read_policy
from lightbound.tlog.proof import check_proof, read_proof
from lightbound.tlog.witness import Continues, Seen, judge, read_add_checkpoint

PAGE = Path(__file__).parents[2] / "docs" / "spec" / "log.md"
EXAMPLES = dict(re.findall(r"^```([a-z]+)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL))

LOG = SigningKey.of_seed(Purpose.LOG, bytes(31) + b"\x01")
WITNESS = SigningKey.of_seed(Purpose.WITNESS, bytes(31) + b"\x02")
SECOND = SigningKey.of_seed(Purpose.WITNESS, bytes(31) + b"\x03")
AT_S = 1_700_000_000
ENTRIES = [b"entry %d" % number for number in range(7)]

LOG_KEY, FIRST_KEY, SECOND_KEY = map(read_vkey, EXAMPLES["vkeys"].split())


def test_the_keys_are_those_of_the_seeds() -> None:
    assert log_key("log.example/lightbound", LOG.verifying) == LOG_KEY
    assert witness_key("witness.example/w1", WITNESS.verifying) == FIRST_KEY
    assert witness_key("witness.example/w2", SECOND.verifying) == SECOND_KEY


def test_the_checkpoint_is_of_these_entries_and_is_made_again_to_the_byte() -> None:
    data = EXAMPLES["checkpoint"].encode()
    read, note = open_checkpoint(data, LOG_KEY)
    assert (read.size, read.root) == (7, merkle.root(ENTRIES))
    signed = read_note(sign_checkpoint(read, LOG))
    line = cosign_text(signed.text, FIRST_KEY.name, WITNESS, at_s=AT_S)
    assert with_lines(signed, [line]).encoded() == note.encoded() == data


def test_the_proof_shows_the_entry() -> None:
    proof = read_proof(EXAMPLES["proof"].encode())
    assert proof.encoded() == EXAMPLES["proof"].encode()
    read, seen = check_proof(proof, ENTRIES[5], LOG_KEY, (FIRST_KEY,))
    assert (read.size, [one.at_s for one in seen]) == (7, [AT_S])
    with pytest.raises(Refused):
        check_proof(proof, ENTRIES[4], LOG_KEY)


def test_the_policy_believes_the_checkpoint_and_asks_for_one_of_two() -> None:
    policy = read_policy(EXAMPLES["policy"].encode())
    read, seen = open_by_policy(EXAMPLES["checkpoint"].encode(), policy)
    assert (read.size, [one.witness for one in seen]) == (7, [FIRST_KEY])
    with pytest.raises(Refused) as caught:
        open_by_policy(sign_checkpoint(read, LOG), policy)
    assert caught.value.faults[0].code is ErrorCode.TOO_FEW_WITNESSES


def test_the_request_is_cosigned_as_the_page_has_it() -> None:
    request = read_add_checkpoint(EXAMPLES["request"].encode())
    assert request.encoded() == EXAMPLES["request"].encode()
    read, note = open_checkpoint(request.checkpoint, LOG_KEY)
    seen = Seen(size=3, root=merkle.root(ENTRIES[:3]))
    assert judge(seen, request, read) == Continues(now=Seen(size=7, root=merkle.root(ENTRIES)))
    line = read_signature_line(EXAMPLES["cosignature"].removesuffix("\n"))
    assert read_cosignature(line, note.text, FIRST_KEY).at_s == AT_S
    assert cosign_text(note.text, FIRST_KEY.name, WITNESS, at_s=AT_S) == line
