"""Any bytes are read, malformed, or refused: nothing else comes out of a reader, and nothing forged comes in."""

import resource
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pytest

from lightbound.canonical import cose
from lightbound.canonical.cbor import decode, encode
from lightbound.errors import Malformed, Refused
from lightbound.ranging.statements.binding import Evidence, read_evidence
from lightbound.ranging.timing.packets import PacketType, read_packet, write_packet
from tests.ranging.mutants import Rolls, mutant
from tests.ranging.parties import EVIDENCE, at
from tests.ranging.statements.every import EVERY, Statement
from tests.ranging.timing.phases import (
    ELSEWHERE,
    HOME,
    KEYS,
    challenged,
    nonce,
    ready,
    reply_to,
    responder,
    running,
)

STATEMENTS: Final = [each.example for each in EVERY.values()]
MANIFESTS: Final = [EVIDENCE.manifest(), Evidence().manifest()]
PROBE: Final = write_packet(PacketType.PROBE, KEYS.to_agent, handle=KEYS.handle, round_number=0, nonce=nonce(0))
REPLY: Final = reply_to(PROBE)
PACKETS: Final = [ready(), PROBE, REPLY]
GENUINE: Final = frozenset((*STATEMENTS, *MANIFESTS, *PACKETS))
LONGEST_S: Final = 2.0
"""For all readers of one input, in time of this process. The slowest takes 20 ms; the rest is for a busy machine."""


class Campaign:
    """Readers at work on made-up bytes, and what came out of them."""

    def __init__(self, seed: int) -> None:
        """Begin with the first case of this seed."""
        self.rolls = Rolls(seed)
        self.outcomes: Counter[str] = Counter()
        self.slowest_s = 0.0
        self.challenger = running()
        self.responder = responder()
        challenged(self.challenger, 0)

    def run(self, cases: int) -> None:
        """Roll so many cases; a failure tells which bytes."""
        for number in range(cases):
            data, of, is_signed = self.case()
            began_s = time.process_time()
            try:
                self.read_by_all(data, of, number, is_signed=is_signed)
            except Exception as error:
                raise AssertionError(f"case {number}: {data.hex()}") from error
            self.slowest_s = max(self.slowest_s, time.process_time() - began_s)

    def case(self) -> tuple[bytes, Statement | None, bool]:  # noqa: PLR0911 - one for each kind of case
        """Made-up bytes, the type they are like, and whether they were signed by its keys after they were made up."""
        rolls = self.rolls
        of = rolls.of(list(EVERY.values()))
        match rolls.below(20):
            case 0:
                return rolls.octets(400), of, False
            case 1:
                return mutant(rolls.of(PACKETS), PACKETS, rolls), None, False
            case 2:
                return mutant(rolls.of(MANIFESTS), STATEMENTS, rolls), None, False
            case 3 | 4 | 5:
                payload = cose.read(of.example).payload
                return of.signed(mutant(payload, [cose.read(each).payload for each in STATEMENTS], rolls)), of, True
            case 6 | 7:
                envelope = cose.read(of.example)
                bent = replace(envelope, payload=mutant(envelope.payload, STATEMENTS, rolls))
                return cose.write(bent), of, False
            case 8:
                return self.with_other_headers(of), of, False
            case _:
                return mutant(of.example, STATEMENTS, rolls), of, False

    def with_other_headers(self, of: Statement) -> bytes:
        """The statement with one of its protected headers made up, in an envelope that is whole."""
        envelope = cose.read(of.example)
        headers = [envelope.body_protected, *(each.protected for each in envelope.signatures)]
        place = self.rolls.below(len(headers))
        bent = mutant(headers[place], headers, self.rolls)
        if envelope.single:
            (only,) = envelope.signatures
            return cose.write(replace(envelope, signatures=(replace(only, protected=bent),)))
        if place == 0:
            return cose.write(replace(envelope, body_protected=bent))
        signatures = list(envelope.signatures)
        signatures[place - 1] = replace(signatures[place - 1], protected=bent)
        return cose.write(replace(envelope, signatures=tuple(signatures)))

    def read_by_all(self, data: bytes, of: Statement | None, number: int, *, is_signed: bool) -> None:
        """Every reader that these bytes could be given to, those of other types in turn."""
        value = self.outcome("cbor", decode, data, what="it")
        assert value is None or encode(value) == data
        envelope = self.outcome("cose", cose.read, data)
        assert envelope is None or cose.write(envelope) == data
        evidence = self.outcome("evidence", read_evidence, data)
        assert evidence is None or evidence.manifest() == data
        packet = self.outcome("packet", read_packet, data)
        assert packet is None or packet.covered + packet.tag + bytes(16) == data
        self.hear(data)
        in_turn = list(EVERY.values())[number % len(EVERY)]
        for reader in {id(each): each for each in (of, in_turn) if each is not None}.values():
            mine = reader is of
            read = self.outcome("own reader" if mine else "another reader", reader.read, data, may_refuse=True)
            if read is not None:
                assert data in GENUINE or (mine and is_signed), "a mutant was believed"
                assert reader.write(read) == data

    def outcome(
        self, name: str, read: Callable[..., Any], data: bytes, *, may_refuse: bool = False, **options: Any
    ) -> Any:
        """What was read, or None."""
        try:
            found = read(data, **options)
        except Malformed as error:
            self.outcomes[f"{name}: malformed"] += 1
            _is_told(error)
            return None
        except Refused as error:
            if not may_refuse:
                raise
            self.outcomes[f"{name}: refused"] += 1
            _is_told(error)
            return None
        self.outcomes[f"{name}: read"] += 1
        return found

    def hear(self, data: bytes) -> None:
        """Both ends of a timed phase, which take nothing but what is genuine, and never raise."""
        for address in (HOME, ELSEWHERE):
            taken = self.challenger.datagram_received(data, address=address, at=at(1_000))
            assert taken is (data == ready() or (data == REPLY and address == HOME)), "a made-up packet was taken"
            if taken:
                self.challenger = running()
                challenged(self.challenger, 0)
        reply = self.responder.datagram_received(data)
        assert (reply is None) is (data != PROBE), "a made-up challenge was answered"
        if reply is not None:
            self.responder = responder()


