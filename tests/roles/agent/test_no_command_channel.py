"""What an agent does to the world, call by call: it dials out to whom it was told of, and says what its page lists.

The processes run under strace. The last tests run agents that do a little more, which the same check must find.
"""

import json
import os
import re
import secrets
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from lightbound.enrolment.codes import Code
from lightbound.files.keys import key_path, read_key
from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.purposes import Purpose
from lightbound.ranging.timing.packets import PACKET_BYTES, PacketType
from lightbound.roles.agent.messages import HEADERS, MOST_HEAD_BYTES, OUTGOING, Message
from lightbound.roles.agent.receipts_file import NAME as RECEIPTS
from lightbound.tlog.checkpoint import log_key
from tests.house import tree
from tests.roles.agent.office import Office
from tests.roles.agent.running import office_of, waited
from tests.roles.agent.traced import Call, calls, end, plain, python, traced
from tests.roles.landmark.running import COMMAND, World, free_port, world

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")

CHIPS = 8

HARMLESS = frozenset(
    {
        "access", "chdir", "clone", "clone3", "exit", "exit_group", "faccessat", "faccessat2", "fork", "getcwd",
        "getdents64", "getpeername", "getsockname", "getsockopt", "lstat", "newfstatat", "readlink", "readlinkat",
        "recvfrom", "recvmsg", "setsockopt", "shutdown", "socketpair", "stat", "statfs", "statx", "vfork", "wait4",
        "waitid",
    }
)  # fmt: skip
OPENS = frozenset({"creat", "open", "openat", "openat2"})
CHANGES = frozenset(
    {
        "chmod", "fchmodat", "mkdir", "mkdirat", "rename", "renameat", "renameat2", "rmdir", "unlink", "unlinkat",
        "utimensat",
    }
)  # fmt: skip
SENDS = frozenset({"sendmsg", "sendto", "write", "writev"})
WRITES = re.compile(r"O_(WRONLY|RDWR|CREAT|TRUNC|APPEND)")
ENDS = re.compile(r"(TCP|UDP)(?:v6)?:\[(.*)->(.*)\]")
ADDRESS = re.compile(r'sin_port=htons\((\d+)\), sin_addr=inet_addr\("([^"]*)"\)')


class Caught(AssertionError):
    """The agent did what it says that it cannot."""


@dataclass(slots=True, kw_only=True)
class Seen:
    """What left the machine."""

    requests: list[tuple[str, str, int]] = field(default_factory=list)
    """Which message, to whom, bytes of its body."""
    bodies: dict[str, list[bytes]] = field(default_factory=dict)
    heads_bytes: int = 0
    datagrams: Counter[tuple[str, PacketType]] = field(default_factory=Counter)
    sent_bytes: int = 0
    """All bytes of all send calls."""

    def counts(self) -> Counter[str]:
        """How often each message was sent."""
        found = Counter(name for name, _, _ in self.requests)
        for (_, kind), count in self.datagrams.items():
            found[kind.name] += count
        return found


def checked(out: Path, *, folder: Path, hosts: Mapping[str, str], counts: Mapping[str, int], log: Path) -> Seen:
    """What left the machine; `hosts` are the parties by address and port.

    Raises:
        Caught: the processes did anything else.
    """
    seen, streams, programs = Seen(), dict[tuple[str, str], bytes](), 0
    for call in calls(out):
        if call.name == "execve":
            programs += 1
        elif call.name in SENDS:
            _take(call, seen, streams, hosts, log, folder)
        elif not _is_allowed(call, folder, hosts):
            raise Caught(call)
    if programs != 1:
        raise Caught(f"{programs} programs")
    for (_, to), data in sorted(streams.items()):
        _read_requests(data, hosts[to], seen, counts)
    accounted = seen.heads_bytes + sum(size for _, _, size in seen.requests) + PACKET_BYTES * seen.datagrams.total()
    if accounted != seen.sent_bytes:
        raise Caught(f"{seen.sent_bytes} bytes were sent, {accounted} of them are known")
    return seen


def _is_allowed(call: Call, folder: Path, hosts: Mapping[str, str]) -> bool:
    """Whether a call changes nothing, or only the agent's folder, or dials one of the parties."""
    if call.name in CHANGES or call.name == "creat" or (call.name in OPENS and WRITES.search(call.arguments)):
        paths = [Path(os.path.normpath(os.fsdecode(text))) for text in call.texts()]
        return not call.succeeded or (bool(paths) and all(path.is_relative_to(folder) for path in paths))
    if call.name == "socket":
        return call.arguments.startswith(("AF_INET, SOCK_STREAM", "AF_INET, SOCK_DGRAM"))
    if call.name == "connect":
        found = ADDRESS.search(call.arguments)
        return found is not None and f"{plain(found[2])}:{found[1]}" in hosts
    return call.name in OPENS or call.name in HARMLESS


