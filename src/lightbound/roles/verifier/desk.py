"""What agents ask of a verifier: to be let in, what is asked of them, to take what they bring.

Every method is called in a thread, takes and gives bytes, and returns only what is on disk already.
"""

import hashlib
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import structlog

from lightbound.enrolment.delivery import MOST_DELIVERY_BYTES, deliverer, read_delivery
from lightbound.enrolment.documents import fields_of
from lightbound.enrolment.kinds import Kind
from lightbound.enrolment.pinned import Finding, FindingKind, Pins
from lightbound.enrolment.requests import (
    Enrol,
    Poll,
    check_fresh,
    check_meant,
    read_enrol,
    read_enrolment,
    read_poll,
    signer,
)
from lightbound.enrolment.trust import Trust, TrustedLandmark, write_trust
from lightbound.errors import ErrorCode, Refused, refused
from lightbound.files.landmark_addresses import LandmarkAddress
from lightbound.keys.ed25519 import SigningKey
from lightbound.net.http_errors import unknown
from lightbound.net.rates import Rates
from lightbound.ranging.sessions.admitted import AdmittedLandmarks
from lightbound.roles.verifier.asking import Asker, dice_bytes
from lightbound.roles.verifier.attesting import Attestor
from lightbound.roles.verifier.choosing import Choosing
from lightbound.roles.verifier.kept import Kept
from lightbound.roles.verifier.meters import Meters
from lightbound.roles.verifier.schedule import AGAIN_NS, GRACE_NS, due_ns, valid_ns
from lightbound.store.asked import ASKED, Asked
from lightbound.store.enrolments import Agent

POLLS_PER_S: Final = 1.0
POLLS_BURST: Final = 10.0
"""Of one agent. One that works polls once in 25 seconds, and after each session."""


