"""What `ping` (iputils, English) and `fping` print, line by line.

Every line is one of those known here, or malformed: a line passed over as noise could be the answer that matters.
What these tools say is evidence of a round trip only as far as their answers cannot be foreseen. Echo requests can
be, and iputils' ping takes the time of sending from what comes back; see docs/importing.md.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

from lightbound.errors import ErrorCode
from lightbound.files.columns import is_id
from lightbound.files.faults import shown
from lightbound.files.importing.atlas_results import LONGEST_NAME, address
from lightbound.files.importing.dropped import Reason, Tally, Where, WrongField
from lightbound.files.importing.replies import NS_PER_MS, Reply, at_most_ns, unix_ns
from lightbound.files.importing.sources import Source

_AT: Final = r"(?:\[(?P<at>\d{1,10}(?:\.\d{1,9})?)\] )?"
_MS: Final = r"\d{1,9}(?:\.\d{1,9})?(?:e\+?\d{1,2})?"
_NAME: Final = r"(?P<name>\S+)(?: \((?P<address>\S+)\))?"

# -- ping ----------------------------------------------------------------------------------------------------------

_HEADER: Final = re.compile(
    r"PING (?P<host>[^\s(]+) ?\((?:\S+ \()?(?P<address>[^\s()]+)\)?\)(?:,? from \S+(?: \S*)?:)?:?(?:, flow \S+,)?"
    r" \d+(?:\(\d+\))? (?:bytes of data\.?|data bytes)"
)
_ANSWER: Final = re.compile(
    _AT + r"\d+ bytes from " + r"(?P<source>\S+?|\S+ \((?P<address>\S+)\)): (?:icmp_)?seq=\d+(?: ident=\d+)?"
    r"(?: (?:ttl|hlim)=\d+)?(?P<cut> \(truncated\))?(?: time(?P<sign>[=<])(?P<ms>-?" + _MS + r") ?ms)?"
    r"(?P<remarks>(?: \((?:DUP|BAD CHECKSUM|DIFFERENT ADDRESS)!\))*)"
)
_WRONG_DATA: Final = re.compile(rb"wrong data byte #\d+ should be 0x[0-9a-f]+ but was 0x[0-9a-f]+\s*")
_NO_ANSWER: Final = re.compile(_AT + r"[Ff]rom \S+(?: \(\S+\))?:? (?:icmp_)?seq=\d+ \S.*")
_COUNTS: Final = re.compile(
    r"(?P<sent>\d{1,15}) packets transmitted, (?P<received>\d{1,15})(?: packets)? received"
    r"(?:, \+(?P<duplicates>\d{1,15}) duplicates)?(?:, \+\d+ corrupted)?(?:, \+(?P<errors>\d{1,15}) errors)?"
    r"(?:, [\d.]+% packet loss)?(?:, time -?\d+ ?ms)?"
)
_LEAST: Final = re.compile(
    rf"(?:rtt|round-trip) min/avg/max(?:/mdev|/stddev)? = (?P<ms>{_MS})/\S+ ms(?:, pipe \d+)?(?:, ipg/ewma \S+ ms)?"
    r"|pipe \d+(?:, ipg/ewma \S+ ms)?"
)
_UNRESOLVED: Final = re.compile(
    r"(?:ping6?: )?\S+: (?:Name or service not known|Temporary failure in name resolution|"
    r"No address associated with hostname|Address family for hostname not supported|Non-recoverable failure.*)"
    r"|ping6?: unknown host \S+|\S+ address not found"
)

# -- fping ---------------------------------------------------------------------------------------------------------

_FPING_ANSWER: Final = re.compile(
    _AT + _NAME + r" *: \[\d+\], (?:\d+ bytes, (?P<ms>-?" + _MS + r") ms|(?P<timeout>timed out))"
    r" \((?:[\d.e+]+|-?nan|NaN) avg, \d+% loss\)(?: \((?:TOS|TTL) [^)]*\))*(?P<other> \[<- \S+\])?"
)
_FPING_DUPLICATE: Final = re.compile(_AT + _NAME + r" *: duplicate for \[\d+\], \d+ bytes, \S+ ms(?: \[<- \S+\])?")
_FPING_ALIVE: Final = re.compile(_NAME + rf" is (?:alive(?: \((?P<ms>{_MS}) ms\))?|(?P<timeout>unreachable))")
_FPING_ALL: Final = re.compile(_NAME + rf" *:(?P<all>(?: (?:-|{_MS}))+)")
_FPING_SUMMARY: Final = re.compile(
    _NAME + r" *: xmt/rcv/%(?:loss|return) = (?P<sent>\d{1,15})/(?P<received>\d{1,15})/\d+%"
    rf"(?:, outage\(ms\) = \d+)?(?:, min/avg/max = (?P<ms>{_MS})/\S+)?"
)
_FPING_ERROR: Final = re.compile(_AT + r"ICMP .+ from \S+ for ICMP Echo sent to \S+(?: \(\S+\))?")

_NOTICE: Final = re.compile(
    r"--- \S+ ping6? statistics ---"
    r"|(?:\[[\d.]+\] )?no answer yet for (?:icmp_)?seq=\d+"
    r"|ping6?: .*|fping: .*|PING: .*|(?:Warning|WARNING): .*|ai->.*"
    r"|\d+/\d+ packets, \d+% loss(?:, min/avg/ewma/max = \S+ ms)?"
    r"|#\d+\t[0-9a-f ]*|(?:RR|TS|NOP|LSRR|SSRR): *\t.*|\t.*|[.E\b ]+|\^C|\(same route\)"
    r"| +\d+ (?:targets|alive|unreachable|unknown addresses|timeouts .*|ICMP .*|other ICMP received)"
    r"| *[\d.e+]+ (?:ms|sec) \(.*\)|\[\d\d:\d\d:\d\d\]"
)


@dataclass(slots=True)
class _Run:
    """What is known of the pings to one target since its header. Not frozen: lines add to it."""

    target: str | None = None
    answers: int = 0
    """Lines of answers, used or not."""
    received: int = 0


class PingOutput:
    """Reads what ping and fping printed. Not frozen: what a line says depends on those before it."""

    def __init__(self, tally: Tally, *, landmark: str, chip: str | None, untimed_at_ns: int | None) -> None:
        """Answers are `landmark`'s, of `chip` if given, else of the address that the tool names."""
        self._tally = tally
        self._landmark = landmark
        self._chip = chip
        self._untimed_at_ns = untimed_at_ns
        self._run = _Run()
        self._fping: dict[str, int] = {}
        """Requests to each target that fping told of one by one, and has not summed up yet."""
        self._pending: Reply | None = None
        """An answer of ping, until the next line shows that its content was right."""

    def replies(self, source: Source) -> Iterator[Reply]:
        """Every answer of the file that counts, in order."""
        for number, line in source.lines():
            self._tally.items += 1
            if _WRONG_DATA.fullmatch(line):
                self._spoil_pending()
                continue
            settled, self._pending = self._pending, None
            found: list[Reply] = []
            try:
                found = self._read(line)
            except WrongField as wrong:
                self._tally.malformed(Where(source.name, line=number), wrong)
            if settled:
                yield settled
            yield from found
        if self._pending:
            yield self._pending
            self._pending = None

    def _read(self, line: bytes) -> list[Reply]:
        """The answers that a line holds; one of ping is left pending."""
        try:
            text = line.decode().rstrip()
        except UnicodeDecodeError as error:
            raise WrongField(None, "UTF-8 text", shown(line), ErrorCode.FILE_FORMAT) from error
        for pattern, reader in self._READERS:
            if match := pattern.fullmatch(text):
                found: list[Reply] = reader(self, match)
                return found
        raise WrongField(None, "a line of ping or fping in English", shown(text), ErrorCode.FILE_FORMAT)

    # -- ping --------------------------------------------------------------------------------------------------

    def _header(self, match: re.Match[str]) -> list[Reply]:
        self._run = _Run(target=_named(match["address"]))
        return []

    def _answer(self, match: re.Match[str]) -> list[Reply]:
        origin = _named(match["address"] or match["source"])
        run = self._run
        run.answers += 1
        for remark, reason in (
            ("DUP", Reason.DUPLICATE_REPLY),
            ("BAD CHECKSUM", Reason.DAMAGED_REPLY),
            ("DIFFERENT ADDRESS", Reason.OTHER_SOURCE),
        ):
            if remark in match["remarks"]:
                self._tally.drop(reason)
                return []
        if run.target is not None and origin != run.target:
            self._tally.drop(Reason.OTHER_SOURCE)
        elif match["cut"]:
            self._tally.drop(Reason.DAMAGED_REPLY)
        elif match["ms"] is None:
            self._tally.drop(Reason.NO_DURATION)
        else:
            # `time<1 ms` says that 1 ms is more than it was.
            answer = self._reply(origin, match["ms"], match["at"], rounded=match["sign"] == "=")
            self._pending = answer[0] if answer else None
        return []

    def _spoil_pending(self) -> None:
        if self._pending:
            self._pending = None
            self._tally.drop(Reason.DAMAGED_REPLY)

    def _no_answer(self, _: re.Match[str]) -> list[Reply]:
        self._tally.drop(Reason.ERROR_REPLY)
        return []

    def _counts(self, match: re.Match[str]) -> list[Reply]:
        self._run.received = int(match["received"])
        missing = int(match["sent"]) - self._run.received - int(match["errors"] or 0)
        self._tally.drop(Reason.TIMEOUT, max(0, missing))
        if not self._run.answers:
            self._tally.drop(Reason.DUPLICATE_REPLY, int(match["duplicates"] or 0))
        return []

    def _least(self, match: re.Match[str]) -> list[Reply]:
        run, self._run = self._run, _Run()
        if run.answers or match["ms"] is None or not run.received:
            return []
        if run.target is None and self._chip is None:
            raise WrongField(None, "a line PING before it, that names the target", "none", ErrorCode.VALUE_MISSING)
        return self._reply(run.target or "", match["ms"], None, samples=run.received)

    # -- fping -------------------------------------------------------------------------------------------------

    def _fping_answer(self, match: re.Match[str]) -> list[Reply]:
        target = _named(match["address"] or match["name"])
        self._fping[target] = self._fping.get(target, 0) + 1
        if match["timeout"]:
            self._tally.drop(Reason.TIMEOUT)
        elif match["other"]:
            self._tally.drop(Reason.OTHER_SOURCE)
        else:
            return self._reply(target, match["ms"], match["at"])
        return []

    def _fping_duplicate(self, _: re.Match[str]) -> list[Reply]:
        self._tally.drop(Reason.DUPLICATE_REPLY)
        return []

    def _fping_alive(self, match: re.Match[str]) -> list[Reply]:
        if match["timeout"]:
            self._tally.drop(Reason.NO_REPLY)
        elif match["ms"] is None:
            self._tally.drop(Reason.NO_DURATION)
        else:
            return self._reply(_named(match["address"] or match["name"]), match["ms"], None)
        return []

    def _fping_all(self, match: re.Match[str]) -> list[Reply]:
        target = _named(match["address"] or match["name"])
        values = match["all"].split()
        if self._told_before(target, len(values)):
            return []
        self._tally.drop(Reason.TIMEOUT, values.count("-"))
        return [reply for value in values if value != "-" for reply in self._reply(target, value, None)]

    def _fping_summary(self, match: re.Match[str]) -> list[Reply]:
        target = _named(match["address"] or match["name"])
        sent, received = int(match["sent"]), int(match["received"])
        if self._told_before(target, sent):
            return []
        self._tally.drop(Reason.TIMEOUT, max(0, sent - received))
        return self._reply(target, match["ms"], None, samples=received) if received and match["ms"] else []

    def _told_before(self, target: str, requests: int) -> bool:
        """Whether a summary repeats answers that had lines of their own. A target given twice has two summaries."""
        told = self._fping.get(target, 0)
        self._fping[target] = max(0, told - requests)
        return told > 0

    def _fping_error(self, _: re.Match[str]) -> list[Reply]:
        self._tally.drop(Reason.ERROR_REPLY)
        return []

    # -- both --------------------------------------------------------------------------------------------------

    def _unresolved(self, _: re.Match[str]) -> list[Reply]:
        self._tally.drop(Reason.UNRESOLVED)
        return []

    def _notice(self, _: re.Match[str]) -> list[Reply]:
        return []

    def _reply(self, target: str, ms: str, at: str | None, *, samples: int = 1, rounded: bool = True) -> list[Reply]:
        round_trip_ns = None if ms.startswith("-") else at_most_ns(ms, ns_per_unit=NS_PER_MS, printed_rounded=rounded)
        if round_trip_ns is None:
            self._tally.drop(Reason.NOT_POSITIVE, samples)
            return []
        measured_at_ns = self._untimed_at_ns if at is None else unix_ns(at)
        return [Reply(self._landmark, self._chip or f"target:{target}", round_trip_ns, measured_at_ns, samples)]

    _READERS: ClassVar = (
        (_ANSWER, _answer),
        (_FPING_ANSWER, _fping_answer),
        (_HEADER, _header),
        (_COUNTS, _counts),
        (_LEAST, _least),
        (_NO_ANSWER, _no_answer),
        (_FPING_DUPLICATE, _fping_duplicate),
        (_FPING_SUMMARY, _fping_summary),
        (_FPING_ALL, _fping_all),
        (_FPING_ALIVE, _fping_alive),
        (_FPING_ERROR, _fping_error),
        (_UNRESOLVED, _unresolved),
        (_NOTICE, _notice),
    )
    """What a line can be, the most frequent first."""


def _named(text: str) -> str:
    """A target as it is called: its address in the one shortest way, or the name that stands in its place."""
    known = address(text)
    if known is None and not (is_id(text) and len(text) <= LONGEST_NAME):
        raise WrongField(None, "the name or address of a target", shown(text), ErrorCode.VALUE_MALFORMED)
    return known or text
