"""What must hold: P1, P2 and P4, told from the explorer's record of who made what, and not from what the core says.

`wrong_step` looks at each message that an end takes, in each state in which it takes it. `wrong_pair` looks at a
landmark's end and the agent's end that it is bound to, in each pair of states that they are in together. P3 is seen
where the core is run (`tables`), P5 where states are searched (`search`), and what strangers believe in `splices`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lightbound.keys.signing import digest
from lightbound.ranging.sessions.agent import AgentSession
from lightbound.ranging.sessions.landmark import LandmarkSession, State
from lightbound.ranging.statements.closing import Answer, read_close, transcript
from tests.explorer import world
from tests.explorer.agent_end import AgentEnd
from tests.explorer.ends import End, agents_of, landmarks_of
from tests.explorer.landmark_end import LandmarkEnd
from tests.explorer.messages import ATTACKER, VERIFIER, Message, Messages, What, payload_of, some
from tests.explorer.ports import Core, Port

Rules = Iterator[tuple[bool, str]]
"""What has to hold, and what is wrong if it does not. A rule may rely on those before it, so the first that fails is
the last that is looked at."""

TAKEN_AS = {
    "contribution": What.CONTRIB,
    "challenge": What.PROBE,
    "close": What.CLOSE,
    "bind": What.BIND,
    "acknowledge": What.ACK,
}
"""What belongs into a port."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """Where one end stands, and the explorer's record of how it came there."""

    core: Core
    clock_ns: int
    under: int | None = None
    """Number of the BIND that it sent or took."""
    taken: frozenset[tuple[Port, int]] = frozenset()
    sent: frozenset[int] = frozenset()


def wrong_step(end: End, before: Local, port: Port, number: int, messages: Messages) -> str | None:
    """What is wrong with an end's taking this message in this state; None if nothing is."""
    where = f"{end.name} took {messages[number].name} as {port}"
    if port.name in {"asked", "open"}:
        return _first_broken(_of_session(where, end, before, messages[number]))
    if isinstance(end, AgentEnd):
        return _first_broken(_at_agent(where, end, before, port, messages[number], messages))
    return _first_broken(_at_landmark(where, end, before, port, number, messages))


def wrong_pair(
    end: LandmarkEnd, at_landmark: Local, agent: AgentEnd, at_agent: Local, messages: Messages
) -> str | None:
    """What is wrong with these two being bound to one another, each in this state; None if nothing is."""
    if not isinstance(at_landmark.core, LandmarkSession) or at_landmark.core.challenger is None:
        return None
    return _first_broken(_together(end, at_landmark.core, at_landmark, agent, at_agent.core, messages))


def has_measured(end: End, local: Local) -> bool:
    """Whether a landmark's end came to what an honest run comes to: a measurement with an ACK."""
    if not isinstance(end, LandmarkEnd) or not isinstance(local.core, LandmarkSession):
        return False
    last = State.MEASURED if end.with_ends else State.ACKNOWLEDGED
    return local.core.state is last and any(port.name == "acknowledge" for port, _ in local.taken)


def _first_broken(rules: Rules) -> str | None:
    return next((says for holds, says in rules if not holds), None)


def _of_session(where: str, end: End, before: Local, message: Message) -> Rules:
    is_its_own = message.what is What.SESSION and message.maker == VERIFIER and message.session == end.number
    yield is_its_own, f"P2: {where}"
    yield not before.sent, f"P2: {where}, having begun it before"


def _at_agent(where: str, end: AgentEnd, before: Local, port: Port, message: Message, messages: Messages) -> Rules:
    what, landmark = TAKEN_AS[port.name], some(port.landmark)
    yield message.what is what, f"P2: {where}"
    yield (message.session, message.landmark) == (end.number, landmark), f"P2: {where}"
    yield message.maker in _who_is_landmark(end, landmark), f"P2: {where}"
    if what is What.CONTRIB:
        return
    yield message.under == before.under, f"P2: {where}"
    if what is What.CLOSE:
        said = read_close(message.data, world.LANDMARK[landmark].verifying)
        given = dict(_answers(before, landmark, messages))
        yield set(said.accepted) <= given.keys(), f"P4: {where}, which claims answers that were never given"
        bind = digest(messages[some(before.under)].data)
        sid, by_id = world.sid(end.number), world.LANDMARK_ID[landmark]
        found = transcript(sid, by_id, bind, [given[number] for number in said.accepted])
        yield found == said.transcript, f"P4: {where}, which claims other answers than were given"


