"""Which checkpoints are believed (C2SP tlog-policy): logs, witnesses, and how many of which must have cosigned.

log log.example/lightbound+1f3c...+AZ...   [URL]
witness w1 w1.example+77a0...+BA...        [URL]
witness w2 w2.example+5be3...+BA...
group both all w1 w2                       or any, or a number
quorum both                                or none

Names mean something inside the file alone, and are bytes: two that look alike are two.
"""

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Final

from lightbound.errors import ErrorCode, Fault, Malformed, refused
from lightbound.tlog.checkpoint import Checkpoint, open_checkpoint, read_text
from lightbound.tlog.cosignature import Cosignature, cosignatures
from lightbound.tlog.note import NoteKey, read_log_vkey, read_note, read_witness_vkey

MOST_BYTES: Final = 65_536
"""Room for hundreds of logs, witnesses and groups; the specification asks for 32 of each."""

NONE: Final = "none"
"""What a quorum is called that asks for nobody."""

_ALLOWED: Final = re.compile(rb"[\t\n\x20-\x7e\x80-\xff]*")
_COUNT: Final = re.compile("[1-9][0-9]{0,4}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A log or a witness: its key, and where it is asked if that was said."""

    key: NoteKey
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """So many of these members, each a witness or an earlier group."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Whose checkpoints are believed, and who must have cosigned them."""

    logs: tuple[Listed, ...]
    witnesses: tuple[tuple[str, Listed], ...]
    """Each under its name in the file."""
    groups: tuple[Group, ...]
    """Each after its members."""
    quorum: str

    @property
    def keys(self) -> tuple[NoteKey, ...]:
        """The key of every witness."""
        return tuple(listed.key for _, listed in self.witnesses)


@dataclass(slots=True)
class _Lines:
    """What was read so far. It changes with every line."""

    logs: list[Listed] = field(default_factory=list)
    witnesses: dict[str, Listed] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    members: set[str] = field(default_factory=set)
    quorum: str | None = None

    def is_defined(self, name: str) -> bool:
        """Whether a line above defines it."""
        return name in self.witnesses or name in self.groups


def read_policy(data: bytes) -> Policy:
    """A policy as its file says it.

    Raises:
        Malformed: it is none; the line is named.
    """
    if len(data) > MOST_BYTES:
        raise _malformed(0, f"at most {MOST_BYTES} bytes", f"{len(data)}")
    if _ALLOWED.fullmatch(data) is None:
        at = next(at for at, line in enumerate(data.split(b"\n"), 1) if _ALLOWED.fullmatch(line) is None)
        raise _malformed(at, "no control characters but tabs and line ends", "one")
    if data and not data.endswith(b"\n"):
        raise _malformed(data.count(b"\n") + 1, "a line end", "the end of the file")
    read = _Lines()
    # Bytes that are no UTF-8 stay what they are, each its own, as names may hold them.
    for number, line in enumerate(data.decode("utf-8", "surrogateescape").split("\n"), 1):
        words = [word for word in re.split("[ \t]+", line) if word]
        if words and not words[0].startswith("#"):
            _read_line(read, number, words)
    if read.quorum is None:
        raise _malformed(0, "one line with the quorum", "none")
    return Policy(
        logs=tuple(read.logs),
        witnesses=tuple(read.witnesses.items()),
        groups=tuple(read.groups.values()),
        quorum=read.quorum,
    )


def write_policy(policy: Policy) -> bytes:
    """The file of a policy."""
    lines = [" ".join(("log", *_told(listed))) for listed in policy.logs]
    lines += [" ".join(("witness", name, *_told(listed))) for name, listed in policy.witnesses]
    lines += [" ".join(("group", group.name, str(group.threshold), *group.members)) for group in policy.groups]
    lines.append(f"quorum {policy.quorum}")
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")


def policy_of(logs: Iterable[NoteKey], witnesses: Collection[NoteKey], threshold: int) -> Policy:
    """The policy that any of these logs is believed with cosignatures of so many of these witnesses.

    Raises:
        Malformed: a key stands twice among the witnesses, under whatever names, and would count twice.
    """
    if not 0 <= threshold <= len(witnesses):
        raise ValueError(f"{threshold} of {len(witnesses)} witnesses")
    if len({one.raw for one in witnesses}) < len(witnesses):
        raise Malformed(Fault(code=ErrorCode.SETTING_MALFORMED, expected="each witness once", found="one key twice"))
    named = tuple((f"w{number}", Listed(key=key)) for number, key in enumerate(witnesses, 1))
    group = Group(name="witnesses", threshold=threshold, members=tuple(name for name, _ in named))
    return Policy(
        logs=tuple(Listed(key=key) for key in logs),
        witnesses=named,
        groups=(group,) if threshold else (),
        quorum=group.name if threshold else NONE,
    )


def enough(policy: Policy, seen: Iterable[Cosignature]) -> bool:
    """Whether those who cosigned are as many, and of such groups, as the policy asks for.

    Each witness counts once, however often it cosigned; whoever is not in the policy does not count.
    """
    cosigned = {one.witness for one in seen}
    holds = {name for name, listed in policy.witnesses if listed.key in cosigned}
    for group in policy.groups:
        if sum(member in holds for member in group.members) >= group.threshold:
            holds.add(group.name)
    return policy.quorum == NONE or policy.quorum in holds


def open_by_policy(
    data: bytes, policy: Policy, *, what: str = "checkpoint"
) -> tuple[Checkpoint, tuple[Cosignature, ...]]:
    """A checkpoint that the policy believes, and who of its witnesses cosigned it.

    Says what one log said of itself, and that so many witnesses saw it continue what they had seen before. It does not
    say that what is in the log is true.

    Raises:
        Malformed: it is no checkpoint.
        Refused: of no log of the policy, a signature of a known key does not hold, or too few cosigned it.
    """
    note = read_note(data, what=what)
    origin = read_text(note.text, what=what).origin
    known = [listed.key for listed in policy.logs if listed.key.name == origin and note.of(listed.key)]
    if not known:
        raise refused(ErrorCode.WRONG_KEY, "a checkpoint signed by a log of the policy", origin, what)
    # Every line of a known key must hold (signed-note), also where a log has an old key and a new one.
    checkpoint, *_ = [open_checkpoint(data, key, what=what)[0] for key in known]
    seen = tuple(cosignatures(note, policy.keys, what=what))
    check_enough(policy, seen, what=what)
    return checkpoint, seen


def check_enough(policy: Policy, seen: Iterable[Cosignature], *, what: str = "checkpoint") -> None:
    """Nothing, if these cosignatures are the quorum.

    Raises:
        Refused: they are too few.
    """
    seen = tuple(seen)
    if not enough(policy, seen):
        names = ", ".join(one.witness.name for one in seen) or "nobody that it names"
        raise refused(ErrorCode.TOO_FEW_WITNESSES, f"cosignatures of the quorum {policy.quorum}", names, what)


def _read_line(read: _Lines, number: int, words: list[str]) -> None:
    match words:
        case ["log", vkey, *url] if len(url) <= 1:
            read.logs.append(_listed(number, vkey, url, read_log_vkey, read.logs))
        case ["witness", name, vkey, *url] if len(url) <= 1:
            _check_new(read, number, name)
            read.witnesses[name] = _listed(number, vkey, url, read_witness_vkey, read.witnesses.values())
        case ["group", name, count, *members] if members:
            _check_new(read, number, name)
            for member in members:
                if not read.is_defined(member):
                    raise _malformed(number, "members that lines above define", member)
                if member in read.members:
                    raise _malformed(number, "each name in one group, once", member)
                read.members.add(member)
            threshold = _threshold(number, count, len(members))
            read.groups[name] = Group(name=name, threshold=threshold, members=tuple(members))
        case ["quorum", name] if read.quorum is None:
            if name != NONE and not read.is_defined(name):
                raise _malformed(number, "a witness or group that a line above defines, or none", name)
            read.quorum = name
        case ["quorum", *_]:
            raise _malformed(number, "one line with a quorum, of one name", "another")
        case _:
            raise _malformed(number, "a line of a log, witness, group or quorum", " ".join(words))


def _check_new(read: _Lines, number: int, name: str) -> None:
    if name == NONE or read.is_defined(name):
        raise _malformed(number, "a name that is free", name)


def _listed(
    number: int, vkey: str, url: list[str], read_key: Callable[[str], NoteKey], others: Iterable[Listed]
) -> Listed:
    try:
        key = read_key(vkey)
    except Malformed as error:
        raise _malformed(number, error.faults[0].expected, error.faults[0].found) from error
    # Under another name it is the same key, and would count twice.
    if any(other.key.raw == key.raw for other in others):
        raise _malformed(number, "each key once", key.name)
    return Listed(key=key, url=url[0] if url else None)


def _threshold(number: int, text: str, members: int) -> int:
    threshold = {"any": 1, "all": members}.get(text, int(text) if _COUNT.fullmatch(text) else 0)
    if not 1 <= threshold <= members:
        raise _malformed(number, f"any, all, or a number from 1 to {members}", text)
    return threshold


def _told(listed: Listed) -> tuple[str, ...]:
    return (str(listed.key),) if listed.url is None else (str(listed.key), listed.url)


def _malformed(line: int, expected: str, found: str) -> Malformed:
    cut = found[:100]
    shown = cut if cut.isprintable() else "".join(letter if letter.isprintable() else "?" for letter in cut)
    return Malformed(
        Fault(code=ErrorCode.SETTING_MALFORMED, expected=expected, found=shown, line=line or None, column="policy")
    )