def _take(
    call: Call,
    seen: Seen,
    streams: dict[tuple[str, str], bytes],
    hosts: Mapping[str, str],
    log: Path,
    folder: Path,
) -> None:
    where = call.descriptor()
    if where.startswith(("UNIX:[", "UNIX-STREAM:[")):
        # The channel between the two processes, or of its signals; a name to connect to would have been seen.
        return
    ends = ENDS.fullmatch(where)
    if ends is None:
        if call.name not in {"write", "writev"} or not (Path(where) == log or Path(where).is_relative_to(folder)):
            raise Caught(call)
        return
    protocol, own, other = ends[1], ends[2], ends[3]
    if call.name != "sendto" or other not in hosts:
        raise Caught(call)
    if not call.succeeded:
        return
    (data,) = call.texts()
    sent = len(data) if call.result == "?" else int(call.result.split()[0])
    seen.sent_bytes += sent
    if protocol == "TCP":
        streams[own, other] = streams.get((own, other), b"") + data[:sent]
        return
    kind = PacketType(data[3])
    if hosts[other] != "landmark" or len(data) != PACKET_BYTES or kind not in {PacketType.READY, PacketType.REPLY}:
        raise Caught(call)
    seen.datagrams[other, kind] += 1


def _read_requests(data: bytes, to: str, seen: Seen, counts: Mapping[str, int]) -> None:
    while data:
        head, end_of_head, rest = data.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        method, path, version, *_ = [*first.split(" "), "", ""]
        message = _message(method, path, to)
        length = int(headers.get("content-length", "0"))
        body, data = rest[:length], rest[length:]
        if (
            not end_of_head
            or version != "HTTP/1.1"
            or not headers.keys() <= set(HEADERS)
            or len(head) > MOST_HEAD_BYTES
            or len(body) != length
            or length > message.size.most(counts)
        ):
            raise Caught(first)
        seen.heads_bytes += len(head) + 4
        seen.requests.append((message.name, to, length))
        seen.bodies.setdefault(message.name, []).append(body)


def _message(method: str, path: str, to: str) -> Message:
    shape = re.sub(r"/[0-9a-f]{64}(?=/|$)", "/H", path)
    shape = re.sub(r"(?<=wait_s=)([0-9]|1[0-9]|20)$", "N", shape)
    for message in OUTGOING:
        if message.request == f"{method} {shape}" and message.to == to:
            return message
    raise Caught(f"{method} {path}, to a {to}")


@dataclass(slots=True, kw_only=True)
class Host:
    """The machine of an agent, watched."""

    tmp: Path
    world: World
    office: Office

    @property
    def folder(self) -> Path:
        """Of the agent."""
        return self.tmp / "agent"

    def enrol(self, program: list[str]) -> Seen:
        """What enrolling sends."""
        code = Code(secret=secrets.token_bytes(15), verifier=self.world.verifier.key_id).text
        arguments = ["--verifier", self.office.url, "--code", code, "--chips", str(CHIPS), "--data", str(self.folder)]
        out = self._out("enrol")
        with traced([*program, "agent", "enrol", *arguments], out, log=self.log) as process:
            assert process.wait(timeout=60) == 0, self.log.read_text()
        key = read_key(key_path(self.folder, Purpose.ENROLMENT), Purpose.ENROLMENT)
        self.office.enrolment = self.world.enrolment = key
        return self._checked(out)

    def session(self, program: list[str]) -> Seen:
        """What a whole session and two polls send."""
        out = self._out("run")
        self.office.ask(self.world.session())
        before = len(self.office.brought)
        with traced([*program, "agent", "run", "--data", str(self.folder)], out, log=self.log) as process:
            self.office.delivery(before + 1, within_s=60)
            polls = len(self.office.polls)
            self.office.wait(lambda: len(self.office.polls) > polls - 1)
            # Some seconds after the session it asks landmarks for receipts. There are none: their log never answers.
            waited(lambda: True if _receipts_were_asked_for(self.folder) else None)
            assert end(process) == 0, self.log.read_text()
        return self._checked(out)

    @property
    def log(self) -> Path:
        """Standard output and error."""
        return self.tmp / "log"

    def _out(self, name: str) -> Path:
        out = self.tmp / name
        out.mkdir()
        return out

    def _checked(self, out: Path) -> Seen:
        hosts = {urlsplit(self.office.url).netloc: "verifier"}
        hosts |= {f"{one.host}:{one.port}": "landmark" for one in self.world.landmarks}
        counts = {"chip": CHIPS, "landmark": len(self.world.landmarks)}
        return checked(out, folder=self.folder, hosts=hosts, counts=counts, log=self.log)


def _receipts_were_asked_for(folder: Path) -> bool:
    file = folder / RECEIPTS
    asks = [one["asks"] for one in json.loads(file.read_bytes())["waiting"]] if file.exists() else []
    return bool(asks) and all(asks)