def _at_landmark(where: str, end: LandmarkEnd, before: Local, port: Port, number: int, messages: Messages) -> Rules:
    message = messages[number]
    what = TAKEN_AS.get(port.name)
    yield what is None or message.what is what, f"P2: {where}"
    yield message.session == end.number and message.maker in _who_is_agent(end), f"P2: {where}"
    if what is What.BIND:
        yield _names(message, end, before, messages), f"P2: {where}, which names another session or CONTRIB"
        return
    yield (message.landmark, message.under) == (end.landmark, before.under), f"P2: {where}"
    if what is What.ACK:
        closes = [one for one in before.sent if messages[one].what is What.CLOSE]
        yield [message.answers] == closes, f"P4: {where}, which is of another CLOSE"
        return
    yield message.what is What.READY or message.what is What.REPLY, f"P2: {where}"
    if message.what is What.REPLY:
        challenge = _newest_challenge(before.sent, messages)
        yield message.answers == challenge, f"P1: {where}, which answers no challenge that is outstanding"
        yield all(taken != number for _, taken in before.taken), f"P1: {where} for the second time"


def _together(
    end: LandmarkEnd, core: LandmarkSession, at_landmark: Local, agent: AgentEnd, other: Core, messages: Messages
) -> Rules:
    bind = messages[some(at_landmark.under)].data
    landmark = world.LANDMARK_ID[end.landmark]
    if not isinstance(other, AgentSession):
        yield False, f"P1: {end.name} is bound to {agent.name}, which has not begun"
        return
    same_keys = other.bind_digest == digest(bind) and other.unattested().s.raw == payload_of(bind)["s"]
    yield same_keys, f"P1: {end.name} is bound to another session key than that of {agent.name}"
    answers = other.responders[landmark].answers
    for one in core.challenger.valid if core.challenger else ():
        number = one.answer.round
        yield answers.get(number) == one.answer, f"P1: {end.name} took an answer in round {number} that was not given"
    if core.state is State.ACKNOWLEDGED:
        (close,) = [messages[one].data for one in at_landmark.sent if messages[one].what is What.CLOSE]
        acknowledged = other.acknowledged.get(landmark)
        yield acknowledged == digest(close), f"P4: {end.name} has an ACK that {agent.name} does not know of"
        said = read_close(close, world.LANDMARK[end.landmark].verifying)
        found = transcript(other.session.sid, landmark, digest(bind), [answers[number] for number in said.accepted])
        yield found == said.transcript, f"P4: {end.name} and {agent.name} have different transcripts"


def _answers(local: Local, landmark: int, messages: Messages) -> Iterator[tuple[int, Answer]]:
    for one in local.sent:
        message = messages[one]
        if message.what is What.REPLY and message.landmark == landmark:
            number, data = some(message.round), message.data
            yield number, Answer(round=number, nonce=data[16:32], tag=data[32:48])


def _names(message: Message, end: LandmarkEnd, before: Local, messages: Messages) -> bool:
    """Whether a BIND names this end's session and CONTRIB."""
    payload = payload_of(message.data)
    session = digest(world.session_statement(end.number, end.asked))
    (contrib,) = [messages[one].data for one in before.sent if messages[one].what is What.CONTRIB]
    named = [world.LANDMARK_ID[end.landmark], digest(contrib)]
    contributions = payload["contributions"]
    return payload["session"] == session and isinstance(contributions, list) and named in contributions


def _newest_challenge(sent: frozenset[int], messages: Messages) -> int | None:
    challenges = [(some(messages[one].round), one) for one in sent if messages[one].what is What.PROBE]
    return max(challenges)[1] if challenges else None


def _who_is_landmark(end: AgentEnd, landmark: int) -> Sequence[str]:
    """Who speaks for this landmark in the session of this end; nobody if it is not of the session."""
    if landmark == world.EVIL and landmark in end.asked.landmarks:
        return (ATTACKER,)
    ends = landmarks_of(end.number, end.asked, world.Configuration())
    return [each.name for each in ends if each.landmark == landmark]


def _who_is_agent(end: LandmarkEnd) -> Sequence[str]:
    """Who speaks for the agent of the session of this end."""
    if end.asked.agent is None:
        return (ATTACKER,)
    return [each.name for each in agents_of(end.number, end.asked)]