def _is_told(error: Malformed | Refused) -> None:
    """What is told is short and printable, whatever was in the bytes."""
    for fault in error.faults:
        text = str(fault)
        assert len(text) < 400
        assert text.isprintable()


def held(campaign: Campaign, cases: int) -> None:
    """Run, and look at what it cost and that it saw something."""
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    campaign.run(cases)
    assert campaign.slowest_s < LONGEST_S
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb < 65_536
    for outcome in (
        "cbor: read", "cbor: malformed", "cose: read", "cose: malformed", "evidence: read", "packet: read",
        "own reader: read", "own reader: malformed", "own reader: refused", "another reader: refused",
    ):  # fmt: skip
        assert campaign.outcomes[outcome] > cases // 2_000, outcome


@pytest.mark.long
def test_twenty_thousand_made_up_inputs_are_read_malformed_or_refused() -> None:
    held(Campaign(seed=20_270_115), 20_000)


@pytest.mark.soak
def test_a_million_made_up_inputs_are_read_malformed_or_refused() -> None:
    seed = int(np.random.default_rng().integers(1 << 32))
    campaign = Campaign(seed)
    try:
        held(campaign, 1_000_000)
    finally:
        print(f"\nmade-up inputs, seed {seed}: {dict(sorted(campaign.outcomes.items()))}")  # noqa: T201 - the result


def test_the_campaign_would_see_a_reader_that_believes_too_much() -> None:
    """A reader that takes what no key signed is told from one that does not."""
    gullible = replace(EVERY["ack"], read=cose.read, write=cose.write)
    campaign = Campaign(seed=7)
    envelope = cose.read(EVERY["ack"].example)
    forged = cose.write(replace(envelope, payload=envelope.payload + b"\x00"))
    with pytest.raises(AssertionError, match="a mutant was believed"):
        campaign.read_by_all(forged, gullible, 0, is_signed=False)
