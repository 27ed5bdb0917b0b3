"""One session as an agent lives it: for all chips of its host, with many landmarks at once, any of whom may stall.

    ASKED --contribution*--> ASKED --bind--> BOUND, and then with each landmark apart: challenges, CLOSE, ACK.

Whoever stays away until the agent stops waiting is named absent in BIND, and what it sends later is refused. The
agent understands these messages and no others; nothing in them tells it to do anything but answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from lightbound.errors import ErrorCode, Fault, Refused, refused
from lightbound.keys.agreement import AgreementKey
from lightbound.keys.ed25519 import SigningKey, VerifyingKey
from lightbound.keys.purposes import Purpose
from lightbound.keys.signing import digest
from lightbound.ranging.statements.binding import Bind, Contribution, Evidence, write_bind
from lightbound.ranging.statements.closing import Ack, read_close, transcript, write_ack
from lightbound.ranging.statements.opening import Contrib, read_contrib
from lightbound.ranging.statements.session import Session, check_askable, read_session
from lightbound.ranging.timing.packets import timed_keys
from lightbound.ranging.timing.responder import Responder

CONTRIB_WITHIN_NS: Final = 5_000_000_000
"""After SESSION: ten round trips to the other side of the Earth. Who has given nothing by then is absent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentTrust:
    """Whom an agent answers: what its `trust.toml` lists."""

    verifier: VerifyingKey
    directories: frozenset[bytes]
    """Digests of the directories whose landmarks it may be timed by."""
    landmarks: Mapping[bytes, VerifyingKey]


