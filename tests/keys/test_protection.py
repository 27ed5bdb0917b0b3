"""A key under a passphrase: only the passphrase opens it, no bytes do more than be refused, and OpenSSL reads it."""

import base64
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightbound.errors import ErrorCode, LightboundError, Malformed, Refused
from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.protection import (
    MOST_PASSPHRASE,
    check_passphrase,
    is_protected,
    opened_with,
    protected,
)
from lightbound.keys.purposes import Purpose

KEY = SigningKey.of_seed(Purpose.OPERATOR, bytes(range(32)))
WORD = "corrèct horse".encode()
SALT, IV = bytes(range(16)), bytes(range(16, 32))
FILE = protected(KEY, WORD, salt=SALT, iv=IV)

openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not here")


def _code(pem: bytes, passphrase: bytes = WORD) -> tuple[type[LightboundError], ErrorCode]:
    with pytest.raises(LightboundError) as caught:
        opened_with(Purpose.OPERATOR, pem, passphrase)
    return type(caught.value), caught.value.faults[0].code


def test_the_passphrase_opens_it() -> None:
    again = opened_with(Purpose.DIRECTORY, FILE, WORD)
    assert again.verifying.raw == KEY.verifying.raw
    assert again.purpose is Purpose.DIRECTORY
    assert again.sign(b"m") == KEY.sign(b"m")


@settings(max_examples=6, deadline=None)
@given(st.binary(min_size=1, max_size=40).filter(lambda one: one != WORD))
def test_no_other_passphrase_does(word: bytes) -> None:
    assert _code(FILE, word) == (Refused, ErrorCode.PASSPHRASE_REFUSED)


def test_a_file_says_that_it_is_protected_and_holds_nothing_of_the_key() -> None:
    assert is_protected(FILE)
    assert is_protected(b"\r\n" + FILE)
    assert not is_protected(KEY.pem())
    assert not {line for line in FILE.splitlines() if line in KEY.pem()}
    with pytest.raises(Malformed):
        SigningKey.of_pem(Purpose.OPERATOR, FILE)


def test_a_key_that_is_not_protected_is_none_of_these() -> None:
    assert _code(KEY.pem()) == (Malformed, ErrorCode.KEY_MALFORMED)


@given(st.binary(max_size=400))
def test_any_bytes_are_malformed_at_once(junk: bytes) -> None:
    for pem in (junk, FILE[:40] + junk, FILE + junk + b"\n"):
        assert _code(pem) == (Malformed, ErrorCode.KEY_MALFORMED)


def test_a_file_that_was_cut_off_anywhere_is_malformed() -> None:
    assert {_code(FILE[:end]) for end in range(len(FILE))} == {(Malformed, ErrorCode.KEY_MALFORMED)}


def test_no_file_says_what_it_costs_to_refuse_it() -> None:
    """Each byte of the frame: of the 158, all but salt, first block and the encrypted key stand fixed."""
    lines = FILE.splitlines()
    der = base64.b64decode(b"".join(lines[1:-1]))
    assert len(der) == 158
    own = {*range(der.index(SALT), der.index(SALT) + 16), *range(der.index(IV), der.index(IV) + 16), *range(94, 158)}
    for at in set(range(len(der))) - own:
        changed = der[:at] + bytes([der[at] ^ 1]) + der[at + 1 :]
        text = base64.b64encode(changed)
        body = b"\n".join(text[start : start + 64] for start in range(0, len(text), 64))
        assert _code(lines[0] + b"\n" + body + b"\n" + lines[-1] + b"\n") == (Malformed, ErrorCode.KEY_MALFORMED), at


def test_a_changed_key_is_refused_or_another_one() -> None:
    """The encryption does not say that nothing was changed: what comes out is never half of this key."""
    for at in (FILE.index(b"\n", 60) + 5, len(FILE) - 60, len(FILE) - 45):
        letter = b"A" if FILE[at : at + 1] != b"A" else b"B"
        try:
            opened = opened_with(Purpose.OPERATOR, FILE[:at] + letter + FILE[at + 1 :], WORD)
        except LightboundError as error:
            assert error.faults[0].code in {ErrorCode.PASSPHRASE_REFUSED, ErrorCode.KEY_MALFORMED}  # noqa: PT017 - either
        else:
            assert opened.key_id != KEY.key_id


@pytest.mark.parametrize("word", [b"", b"x" * (MOST_PASSPHRASE + 1)])
def test_a_passphrase_has_a_length(word: bytes) -> None:
    for refused in (
        lambda: check_passphrase(word),
        lambda: protected(KEY, word, salt=SALT, iv=IV),
        lambda: opened_with(Purpose.OPERATOR, FILE, word),
    ):
        with pytest.raises(Refused) as caught:
            refused()
        assert caught.value.faults[0].code is ErrorCode.PASSPHRASE_REFUSED


def test_the_longest_passphrase_works() -> None:
    word = b"\xff\x00\n" + b"x" * (MOST_PASSPHRASE - 3)
    opened = opened_with(Purpose.OPERATOR, protected(KEY, word, salt=SALT, iv=IV), word)
    assert opened.key_id == KEY.key_id


def test_dice_of_another_length_are_a_mistake_of_the_caller() -> None:
    for salt, iv in ((SALT[1:], IV), (SALT, IV + b"x")):
        with pytest.raises(ValueError, match="16 bytes"):
            protected(KEY, WORD, salt=salt, iv=iv)


@openssl
def test_openssl_opens_it_with_the_passphrase_alone(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(protected(KEY, b"word", salt=SALT, iv=IV))
    command = ["openssl", "pkey", "-in", str(path), "-passin"]
    opened = subprocess.run([*command, "pass:word"], capture_output=True, check=True)
    assert opened.stdout == KEY.pem()
    assert subprocess.run([*command, "pass:other"], capture_output=True, check=False).returncode != 0
