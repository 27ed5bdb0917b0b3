"""What the attacker does in sessions that name it: as the agent that was asked, and as one of the landmarks.

As an agent it binds itself, answers with its own keys, and tries what no honest agent would: another session's digest,
another agent's key X, and different BINDs for different landmarks. As a landmark it gives CONTRIBs of its own or made
of another's, sends challenges with nonces that it has seen elsewhere, and claims answers that it never got.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from lightbound.canonical.cbor import Value
from lightbound.keys.signing import digest
from lightbound.ranging.statements.binding import Bind, Contribution, write_bind
from lightbound.ranging.statements.closing import Ack, Answer, Close, transcript, write_ack, write_close
from lightbound.ranging.statements.kinds import VERSION
from lightbound.ranging.statements.opening import Contrib, write_contrib
from lightbound.ranging.timing import packets
from lightbound.ranging.timing.packets import PacketType, TimedKeys
from tests.explorer import world
from tests.explorer.messages import ATTACKER, Message, Messages, What, payload_of, some
from tests.explorer.world import EVIL, GUESS, Configuration

OWN: Final = world.LANDMARK_ID[EVIL]
OWN_X: Final = world.EVIL_AGREEMENT.public


class Insider:
    """Adds to the messages what the attacker says in sessions that name it."""

    def __init__(self, configuration: Configuration, messages: Messages) -> None:
        """An insider that has seen nothing."""
        self._configuration = configuration
        self._messages = messages
        self._seen: defaultdict[What, list[int]] = defaultdict(list)
        self._given: defaultdict[int, list[int]] = defaultdict(list)
        """Its own CONTRIBs, by session."""

    def learn(self, number: int) -> None:
        """Say everything that this message, which somebody else sent, allows to be said."""
        message = self._messages[number]
        for session, asked in enumerate(self._configuration.sessions):
            if asked.agent is None:
                self._as_agent(session, number, message)
            if EVIL in asked.landmarks and message.session == session:
                self._as_landmark(session, number, message)
        self._seen[message.what].append(number)

    # -- as the agent that was asked -------------------------------------------------------------------------------

    def _as_agent(self, session: int, number: int, message: Message) -> None:
        if message.what is What.BIND:
            x = octets_in(message, "x")
            for contrib in self._of(session, What.CONTRIB):
                self._bind(session, contrib, x, f"X of {message.name}", session, {contrib, number})
        if message.session != session:
            return
        match message.what:
            case What.CONTRIB:
                for other in range(len(self._configuration.sessions)):
                    self._bind(session, number, OWN_X, "its own X", other, {number})
                for bind in self._seen[What.BIND]:
                    x, name = octets_in(self._messages[bind], "x"), self._messages[bind].name
                    self._bind(session, number, x, f"X of {name}", session, {number, bind})
            case What.PROBE if octets_in(self._messages[some(message.under)], "x") == OWN_X:
                for contrib in self._of(session, What.CONTRIB):
                    if self._messages[contrib].maker == message.maker:
                        self._reply(number, contrib)
            case What.CLOSE:
                self._acknowledge(number)
            case _:
                pass

    def _bind(self, session: int, contrib: int, x: bytes, whose: str, named: int, needs: Iterable[int]) -> None:
        given = self._messages[contrib]
        content = own_bind(self._configuration, named, given, x)
        data = write_bind(content, world.EVIL_ENROLMENT, world.EVIL_SESSION)
        name = f"BIND of the attacker to {given.name}, with {whose}, naming session {named}"
        made = Message(data=data, name=name, what=What.BIND, maker=ATTACKER, session=session)
        bind = self._messages.made(made, needs)
        if x == OWN_X:
            key = own_keys(octets_in(given, "x"), given, data).to_landmark
            self._packet(What.READY, 0, octets_in(given, "cookie"), key, given, bind, None, needs)

    def _reply(self, probe: int, contrib: int) -> None:
        given, message = self._messages[contrib], self._messages[probe]
        bind = some(message.under)
        key = own_keys(octets_in(given, "x"), given, self._messages[bind].data).to_landmark
        self._packet(What.REPLY, some(message.round), message.data[16:32], key, given, bind, probe, {contrib, probe})

    def _acknowledge(self, close: int) -> None:
        message = self._messages[close]
        fields = payload_of(message.data)
        ack = Ack(
            sid=octets_in(message, "sid"),
            landmark=octets_in(message, "landmark"),
            close=digest(message.data),
            transcript=octets_in(message, "transcript"),
            answered=len(fields["accepted"]) if isinstance(fields["accepted"], list) else 0,
        )
        data = write_ack(ack, world.EVIL_SESSION)
        self._say(What.ACK, data, f"for {message.name}", message, message.under, close, {close})

    # -- as a landmark ---------------------------------------------------------------------------------------------

    def _as_landmark(self, session: int, number: int, message: Message) -> None:
        match message.what:
            case What.SESSION:
                self._contribute(session, OWN_X, world.octets("cookie", "attacker")[:16], "its own X", {number})
            case What.CONTRIB:
                x, cookie = octets_in(message, "x"), octets_in(message, "cookie")
                self._contribute(session, x, cookie, f"X and cookie of {message.name}", {number})
            case What.BIND if self._is_bound_to_own_x(session, message):
                self._challenge(message, number, GUESS, {number})
                for probe in self._of(session, What.PROBE):
                    self._challenge(message, number, self._messages[probe].data[16:32], {number, probe})
                self._close(message, number, (), "nothing", {number})
                made_up = self._made_up(message)
                self._close(message, number, made_up[:1], "an answer that it made up", {number})
                self._close(message, number, made_up, "answers that it made up", {number})
            case What.PROBE:
                for bind in self._of(session, What.BIND):
                    if self._is_bound_to_own_x(session, self._messages[bind]):
                        self._challenge(self._messages[bind], bind, message.data[16:32], {bind, number})
            case What.REPLY if message.landmark == EVIL:
                bind = some(message.under)
                answer = Answer(round=0, nonce=message.data[16:32], tag=message.data[32:48])
                made_up = self._made_up(self._messages[bind])
                self._close(self._messages[bind], bind, (answer,), f"what is in {message.name}", {bind, number})
                also = f"what is in {message.name}, and more that it made up"
                self._close(self._messages[bind], bind, (answer, *made_up[1:]), also, {bind, number})
            case _:
                pass

    def _contribute(self, session: int, x: bytes, cookie: bytes, whose: str, needs: Iterable[int]) -> None:
        asked = self._configuration.sessions[session]
        content = Contrib(
            version=VERSION,
            session=digest(world.session_statement(session, asked)),
            landmark=OWN,
            position=world.identity(EVIL).position,
            random=world.octets("random", "attacker"),
            x=x,
            cookie=cookie,
            port=8471,
            expiry_ns=world.ISSUED_NS + 50 * world.SECOND_NS,
        )
        data = write_contrib(content, world.EVIL_LANDMARK)
        name = f"CONTRIB of the attacker in session {session}, with {whose}"
        made = Message(data=data, name=name, what=What.CONTRIB, maker=ATTACKER, session=session, landmark=EVIL)
        self._given[session].append(self._messages.made(made, needs))

    def _is_bound_to_own_x(self, session: int, bind: Message) -> bool:
        """Whether an agent's BIND is to the CONTRIB of the attacker whose key it has."""
        contributions = payload_of(bind.data)["contributions"]
        own = [self._messages[each] for each in self._given[session]]
        with_own_x = [[OWN, digest(each.data)] for each in own if octets_in(each, "x") == OWN_X]
        return isinstance(contributions, list) and any(each in contributions for each in with_own_x)

    def _made_up(self, bind: Message) -> Sequence[Answer]:
        """Answers as the agent would give them: the attacker has the same keys."""
        key = self._keys_with(bind).to_landmark
        made: list[Answer] = []
        for number in range(self._configuration.rounds):
            nonce = world.octets("made up", number)[:16]
            reply = timed_packet(What.REPLY, number, nonce, key, some(bind.session))
            made.append(Answer(round=number, nonce=nonce, tag=reply[32:48]))
        return made

    def _challenge(self, bind: Message, number: int, nonce: bytes, needs: Iterable[int]) -> None:
        key = self._keys_with(bind).to_agent
        data = timed_packet(What.PROBE, 0, nonce, key, some(bind.session))
        name = "with a nonce of its own" if nonce == GUESS else f"with nonce {nonce.hex()[:8]}"
        self._say(What.PROBE, data, name, bind, number, None, needs, landmark=EVIL, round_number=0)

    def _close(self, bind: Message, number: int, answers: Sequence[Answer], what: str, needs: Iterable[int]) -> None:
        sid = world.sid(some(bind.session))
        close = Close(
            sid=sid,
            landmark=OWN,
            bind=digest(bind.data),
            rounds_sent=self._configuration.rounds,
            accepted=tuple(answer.round for answer in answers),
            transcript=transcript(sid, OWN, digest(bind.data), answers),
            random=world.octets("close random", "attacker"),
        )
        data = write_close(close, world.EVIL_LANDMARK)
        self._say(What.CLOSE, data, f"claiming {what}", bind, number, None, needs, landmark=EVIL)

    def _keys_with(self, bind: Message) -> TimedKeys:
        shared = world.EVIL_AGREEMENT.agree(octets_in(bind, "x"))
        return packets.timed_keys(shared, sid=world.sid(some(bind.session)), landmark=OWN, bind=digest(bind.data))

    # -- either ----------------------------------------------------------------------------------------------------

    def _of(self, session: int, what: What) -> Iterator[int]:
        return (each for each in self._seen[what] if self._messages[each].session == session)

    def _packet(
        self,
        what: What,
        number: int,
        nonce: bytes,
        key: bytes,
        given: Message,
        under: int,
        answers: int | None,
        needs: Iterable[int],
    ) -> None:
        data = timed_packet(what, number, nonce, key, some(given.session))
        self._say(what, data, f"to {given.maker}", given, under, answers, needs, round_number=number)

    def _say(
        self,
        what: What,
        data: bytes,
        how: str,
        like: Message,
        under: int | None,
        answers: int | None,
        needs: Iterable[int],
        *,
        landmark: int | None = None,
        round_number: int | None = None,
    ) -> None:
        """A message of the session of `like`, and of its landmark unless another is told."""
        made = Message(
            data=data,
            name=f"{what.upper()} of the attacker {how}",
            what=what,
            maker=ATTACKER,
            session=like.session,
            landmark=like.landmark if landmark is None else landmark,
            under=under,
            answers=answers,
            round=round_number,
        )
        self._messages.made(made, needs)