@dataclass(slots=True, kw_only=True)
class AgentSession:
    """One session at an agent."""

    session: Session
    session_digest: bytes
    asked_ns: int
    contributions: dict[bytes, tuple[Contrib, bytes]]
    """By landmark: what it gave, and the digest."""
    bind_digest: bytes | None = None
    """Of BIND, once it is made."""
    evidence: Evidence | None = None
    responders: dict[bytes, Responder]
    acknowledged: dict[bytes, bytes]
    """By landmark: the digest of the CLOSE that was acknowledged."""
    _acks: dict[bytes, bytes]
    """By landmark: what was said then. Later challenges must not change it, for MEASUREMENT names its digest."""
    _trust: AgentTrust
    _enrolment: SigningKey = field(repr=False)
    _s: SigningKey = field(repr=False)
    _x: AgreementKey = field(repr=False)
    _shared: dict[bytes, bytes] = field(repr=False, default_factory=dict)
    """By landmark: what its key of this session and ours agree on."""

    @classmethod
    def asked(
        cls,
        data: bytes,
        *,
        trust: AgentTrust,
        enrolment: SigningKey,
        s_seed: bytes,
        x_seed: bytes,
        now_ns: int,
    ) -> "AgentSession":
        """A session that the verifier asks this agent for; the seeds are 32 secret bytes each, of this session alone.

        Raises:
            Malformed, Refused: not a SESSION of the trusted verifier for this agent, valid now, of trusted landmarks.
        """
        session = read_session(data, trust.verifier)
        check_askable(session, now_ns=now_ns)
        if session.agent != enrolment.verifying:
            raise refused(ErrorCode.WRONG_KEY, "a session for this agent", "for another", "session.agent")
        if session.directory not in trust.directories or not trust.landmarks.keys() >= set(session.landmarks):
            fault = Fault(
                code=ErrorCode.NOT_ADMITTED,
                expected="landmarks that the agent trusts",
                found="others",
                column="session.landmarks",
                next="stop it and let it enrol again, as `lightbound agent doctor` says",
            )
            raise Refused(fault)
        return cls(
            session=session,
            session_digest=digest(data),
            asked_ns=now_ns,
            contributions={},
            responders={},
            acknowledged={},
            _acks={},
            _trust=trust,
            _enrolment=enrolment,
            _s=SigningKey.of_seed(Purpose.SESSION, s_seed),
            _x=AgreementKey.of_seed(x_seed),
        )

    def contribution(self, landmark: bytes, data: bytes, *, now_ns: int) -> None:
        """Take CONTRIB of a landmark. A second one, even the same again, is refused.

        Raises:
            Malformed, Refused: not a CONTRIB of this landmark for this session, out of date, or after BIND.
        """
        if self.bind_digest is not None or landmark in self.contributions:
            raise refused(ErrorCode.OUT_OF_ORDER, "one CONTRIB a landmark, before BIND", "another", "contrib")
        if landmark not in self.session.landmarks:
            raise refused(ErrorCode.WRONG_LANDMARK, "a landmark of the session", "another", "contrib.landmark")
        contrib = read_contrib(data, self._trust.landmarks[landmark])
        if contrib.landmark != landmark:
            raise refused(ErrorCode.WRONG_LANDMARK, "the landmark that signed", "another", "contrib.landmark")
        if contrib.session != self.session_digest:
            raise refused(ErrorCode.WRONG_SESSION, "this session", "another", "contrib.session")
        if now_ns > contrib.expiry_ns:
            raise refused(
                ErrorCode.NOT_VALID_THEN, "a CONTRIB that is still valid", "an older one", "contrib.expiry_ns"
            )
        # A key of small order is refused here, and not when it is too late.
        self._shared[landmark] = self._x.agree(contrib.x)
        self.contributions[landmark] = (contrib, digest(data))

    @property
    def is_complete(self) -> bool:
        """Whether every landmark of the session has contributed, so that there is nobody to wait for."""
        return len(self.contributions) == len(self.session.landmarks)

    def waits_until_ns(self) -> int | None:
        """When to stop waiting for landmarks and to bind with those that are there, in UTC; None if that is now.

        One landmark that stalls costs the others so much time and no more.
        """
        if self.bind_digest is not None or self.is_complete:
            return None
        return min(self.asked_ns + CONTRIB_WITHIN_NS, self.session.expiry_ns)

    def unattested(self) -> Bind:
        """What BIND will say, evidence aside: `n0` of it goes into quotes and reports before `bind` is called.

        Raises:
            Refused: nobody has contributed.
        """
        if not self.contributions:
            raise refused(ErrorCode.OUT_OF_ORDER, "a CONTRIB before BIND", "none", "bind")
        return Bind(
            session=self.session_digest,
            s=self._s.verifying,
            x=self._x.public,
            contributions=tuple(
                Contribution(landmark=landmark, digest=self.contributions[landmark][1])
                for landmark in sorted(self.contributions)
            ),
            absent=tuple(landmark for landmark in self.session.landmarks if landmark not in self.contributions),
            evidence=Evidence().digest(),
        )

    def bind(self, evidence: Evidence) -> bytes:
        """BIND, for every landmark that contributed; whoever has not is absent from now on.

        Raises:
            Refused: it has been made before, or nobody has contributed.
        """
        if self.bind_digest is not None:
            raise refused(ErrorCode.OUT_OF_ORDER, "one BIND a session", "another", "bind")
        unattested = self.unattested()
        bind = Bind(
            session=unattested.session,
            s=unattested.s,
            x=unattested.x,
            contributions=unattested.contributions,
            absent=unattested.absent,
            evidence=evidence.digest(),
        )
        data = write_bind(bind, self._enrolment, self._s)
        self.bind_digest, self.evidence = digest(data), evidence
        for landmark, (contrib, _) in self.contributions.items():
            keys = timed_keys(self._shared[landmark], sid=self.session.sid, landmark=landmark, bind=self.bind_digest)
            self.responders[landmark] = Responder.begin(keys, cookie=contrib.cookie)
        return data

    def close(self, landmark: bytes, data: bytes) -> bytes:
        """ACK for a CLOSE, if the landmark took only answers that were given. The same CLOSE again gets the same ACK.

        Raises:
            Malformed, Refused: not a CLOSE of this session by this landmark, another one than before, or with answers
                that this agent never gave.
        """
        responder = self.responders.get(landmark)
        if responder is None or self.bind_digest is None:
            raise refused(
                ErrorCode.OUT_OF_ORDER, "CLOSE of a landmark that the session is bound to", "another", "close"
            )
        close = read_close(data, self._trust.landmarks[landmark])
        if close.sid != self.session.sid or close.bind != self.bind_digest:
            raise refused(ErrorCode.WRONG_SESSION, "this session", "another", "close.bind")
        if close.landmark != landmark:
            raise refused(ErrorCode.WRONG_LANDMARK, "the landmark that signed", "another", "close.landmark")
        if self.acknowledged.get(landmark, digest(data)) != digest(data):
            raise refused(ErrorCode.OUT_OF_ORDER, "one CLOSE a landmark", "another", "close")
        if landmark in self._acks:
            return self._acks[landmark]
        answers = [responder.answers.get(number) for number in close.accepted]
        given = [answer for answer in answers if answer is not None]
        found = transcript(self.session.sid, landmark, self.bind_digest, given)
        if len(given) != len(answers) or found != close.transcript:
            raise refused(ErrorCode.TRANSCRIPT_DIFFERS, "answers that were given", "others", "close.transcript")
        ack = Ack(
            sid=self.session.sid,
            landmark=landmark,
            close=digest(data),
            transcript=close.transcript,
            answered=len(responder.answers),
        )
        self.acknowledged[landmark], self._acks[landmark] = digest(data), write_ack(ack, self._s)
        return self._acks[landmark]
