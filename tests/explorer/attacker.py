"""What an attacker makes of what it has seen: one change, one splice or one forged signature a message.

It owns the network, so it delivers whatever it has to whomever it likes, as often as it likes. It has keys of its own:
of an admitted landmark, of an enrolled agent, of a session, and for agreeing. It cannot sign for others, share their
secrets or guess 16 bytes; `GUESS` is what it guesses. What its landmark and its agent may do inside sessions that name
them is in `insider`.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from lightbound.canonical import cose
from lightbound.canonical.cbor import encode
from lightbound.keys import signing
from lightbound.keys.ed25519 import SigningKey
from lightbound.ranging.statements.binding import write_bind
from lightbound.ranging.statements.kinds import Kind
from lightbound.ranging.timing import packets
from lightbound.ranging.timing.packets import PacketType
from tests.explorer import world
from tests.explorer.insider import OWN_X, Insider, octets_in, own_bind, own_keys, timed_packet
from tests.explorer.messages import ATTACKER, Message, Messages, What, payload_of, some
from tests.explorer.world import GUESS

OWN_KEY: Final = {
    What.SESSION: world.EVIL_VERIFIER,
    What.CONTRIB: world.EVIL_LANDMARK,
    What.CLOSE: world.EVIL_LANDMARK,
    What.MEASUREMENT: world.EVIL_LANDMARK,
    What.ACK: world.EVIL_SESSION,
}
"""With which key the attacker signs what others signed with theirs. BIND has two signatures, and is in `_bind`."""

SWAPPED: Final = {
    What.CONTRIB: ("session", "landmark", "x", "cookie"),
    What.BIND: ("session", "s", "x", "contributions", "absent"),
    What.CLOSE: ("sid", "landmark", "bind", "accepted", "transcript"),
    What.ACK: ("sid", "landmark", "close", "transcript"),
}
"""Fields that are put from one statement into another of its type."""

PACKETS: Final = (What.READY, What.PROBE, What.REPLY)


class Attacker:
    """Adds to the messages what can be made of them."""

    def __init__(self, configuration: world.Configuration, messages: Messages) -> None:
        """An attacker that has seen nothing."""
        self._configuration = configuration
        self._messages = messages
        self._insider = Insider(configuration, messages)
        self._seen: defaultdict[What, list[int]] = defaultdict(list)
        self._next = 0

    def learn(self) -> None:
        """Make everything of what was sent since the last time; what it made itself it does not change once more."""
        while self._next < len(self._messages):
            number, self._next = self._next, self._next + 1
            message = self._messages[number]
            if message.maker == ATTACKER:
                continue
            self._insider.learn(number)
            if message.what.is_packet:
                self._of_packet(number)
            else:
                self._of_statement(number)
            self._seen[message.what].append(number)

    # -- statements ------------------------------------------------------------------------------------------------

    def _of_statement(self, number: int) -> None:
        what = self._messages[number].what
        if what in OWN_KEY:
            self._forge(number, OWN_KEY[what])
        if what is What.CONTRIB:
            self._bind(number)
        for other in self._seen[what] if what in SWAPPED else ():
            if not self._are_of_two_runs(number, other):
                self._splice(number, other)
                self._splice(other, number)
        for contrib, bind in self._pairs(number):
            self._answer_with_own_key(contrib, bind)

    def _forge(self, number: int, key: SigningKey) -> None:
        """Its payload signed by the attacker: in its own name, in its maker's, and as of its own landmark."""
        message = self._messages[number]
        envelope, fields = cose.read(message.data), payload_of(message.data)
        self._make(number, "signed by the attacker", signing.sign(envelope.kind, envelope.payload, key))
        (signature,) = envelope.signatures
        pretended = replace(signature, signature=key.sign(envelope.to_be_signed(0)))
        data = cose.write(replace(envelope, signatures=(pretended,)))
        self._make(number, "signed by the attacker in its maker's name", data)
        if key is world.EVIL_LANDMARK and "landmark" in fields and not self._is_among_landmarks(message):
            payload = encode({**fields, "landmark": key.key_id})
            self._make(number, "as of the attacker's landmark", signing.sign(envelope.kind, payload, key))

    def _bind(self, number: int) -> None:
        """BIND to this CONTRIB of a session for which somebody else was asked, with the attacker's keys."""
        contrib = self._messages[number]
        if self._is_own(contrib):
            return
        content = own_bind(self._configuration, some(contrib.session), contrib, OWN_X)
        both = write_bind(content, world.EVIL_ENROLMENT, world.EVIL_SESSION)
        alone = signing.cosign(Kind.BIND, cose.read(both).payload, (world.EVIL_SESSION,))
        for data, how in (both, "with its own enrolment"), (alone, "with a session key alone"):
            name = f"BIND of the attacker to {contrib.name}, {how}"
            self._messages.made(Message(data=data, name=name, what=What.BIND, maker=ATTACKER), {number})

    def _splice(self, number: int, donor: int) -> None:
        """One statement with a field, or with the signatures, of another of its type."""
        message, other = self._messages[number], self._messages[donor]
        envelope, fields, others = cose.read(message.data), payload_of(message.data), payload_of(other.data)
        for name in SWAPPED[message.what]:
            if fields[name] != others[name]:
                data = cose.write(replace(envelope, payload=encode({**fields, name: others[name]})))
                self._make(number, f"with {name} of {other.name}", data, donor)
        data = cose.write(replace(envelope, signatures=cose.read(other.data).signatures))
        self._make(number, f"with the signature of {other.name}", data, donor)

    def _are_of_two_runs(self, number: int, other: int) -> bool:
        """Whether no run has both: an end says each thing once to a landmark, so another one is of another run."""
        one, two = self._messages[number], self._messages[other]
        return (one.maker, one.landmark) == (two.maker, two.landmark)

    # -- packets ---------------------------------------------------------------------------------------------------

    def _of_packet(self, number: int) -> None:
        message = self._messages[number]
        for kind in PacketType:
            self._change(number, f"as {kind.name}", 3, bytes([kind]))
        for other in range(len(self._configuration.sessions)):
            self._change(number, f"with the handle of session {other}", 4, world.sid(other)[: packets.HANDLE_BYTES])
        for other in range(self._configuration.rounds):
            self._change(number, f"as of round {other}", 12, other.to_bytes(2, "big"))
        self._change(number, "with a guessed nonce", 16, GUESS)
        for donor in (each for what in PACKETS for each in self._seen[what]):
            other_name, nonce = self._messages[donor].name, self._messages[donor].data[16:32]
            self._change(number, f"with the nonce of {other_name}", 16, nonce, donor)
            self._change(donor, f"with the nonce of {message.name}", 16, message.data[16:32], number)
        if message.what is What.PROBE and not self._is_own(message):
            for contrib in self._seen[What.CONTRIB]:
                if self._messages[contrib].maker == message.maker:
                    self._reply_with_own_key(number, contrib)

    def _pairs(self, number: int) -> Iterator[tuple[int, int]]:
        """CONTRIB and BIND of one session, of which this message is one."""
        message = self._messages[number]
        other_kind = {What.CONTRIB: What.BIND, What.BIND: What.CONTRIB}.get(message.what)
        if other_kind is None or self._is_own(message) or self._is_among_landmarks(message):
            return
        for other in self._seen[other_kind]:
            if self._messages[other].session == message.session:
                yield (number, other) if message.what is What.CONTRIB else (other, number)

    def _answer_with_own_key(self, contrib: int, bind: int) -> None:
        """Packets under the keys that the attacker would share with either side; answers before any challenge."""
        given, bound = self._messages[contrib], self._messages[bind]
        to_landmark = own_keys(octets_in(given, "x"), given, bound.data).to_landmark
        to_agent = own_keys(octets_in(bound, "x"), given, bound.data).to_agent
        rounds = range(self._configuration.rounds)
        made = [(What.READY, 0, octets_in(given, "cookie"), to_landmark)]
        made += [(What.REPLY, each, GUESS, to_landmark) for each in rounds]
        made += [(What.PROBE, each, GUESS, to_agent) for each in rounds]
        for what, number, nonce, key in made:
            data = timed_packet(what, number, nonce, key, some(given.session))
            how = "with the cookie" if what is What.READY else f"in round {number} with a guess"
            self._make_packet(what, data, f"{how}, under its own key", {contrib, bind})

    def _reply_with_own_key(self, number: int, contrib: int) -> None:
        probe, given = self._messages[number], self._messages[contrib]
        bind = some(probe.under)
        key = own_keys(octets_in(given, "x"), given, self._messages[bind].data).to_landmark
        data = timed_packet(What.REPLY, some(probe.round), probe.data[16:32], key, some(given.session))
        self._make_packet(What.REPLY, data, f"to {probe.name}, under its own key", {contrib, bind, number})

    def _change(self, number: int, how: str, offset: int, value: bytes, *donor: int) -> None:
        data = self._messages[number].data
        self._make(number, how, data[:offset] + value + data[offset + len(value) :], *donor)

    # -- either ----------------------------------------------------------------------------------------------------

    def _make_packet(self, what: What, data: bytes, how: str, needs: set[int]) -> None:
        name = f"{what.upper()} of the attacker {how}"
        self._messages.made(Message(data=data, name=name, what=what, maker=ATTACKER), needs)

    def _make(self, number: int, how: str, data: bytes, *donor: int) -> None:
        """A message like the one of this number, which the attacker has made of it and of others."""
        message = self._messages[number]
        made = Message(data=data, name=f"{message.name} {how}", what=message.what, maker=ATTACKER)
        self._messages.made(made, {number, *donor})

    def _is_among_landmarks(self, message: Message) -> bool:
        """Whether the attacker is a landmark of this message's session; then `insider` says this, and may."""
        return message.session is not None and world.EVIL in self._configuration.sessions[message.session].landmarks

    def _is_own(self, message: Message) -> bool:
        """Whether the attacker is the agent of this message's session; then `insider` makes these, and may."""
        return message.session is not None and self._configuration.sessions[message.session].agent is None