def own_bind(configuration: Configuration, named: int, contrib: Message, x: bytes) -> Bind:
    """What the attacker binds its session key to: this CONTRIB, all other landmarks of its session being absent."""
    landmark = world.LANDMARK_ID[some(contrib.landmark)]
    asked = configuration.sessions[some(contrib.session)]
    return Bind(
        session=digest(world.session_statement(named, configuration.sessions[named])),
        s=world.EVIL_SESSION.verifying,
        x=x,
        contributions=(Contribution(landmark=landmark, digest=digest(contrib.data)),),
        absent=tuple(sorted({world.LANDMARK_ID[each] for each in asked.landmarks} - {landmark})),
        evidence=world.NO_EVIDENCE,
    )


def own_keys(peer: bytes, contrib: Message, bind: bytes) -> TimedKeys:
    """The timed keys that the attacker would share with the holder of `peer`, about the landmark that gave CONTRIB."""
    landmark = world.LANDMARK_ID[some(contrib.landmark)]
    shared = world.EVIL_AGREEMENT.agree(peer)
    return packets.timed_keys(shared, sid=world.sid(some(contrib.session)), landmark=landmark, bind=digest(bind))


def timed_packet(what: What, number: int, nonce: bytes, key: bytes, session: int) -> bytes:
    """A timed packet of this session."""
    handle = world.sid(session)[: packets.HANDLE_BYTES]
    return packets.write_packet(PacketType[what.name], key, handle=handle, round_number=number, nonce=nonce)


def octets_in(message: Message, field: str) -> bytes:
    """A byte string among the fields of a statement."""
    value: Value = payload_of(message.data)[field]
    if not isinstance(value, bytes):
        raise TypeError(field)
    return value
