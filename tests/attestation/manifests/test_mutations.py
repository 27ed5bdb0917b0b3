"""Whatever is done to a signed manifest, it says what its signer signed or it is not believed."""

import contextlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lightbound.attestation.manifests.markup import MOST_BYTES
from lightbound.attestation.manifests.reading import read_manifest
from lightbound.attestation.manifests.verifying import verified_manifest
from lightbound.errors import LightboundError, Malformed
from tests.attestation.manifests.signing import Vendor, unsigned, vendor
from tests.attestation.samples import manifests_of_wheel

OURS: Final[Vendor] = vendor()
STRANGER: Final[Vendor] = vendor()
GENUINE: Final = OURS.signs(unsigned("550.1", {1: [b"a" * 48], 2: [b"b" * 48, b"c" * 48]}))
FORGED: Final = STRANGER.signs(unsigned("550.1", {1: [b"x" * 48]}))
SAID: Final = verified_manifest(GENUINE, roots=[OURS.root.root]).said

SIGNATURE: Final = re.findall(rb"<ds:Signature .*</ds:Signature>", GENUINE, re.DOTALL)[0]
PAYLOAD: Final = re.findall(rb"<Payload>.*</Payload>", GENUINE, re.DOTALL)[0]
EVIL: Final = PAYLOAD.replace((b"a" * 48).hex().encode(), (b"x" * 48).hex().encode())


def said_or_not(data: bytes) -> bool:
    """Whether it is believed; if so it must say what was signed."""
    try:
        found = verified_manifest(data, roots=[OURS.root.root])
    except LightboundError:
        return False
    assert found.said == SAID
    return True


def without_signature() -> bytes:
    return GENUINE.replace(SIGNATURE, b"")


def unsigned_evil() -> bytes:
    """A manifest of other measurements, in the words of the genuine one, up to where it would end."""
    return without_signature().replace(PAYLOAD, EVIL).replace(b"</SoftwareIdentity>", b"")


def bomb() -> str:
    """The genuine manifest with a version of 10^29 letters."""
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 30))
    return f'<!DOCTYPE s [<!ENTITY a0 "a">{entities}]>' + GENUINE.decode().replace('"550.1"', '"&a29;"')


