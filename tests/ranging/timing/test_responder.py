"""An agent answers what its landmark asked under the key of this session, and nothing else."""

from hypothesis import given
from hypothesis import strategies as st

from lightbound.errors import Malformed
from lightbound.ranging.statements.closing import MOST_ROUNDS
from lightbound.ranging.timing.packets import PacketType, TimedKeys, is_genuine, read_packet, tag_of, write_packet
from lightbound.ranging.timing.responder import MOST_REPLIES, Responder
from tests.ranging.parties import secret

KEYS = TimedKeys(handle=secret("sid")[:8], to_landmark=secret("to landmark"), to_agent=secret("to agent"))
COOKIE = secret("cookie")[:16]


def begun() -> Responder:
    return Responder.begin(KEYS, cookie=COOKIE)


def probe(number: int, *, nonce: bytes | None = None, kind: PacketType = PacketType.PROBE) -> bytes:
    given = secret("nonce", number)[:16] if nonce is None else nonce
    return write_packet(kind, KEYS.to_agent, handle=KEYS.handle, round_number=number, nonce=given)


def test_ready_carries_the_cookie_under_the_key_to_the_landmark() -> None:
    packet = read_packet(begun().ready())
    assert (packet.type, packet.handle, packet.round, packet.nonce) == (PacketType.READY, KEYS.handle, 0, COOKIE)
    assert is_genuine(packet, KEYS.to_landmark)


def test_a_challenge_is_answered_with_its_nonce_and_round_in_as_many_bytes() -> None:
    responder = begun()
    reply = responder.datagram_received(probe(7))
    assert reply is not None
    packet = read_packet(reply)
    assert (packet.type, packet.round, packet.nonce) == (PacketType.REPLY, 7, secret("nonce", 7)[:16])
    assert is_genuine(packet, KEYS.to_landmark)
    assert not is_genuine(packet, KEYS.to_agent)
    assert len(reply) == len(probe(7))
    (answer,) = responder.answers.values()
    assert (answer.round, answer.nonce, answer.tag) == (7, packet.nonce, packet.tag)


def test_a_challenge_that_comes_again_is_answered_again_a_few_times_and_the_same() -> None:
    responder = begun()
    replies = [responder.datagram_received(probe(7)) for _ in range(MOST_REPLIES + 2)]
    assert replies[0] is not None
    assert replies == [replies[0]] * MOST_REPLIES + [None, None]
    assert len(responder.answers) == 1
    assert responder.ignored == 2


def test_a_round_is_answered_for_one_nonce() -> None:
    """So that what the agent vouches for in ACK is one answer a round."""
    responder = begun()
    responder.datagram_received(probe(7))
    assert responder.datagram_received(probe(7, nonce=bytes(16))) is None
    assert responder.answers[7].nonce == secret("nonce", 7)[:16]


def test_what_is_no_challenge_of_this_landmark_is_not_answered() -> None:
    responder = begun()
    own = responder.ready()
    strangers = [
        b"",
        bytes(64),
        own,
        probe(1)[:-1],
        probe(1) + b"\x00",
        probe(MOST_ROUNDS),
        probe(65_535),
        probe(1, kind=PacketType.REPLY),
        write_packet(PacketType.PROBE, KEYS.to_landmark, handle=KEYS.handle, round_number=1, nonce=bytes(16)),
        write_packet(PacketType.PROBE, KEYS.to_agent, handle=bytes(8), round_number=1, nonce=bytes(16)),
        write_packet(PacketType.PROBE, secret("stranger"), handle=KEYS.handle, round_number=1, nonce=bytes(16)),
    ]
    assert [responder.datagram_received(data) for data in strangers] == [None] * len(strangers)
    assert responder.answers == {}
    assert responder.ignored == len(strangers)


def test_nothing_that_a_landmark_sends_makes_the_agent_remember_more_than_the_rounds() -> None:
    responder = begun()
    for number in range(2_000):
        responder.datagram_received(probe(number % 100, nonce=secret("other", number)[:16]))
    assert len(responder.answers) <= MOST_ROUNDS


def slowly(answers: dict[int, bytes], data: bytes) -> bytes | None:
    """The reply to a first challenge of a round, by the functions that read and write packets."""
    try:
        packet = read_packet(data)
    except Malformed:
        return None
    is_ours = packet.type is PacketType.PROBE and packet.handle == KEYS.handle and packet.round < MOST_ROUNDS
    if not is_ours or not is_genuine(packet, KEYS.to_agent) or answers.get(packet.round, packet.nonce) != packet.nonce:
        return None
    answers[packet.round] = packet.nonce
    return write_packet(
        PacketType.REPLY, KEYS.to_landmark, handle=KEYS.handle, round_number=packet.round, nonce=packet.nonce
    )


@st.composite
def datagrams(draw: st.DrawFn) -> bytes:
    """A challenge, or nearly one: a few bytes changed, before or after the tag was made, or the length."""
    covered = bytearray(probe(draw(st.integers(0, 65_535)), nonce=draw(st.binary(min_size=16, max_size=16)))[:32])
    for where in draw(st.lists(st.integers(0, 31), max_size=2)):
        covered[where] = draw(st.integers(0, 255))
    data = bytearray(bytes(covered) + tag_of(bytes(covered), KEYS.to_agent) + bytes(16))
    for where in draw(st.lists(st.integers(0, 63), max_size=1)):
        data[where] = draw(st.integers(0, 255))
    return bytes(data[: draw(st.sampled_from([64, 64, 64, 63, 32, 0]))]) + draw(st.sampled_from([b"", b"", b"\x00"]))


@given(received=st.lists(datagrams(), max_size=4))
def test_any_packet_is_answered_as_by_the_functions_that_read_and_write_packets(received: list[bytes]) -> None:
    responder = begun()
    answers: dict[int, bytes] = {}
    for data in received:
        assert responder.datagram_received(data) == slowly(answers, data)
    assert {number: answer.nonce for number, answer in responder.answers.items()} == answers