@pytest.fixture(scope="module")
def submitting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Landmarks that have a log, so that an agent asks them for all that it ever asks landmarks for."""
    log = log_key("log.example/test", SigningKey.of_seed(Purpose.LOG, secrets.token_bytes(32)).verifying)
    more = ["--log", f"http://127.0.0.1:{free_port('127.0.0.1')}", "--log-key", str(log)]
    with world(tmp_path_factory.mktemp("submitting"), count=3, more=more) as made:
        yield made


@pytest.fixture
def host(submitting: World, tmp_path: Path) -> Iterator[Host]:
    with office_of(submitting) as (own, office):
        yield Host(tmp=tmp_path, world=own, office=office)


def test_every_call_and_every_byte_of_an_enrolment_and_a_session_is_known(host: Host) -> None:
    enrolled = host.enrol(list(COMMAND))
    assert enrolled.counts() == {"TRUST wanted": 1, "ENROL": 1}
    seen = host.session(list(COMMAND))
    counts = seen.counts()
    count = len(host.world.landmarks)
    assert {name for name, _, _ in seen.requests} | {"READY", "REPLY"} == set(counts)
    assert set(counts) | set(enrolled.counts()) == {message.name for message in OUTGOING}
    assert counts["SESSION"] == counts["BIND"] == counts["ACK"] == count
    assert counts["DELIVERY"] == 1
    assert 1 <= counts["POLL"] <= 3
    assert counts["CLOSE wanted"] >= count
    assert counts["receipts wanted"] == counts["statements wanted"] == count
    assert len(seen.datagrams) == 2 * count
    for one in host.world.landmarks:
        where = f"{one.host}:{one.port}"
        assert 1 <= seen.datagrams[where, PacketType.READY] <= 8
        assert 3 <= seen.datagrams[where, PacketType.REPLY] <= 64 * 4
    # What a landmark gets as SESSION is what the verifier signed, and all of them get one BIND.
    assert len(set(seen.bodies["SESSION"])) == len(set(seen.bodies["BIND"])) == 1


MORE = {
    "listens": "import socket\nkeep = socket.create_server(('127.0.0.1', 0))",
    "is bound to a port": "import socket\nkeep = socket.socket()\nkeep.bind(('127.0.0.1', 0))",
    "waits for packets": "import socket\nkeep = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\nkeep.bind(('', 0))",
    "has a name in the file system": "import socket\nkeep = socket.socket(socket.AF_UNIX)\nkeep.bind('\\0lightbound')",
    "starts a program": "import subprocess\nsubprocess.run(['/bin/true'])",
    "becomes another program": "import os, sys\nif 'again' not in os.environ:\n    os.environ['again'] = ''\n"
    "    os.execv(sys.executable, sys.orig_argv)",
    "writes elsewhere": "import os\nopen(os.path.join(os.environ['ELSEWHERE'], 'file'), 'w').close()",
    "makes a folder elsewhere": "import os\nos.mkdir(os.path.join(os.environ['ELSEWHERE'], 'folder'))",
    "asks elsewhere": "import socket\nsocket.socket().connect_ex(('127.0.0.2', 9))",
    "sends a packet elsewhere": "import socket\nsocket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.2', 9))",
    "tells the verifier more": "import httpx, os\n"
    "httpx.get(os.environ['OFFICE'] + '/v1/trust', headers={'x-more': 'b'}, trust_env=False)",
    "sends the verifier bytes": "import os, socket\n"
    "keep = socket.create_connection(os.environ['OFFICE'].removeprefix('http://').split(':'))\n"
    "keep.sendall(b'more\\r\\n\\r\\n')",
}


@pytest.mark.parametrize("what", MORE)
def test_an_agent_that_does_more_is_caught(host: Host, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    elsewhere = host.tmp / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setenv("ELSEWHERE", str(elsewhere))
    monkeypatch.setenv("OFFICE", host.office.url)
    with pytest.raises(Caught):
        host.enrol(python(MORE[what]))


@pytest.mark.long
def test_what_an_agent_does_more_in_its_other_process_is_caught(host: Host) -> None:
    host.enrol(list(COMMAND))
    late = (
        "import socket\nimport lightbound.roles.agent.responder as responder\nbefore = responder.read_message\n"
        "def read_message(message):\n    socket.create_server(('127.0.0.1', 0))\n    return before(message)\n"
        "responder.read_message = read_message"
    )
    with pytest.raises(Caught, match="bind"):
        host.session(python(late))


def test_the_page_lists_exactly_the_messages() -> None:
    rows = tree.table("docs/agent.md", "## What leaves the machine")
    told = [[cell.replace("`", "") for cell in row] for row in rows]
    assert told == [[one.name, one.to, one.request, str(one.size), one.when] for one in OUTGOING]