NOT_BELIEVED: Final[dict[str, Callable[[], bytes]]] = {
    "other measurements": lambda: GENUINE.replace(PAYLOAD, EVIL),
    "a second payload before": lambda: GENUINE.replace(PAYLOAD, EVIL + PAYLOAD),
    "a second payload behind": lambda: GENUINE.replace(PAYLOAD, PAYLOAD + EVIL),
    "a payload in the signature": lambda: GENUINE.replace(
        b"</ds:Signature>", b"<ds:Object>" + EVIL + b"</ds:Object></ds:Signature>"
    ),
    "a payload in the certificates": lambda: GENUINE.replace(b"<ds:X509Data>", b"<ds:X509Data>" + EVIL),
    "a measurement left out": lambda: re.sub(rb"<Resource [^>]*/>", b"", GENUINE, count=1),
    "a measurement made inactive": lambda: GENUINE.replace(b'active="True"', b'active="False"', 1),
    "an alternative more": lambda: GENUINE.replace(
        b'alternatives="1" h:Hash0', b'alternatives="2" h:Hash1="' + b"78" * 48 + b'" h:Hash0'
    ),
    "the genuine one wrapped": lambda: unsigned_evil() + GENUINE + b"</SoftwareIdentity>",
    "the signature moved inwards": lambda: without_signature().replace(b"</Payload>", SIGNATURE + b"</Payload>"),
    "the signed tree inside its own signature": lambda: (
        unsigned_evil()
        + SIGNATURE.replace(b"</ds:Signature>", b"<ds:Object>" + without_signature() + b"</ds:Object></ds:Signature>")
        + b"</SoftwareIdentity>"
    ),
    "a reference by id to the genuine one": lambda: (
        unsigned_evil().replace(b"<SoftwareIdentity ", b"<SoftwareIdentity Id='z' ")
        + SIGNATURE.replace(b'URI=""', b'URI="#o"')
        + b"</SoftwareIdentity>"
    ),
    "two signatures, ours first": lambda: GENUINE.replace(SIGNATURE, SIGNATURE + SIGNATURE),
    "a stranger's signature beside": lambda: GENUINE.replace(
        b"</SoftwareIdentity>", FORGED[FORGED.index(b"<ds:Signature ") :]
    ),
    "a stranger's manifest with our signature": lambda: (
        FORGED[: FORGED.index(b"<ds:Signature ")] + SIGNATURE + b"</SoftwareIdentity>"
    ),
    "no signature": without_signature,
    "no certificates": lambda: re.sub(rb"<ds:KeyInfo>.*</ds:KeyInfo>", b"", GENUINE, flags=re.DOTALL),
    "no transformation": lambda: re.sub(rb"<ds:Transforms>.*</ds:Transforms>", b"", GENUINE, flags=re.DOTALL),
    "an unknown transformation": lambda: GENUINE.replace(
        b"http://www.w3.org/2000/09/xmldsig#enveloped-signature", b"http://www.w3.org/TR/1999/REC-xslt-19991116"
    ),
    "no references": lambda: re.sub(rb"<ds:Reference .*</ds:Reference>", b"", GENUINE, flags=re.DOTALL),
    "two references": lambda: re.sub(rb"(<ds:Reference .*</ds:Reference>)", rb"\1\1", GENUINE, flags=re.DOTALL),
    "an empty signature": lambda: re.sub(
        rb"<ds:SignatureValue>.*</ds:SignatureValue>", b"<ds:SignatureValue/>", GENUINE, flags=re.DOTALL
    ),
    "a message code for a signature": lambda: GENUINE.replace(
        b"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384", b"http://www.w3.org/2001/04/xmldsig-more#hmac-sha384"
    ),
    "a document type": lambda: b"<!DOCTYPE SoftwareIdentity>" + GENUINE,
    "an entity": lambda: b'<!DOCTYPE s [<!ENTITY e "550.1">]>' + GENUINE.replace(b'"550.1"', b'"&e;"'),
    "a file for an entity": lambda: b'<!DOCTYPE s [<!ENTITY e SYSTEM "file:///etc/hostname">]>' + GENUINE,
    "a document type in another encoding": lambda: (
        '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE s [<!ENTITY e "550.1">]>' + GENUINE.decode()
    ).encode("utf-16"),
    "entities without end": lambda: bomb().encode(),
    "entities without end in another encoding": lambda: bomb().encode("utf-16"),
    "too deep": lambda: GENUINE.replace(b"<Payload>", b"<Payload>" + b"<a>" * 100_000 + b"</a>" * 100_000),
    "too long": lambda: GENUINE + b" " * MOST_BYTES,
    "an instruction among the measurements": lambda: GENUINE.replace(b"<Payload>", b"<Payload><?a b?>"),
    "an instruction in the signature": lambda: GENUINE.replace(b"<ds:SignedInfo>", b"<?a b?><ds:SignedInfo>"),
    "a letter in the payload": lambda: GENUINE.replace(b"<Payload>", b"<Payload>x"),
    "another document behind": lambda: GENUINE + GENUINE,
}


@pytest.mark.parametrize("name", NOT_BELIEVED)
def test_a_manifest_that_was_tampered_with_is_not_believed(name: str) -> None:
    changed = NOT_BELIEVED[name]()
    assert changed != GENUINE
    assert not said_or_not(changed)


@pytest.mark.parametrize("name", ["the signature moved inwards", "the genuine one wrapped", "no signature"])
def test_what_is_not_signed_as_a_whole_is_not_even_shown(name: str) -> None:
    with pytest.raises(Malformed, match="one signature, directly in SoftwareIdentity"):
        read_manifest(NOT_BELIEVED[name]())


def test_the_manifest_that_all_this_was_done_to_is_believed() -> None:
    assert said_or_not(GENUINE)


