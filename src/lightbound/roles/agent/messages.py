"""Everything that an agent ever sends, message by message: what `agent show` prints and docs/agent.md lists.

Nothing here is used to send. Tests hold it to what a whole enrolment and session put on the wire.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from lightbound.attestation.tiers import Tier
from lightbound.enrolment.requests import LONGEST_POLL_S
from lightbound.ranging.statements.binding import Evidence
from lightbound.ranging.timing.packets import PACKET_BYTES
from lightbound.roles.agent.conversation import POLL_S

VERIFIER: Final = "verifier"
LANDMARK: Final = "landmark"

EVIDENCE: Final = {"chip that attests itself": 10_000, "host that quotes": 3_000}
"""More for each, where a message carries what they signed: a chip's report and certificates, a host's quote."""

HEADERS: Final = (
    "host", "connection", "user-agent", "accept", "accept-encoding", "content-type", "content-length",
)  # fmt: skip
"""Of every request; the last two only where there is a body."""

MOST_HEAD_BYTES: Final = 640
"""Of the first line and the headers of a request: a name of a host has at most 253 bytes, and stands in there once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """The most bytes that a body has."""

    fixed: int
    each: Mapping[str, int] = field(default_factory=dict)
    """More for each thing of these names."""

    def most(self, counts: Mapping[str, int]) -> int:
        """In a world with so many chips and landmarks."""
        return self.fixed + sum(more * counts.get(name, 0) for name, more in self.each.items())

    def in_words(self) -> str:
        """As a person reads it."""
        if not self.fixed and not self.each:
            return "no body"
        each = ", ".join(f"{more:,} more for each {name}" for name, more in self.each.items())
        return f"a body of at most {self.fixed:,} bytes" + (f", and {each}" if each else "")

    def __str__(self) -> str:
        """As the page has it."""
        return " + ".join([f"{self.fixed:,}", *(f"{more:,} for each {name}" for name, more in self.each.items())])


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What this host would say now; None: it has not enrolled, or that is not known here."""

    software: str
    agent: str | None = None
    key: str | None = None
    verifier: str | None = None
    chips: tuple[str, ...] = ()
    tier: str | None = None
    error: str | None = None


Says = str | Callable[[Known], str | None]
"""A field in words, or what it is on this host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message: to whom, how, when, and every field in it."""

    name: str
    to: str
    request: str
    """`H` stands for the digest of SESSION, 64 hexadecimal digits."""
    size: Size
    when: str
    fields: Mapping[str, Says] = field(default_factory=dict)


def _software(known: Known) -> str:
    return known.software


def _verifier(known: Known) -> str | None:
    return known.verifier


def _evidence(known: Known) -> str | None:
    if known.tier == Tier.A0:
        return f"{Evidence().digest().hex()}, which is that of no evidence (tier A0)"
    return None if known.tier is None else "digest of the manifest of the documents"


def _documents(known: Known) -> str | None:
    if known.tier == Tier.A0:
        return "none (tier A0)"
    return (
        None if known.tier is None else "of each chip its report and certificates, and the host's quote if it gives one"
    )


_NOW: Final = "the time now"
_SID: Final = "of SESSION"
_SESSION: Final = "digest of SESSION"

OUTGOING: Final = (
    Message(
        name="TRUST wanted",
        to=VERIFIER,
        request="GET /v1/trust",
        size=Size(fixed=0),
        when="at enrolment",
    ),
    Message(
        name="ENROL",
        to=VERIFIER,
        request="POST /v1/enrol",
        size=Size(fixed=700, each={"chip": 34, **EVIDENCE}),
        when="at enrolment",
        fields={
            "verifier": _verifier,
            "secret": "of the enrolment code, 15 bytes; it is kept nowhere",
            "key": lambda known: known.key,
            "chips": lambda known: ", ".join(known.chips) or None,
            "evidence": _evidence,
            "documents": _documents,
            "software": _software,
            "at_ns": _NOW,
        },
    ),
    Message(
        name="POLL",
        to=VERIFIER,
        request="POST /v1/poll",
        size=Size(fixed=1_500),
        when=f"all the time, answered within {LONGEST_POLL_S} s; later and later if it fails, at most 5 minutes apart",
        fields={
            "verifier": _verifier,
            "wait_s": str(LONGEST_POLL_S),
            "software": _software,
            "error": lambda known: "empty" if known.error == "" else known.error,
            "at_ns": _NOW,
        },
    ),
    Message(
        name="SESSION",
        to=LANDMARK,
        request="POST /clp1/sessions",
        size=Size(fixed=65_536),
        when="in a session, to each of its landmarks",
        fields={"SESSION": "as the verifier signed it, byte for byte"},
    ),
    Message(
        name="BIND",
        to=LANDMARK,
        request="POST /clp1/sessions/H/bind",
        size=Size(fixed=430, each={"landmark": 56}),
        when="once CONTRIBs are there, to each landmark that gave one",
        fields={
            "session": _SESSION,
            "s": "public key made for this session",
            "x": "public key made for this session",
            "contributions": "landmarks that answered, and digests of their CONTRIBs",
            "absent": "landmarks that did not",
            "evidence": _evidence,
        },
    ),
    Message(
        name="READY",
        to=LANDMARK,
        request="UDP",
        size=Size(fixed=PACKET_BYTES),
        when="in the timed phase, at once, and whenever 300 ms have passed without a PROBE",
        fields={"handle": "first 8 bytes of sid", "cookie": "of CONTRIB", "tag": "over both, by a key of this session"},
    ),
    Message(
        name="REPLY",
        to=LANDMARK,
        request="UDP",
        size=Size(fixed=PACKET_BYTES),
        when="in the timed phase, to each PROBE, 64 rounds and at most four times each",
        fields={
            "handle": "first 8 bytes of sid",
            "round": "of the PROBE",
            "nonce": "of the PROBE",
            "tag": "over all three, by a key of this session",
        },
    ),
    Message(
        name="CLOSE wanted",
        to=LANDMARK,
        request="GET /clp1/sessions/H/close?wait_s=N",
        size=Size(fixed=0),
        when="after BIND, until it comes",
        fields={"wait_s": f"at most {POLL_S}"},
    ),
    Message(
        name="ACK",
        to=LANDMARK,
        request="POST /clp1/sessions/H/ack",
        size=Size(fixed=280),
        when="after CLOSE",
        fields={
            "sid": _SID,
            "landmark": "whose CLOSE it is",
            "close": "digest of CLOSE",
            "transcript": "digest of the answers given",
            "answered": "how many rounds were answered",
        },
    ),
    Message(
        name="receipts wanted",
        to=LANDMARK,
        request="GET /clp1/sessions/H/logged",
        size=Size(fixed=0),
        when="after a session, to each of its landmarks, until they came; not with --keep-days 0",
    ),
    Message(
        name="statements wanted",
        to=LANDMARK,
        request="GET /clp1/sessions/H",
        size=Size(fixed=0),
        when="with it, if the landmark has a log",
    ),
    Message(
        name="DELIVERY",
        to=VERIFIER,
        request="POST /v1/sessions/H/result",
        size=Size(fixed=1_500, each={"landmark": 4_100, **EVIDENCE}),
        when="after a session; again if it could not be brought, for an hour",
        fields={
            "session": _SESSION,
            "content": "digest of what follows",
            "at_ns": _NOW,
            "bind": "BIND",
            "evidence": "the manifest whose digest is in BIND",
            "documents": _documents,
            "landmarks": "of each: CONTRIB, CLOSE, ACK, MEASUREMENT or ABORT, and the step that failed and why",
            "failure": "the step at which the session failed and why, if it did",
        },
    ),
)