@dataclass(slots=True, kw_only=True, eq=False)
class Desk:
    """Answers agents. Threads may share it."""

    asker: Asker
    choosing: Choosing
    kept: Kept
    meters: Meters
    trust: bytes
    """The statement TRUST."""
    look_at: Callable[[bytes], None]
    """Told of each session that something was brought of."""
    attestor: Attestor = field(default_factory=Attestor)
    now_ns: Callable[[], int] = time.time_ns  # noqa: TID251 - a role is where the clock is read
    dice: Callable[[int], bytes] = secrets.token_bytes
    able_since_ns: int | None = None
    """Since when agents could have been asked; None while no landmark is admitted."""
    _rates: Rates = field(default_factory=lambda: Rates(per_s=POLLS_PER_S, burst=POLLS_BURST))
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _newest_poll: dict[bytes, int] = field(default_factory=dict)

    def enrol(self, data: bytes) -> None:
        """Let an agent in by its code. The same again changes nothing.

        Raises:
            Malformed, Refused: it is not let in.
            Unavailable: the database failed.
        """
        brought = read_enrolment(data)
        said = read_enrol(brought.enrol)
        if self.kept.enrolments.has(brought.enrol):
            return
        check_meant(said.verifier, self.asker.key.verifying, Kind.ENROL.short)
        now_ns = self.now_ns()
        check_fresh(said.at_ns, now_ns=now_ns, path=Kind.ENROL.short)
        # The code is looked at before the evidence: a stranger without one makes nobody check signatures.
        self.kept.enrolments.check_code(said.secret, now_ns=now_ns)
        pins = self.attestor.enrolled(said, brought)
        try:
            is_new = self.kept.enrolments.enrol(said, brought.enrol, pins=pins, now_ns=now_ns)
        except Refused:
            self._note_double(said, pins, now_ns)
            raise
        if is_new:
            self.meters.enrolled.inc()
            attested = len(pins.chips)
            structlog.get_logger().info(
                "enrolled", agent=said.key.key_id.hex(), chips=len(said.chips), attested=attested
            )

    def _note_double(self, said: Enrol, pins: Pins, now_ns: int) -> None:
        """A chip that another agent answers for, and that this one proved to have as well, is a finding."""
        for chip in pins.chips:
            owner = self.kept.enrolments.owner(chip)
            if owner is not None and owner != said.key.key_id:
                detail = f"agent {said.key.key_id.hex()} tried to enrol it, with evidence that holds"
                found = Finding(kind=FindingKind.ENROLLED_TWICE, chip=chip, detail=detail)
                self.kept.findings.note(owner, [found], session=None, now_ns=now_ns)

    def poll(self, data: bytes) -> tuple[Agent, Poll]:
        """Who polls, and how.

        Raises:
            Malformed, Refused: no poll of an enrolled agent, for this verifier, made just now and not seen before.
            Unavailable: it polls too often, or the database failed.
        """
        agent = self._agent(signer(data, Kind.POLL))
        said = read_poll(data, agent.key)
        check_meant(said.verifier, self.asker.key.verifying, Kind.POLL.short)
        now_ns = self.now_ns()
        check_fresh(said.at_ns, now_ns=now_ns, path=Kind.POLL.short)
        with self._lock:
            self._rates.take(agent.key.key_id.hex(), now_s=now_ns / 1e9)
        self.kept.enrolments.polled(agent.key.key_id, said, now_ns=now_ns)
        with self._lock:
            self._newest_poll[agent.key.key_id] = said.at_ns
        self.meters.polls.inc()
        return agent, said

    def is_newest(self, agent: Agent, poll: Poll) -> bool:
        """Whether no later poll of this agent has come: only the newest is worth an answer."""
        with self._lock:
            return self._newest_poll.get(agent.key.key_id) == poll.at_ns

    def give(self, agent: Agent) -> tuple[bytes | None, int]:
        """SESSION, if the agent is due; else when it will be, in UTC.

        Raises:
            Unavailable: no landmark is admitted now, or the database failed.
        """
        now_ns, every_ns = self.now_ns(), self.asker.policy.every_ns
        agent_id, due = agent.key.key_id, now_ns

        def choose(newest: Asked | None) -> Asked | bytes | None:
            nonlocal due
            if newest is not None and newest.state == ASKED and now_ns - newest.issued_ns <= AGAIN_NS:
                return newest.statement
            due = due_ns(newest, agent_id, every_ns=every_ns, enrolled_ns=agent.enrolled_ns)
            if now_ns < due:
                return None
            return self.asker.asked(
                agent,
                chips,
                chosen=chosen,
                dice=self.dice(dice_bytes(len(chips))),
                now_ns=now_ns,
                valid_ns=valid_ns(every_ns),
            )

        chips = self.kept.enrolments.chips(agent_id)
        if not chips:
            # All of them went to agents that they attested themselves to.
            return None, now_ns + every_ns
        chosen = self.choosing.chosen(agent.site, count=self.asker.policy.nearest, now_ns=now_ns)
        given = self.kept.asked.give(agent_id, choose)
        if given is not None:
            self.meters.asked.inc()
            session = hashlib.sha256(given).hexdigest()
            structlog.get_logger().info("asked", agent=agent_id.hex(), session=session, chosen=len(chosen))
        return given, due

    def deliver(self, name: bytes, data: bytes) -> None:
        """Keep what an agent brings of a session. The same again changes nothing.

        Raises:
            Malformed, Refused: no delivery of this session by its agent, or another than before.
            Unavailable: the database failed.
        """
        asked = self.kept.asked.session(name)
        if asked is None:
            raise unknown("session")
        if asked.delivery == data:
            return
        agent = self._agent(deliverer(data))
        if agent.key.key_id != asked.agent:
            raise refused(ErrorCode.WRONG_KEY, "the agent of this session", "another", "delivery")
        now_ns = self.now_ns()
        content = read_delivery(data, agent.key, now_ns=now_ns)
        if content.session != name:
            raise refused(ErrorCode.WRONG_SESSION, "this session", "another", "delivery.session")
        fresh = self.kept.asked.deliver(
            name, data, content=_content_digest(data), now_ns=now_ns, in_time_ns=now_ns - GRACE_NS
        )
        if fresh:
            self.meters.delivered.inc()
            structlog.get_logger().info(
                "delivered", agent=asked.agent.hex(), session=name.hex(), landmarks=len(content.landmarks)
            )
            # Killed before this line: it is found in the database when we come up again.
            self.look_at(name)

    def check_able(self) -> bool:
        """Whether agents can be asked: a landmark is admitted now. Notes since when."""
        now_ns = self.now_ns()
        able = any(one.from_ns <= now_ns <= one.to_ns for one in self.asker.landmarks.by_id.values())
        if not able:
            self.able_since_ns = None
        elif self.able_since_ns is None:
            self.able_since_ns = now_ns
        return able

    def _agent(self, agent_id: bytes) -> Agent:
        agent = self.kept.enrolments.agent(agent_id)
        if agent is None:
            raise refused(ErrorCode.NOT_ENROLLED, "an agent that is enrolled", agent_id.hex(), "agent")
        return agent


def trust_of(key: SigningKey, landmarks: AdmittedLandmarks, addresses: Mapping[bytes, LandmarkAddress]) -> bytes:
    """The statement TRUST: this verifier, its directory, and every landmark of that with its address."""
    trusted = tuple(
        TrustedLandmark(key=one.key, name=addresses[name].name, url=addresses[name].url)
        for name, one in sorted(landmarks.by_id.items())
    )
    return write_trust(Trust(verifier=key.verifying, directories=(landmarks.digest,), landmarks=trusted), key)


def _content_digest(data: bytes) -> bytes:
    fields = fields_of(data, "delivery", MOST_DELIVERY_BYTES)
    content = fields.value("content")
    if not isinstance(content, bytes):
        raise TypeError(type(content).__name__)
    return hashlib.sha256(content).digest()