@pytest.mark.parametrize(
    "changed",
    [
        GENUINE.replace(b"<Payload>", b"<Payload><!-- <Resource/> -->"),
        re.sub(rb"<ds:DigestValue>(....)", rb"<ds:DigestValue>\1<!-- x -->", GENUINE),
        re.sub(rb"<ds:SignatureValue>(....)", rb"<ds:SignatureValue>\1<!-- x -->", GENUINE),
        re.sub(rb"<ds:X509Certificate>(....)", rb"<ds:X509Certificate>\1<!-- x -->", GENUINE),
        b"<!-- x -->" + GENUINE + b"<!-- x -->",
        GENUINE.decode().encode("utf-16"),
        GENUINE.replace(b'index="1" active="True"', b"active='True'   index='1'"),
    ],
)
def test_what_a_signature_is_not_over_changes_nothing(changed: bytes) -> None:
    """Comments, encodings, and the order of attributes: canonical form has none of them."""
    assert changed != GENUINE
    assert said_or_not(changed)


@given(at=st.integers(0, len(GENUINE) - 1), byte=st.integers(0, 255))
def test_a_changed_byte_is_not_believed_or_changes_nothing_that_is_said(at: int, byte: int) -> None:
    said_or_not(GENUINE[:at] + bytes([byte]) + GENUINE[at + 1 :])


@given(first=st.integers(0, len(GENUINE)), length=st.integers(0, 400), to=st.integers(0, len(GENUINE)))
def test_a_piece_put_elsewhere_is_not_believed_or_changes_nothing_that_is_said(
    first: int, length: int, to: int
) -> None:
    piece = GENUINE[first : first + length]
    rest = GENUINE[:first] + GENUINE[first + length :]
    said_or_not(rest[:to] + piece + rest[to:])
    said_or_not(GENUINE[:to] + piece + GENUINE[to:])
    said_or_not(rest)


PIECES: Final = st.sampled_from(
    [
        b"<SoftwareIdentity ", b"<Payload>", b"</Payload>", b"<Meta ", b"<Resource ", b"<ds:Signature>",
        b"</ds:Signature>", b"<ds:X509Data>", b"<!--", b"-->", b"<![CDATA[", b"]]>", b"<?", b"?>", b"&#0;", b"&lt;",
        b"<!DOCTYPE ", b"xmlns=''", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b'"', b"'", b"/>", PAYLOAD, SIGNATURE,
    ]
)  # fmt: skip


@given(st.one_of(st.binary(), st.lists(st.one_of(PIECES, st.binary(max_size=4))).map(b"".join)))
@example(b"")
@example(b"\xff\xfe")
@example(b"<?xml version='1.0' encoding='nowhere'?><a/>")
def test_any_bytes_are_a_manifest_or_malformed(data: bytes) -> None:
    with contextlib.suppress(Malformed):
        read_manifest(data)


@given(st.lists(st.tuples(st.integers(0, len(GENUINE) - 1), PIECES), min_size=1, max_size=4))
def test_a_genuine_manifest_with_pieces_put_in_is_read_or_malformed(pieces: list[tuple[int, bytes]]) -> None:
    data = GENUINE
    for at, piece in pieces:
        data = data[:at] + piece + data[at:]
    with contextlib.suppress(Malformed):
        read_manifest(data)
    said_or_not(data)


@pytest.mark.parametrize("path", manifests_of_wheel()[::5], ids=lambda path: path.name)
def test_no_changed_digest_of_the_vendors_is_believed(path: Path) -> None:
    data = path.read_bytes()
    genuine = verified_manifest(data).said
    places = [found.start(1) for found in re.finditer(rb'Hash\d="(\w)', data)]
    assert len(places) >= 64
    for at in places[::7]:
        changed = data[:at] + (b"1" if data[at : at + 1] == b"0" else b"0") + data[at + 1 :]
        assert read_manifest(changed) != genuine
        with pytest.raises(LightboundError, match="an altered one"):
            verified_manifest(changed)
