"""Round trips over loopback, and exchanges a second: our landmark's timed loop against ends written in C, and ICMP.

A figure is the third smallest of 64, as a landmark's bound is, and of several such the median. All of a table come from
one run, in turns, so that a slow moment of the machine meets every line.
"""

import os
import re
import secrets
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lightbound.net.clocks import MachineClocks
from lightbound.net.udp import TimedSocket
from lightbound.ranging.timing.challenger import PhaseRecord
from lightbound.ranging.timing.clocks import ClockErrors
from lightbound.ranging.timing.packets import TimedKeys
from lightbound.ranging.timing.responder import READY_AGAIN_NS, Responder
from lightbound.roles.channel import Channel, Child, fork
from lightbound.roles.landmark.handing import Begin, read_answer, write_begin
from lightbound.roles.landmark.phases import Phases

SOURCE = Path(__file__).with_name("responder.c")
ROUNDS = 64
TURNS = 9
LOAD = 400
"""Phases at one time, to find how many exchanges a second one landmark core does."""

SPEED_OF_LIGHT_M_PER_US = 299.792458


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """One line: the third smallest of 64 round trips, in microseconds."""

    what: str
    third_us: float
    least_us: float
    most_us: float
    """The least and greatest of the turns."""


@contextmanager
def compiled() -> Iterator[str]:
    """The C ends, compiled for as long as the block lasts."""
    with tempfile.TemporaryDirectory() as folder:
        program = str(Path(folder) / "responder")
        subprocess.run([_tool("gcc"), "-O2", "-o", program, str(SOURCE)], check=True)
        yield program


@dataclass(slots=True, kw_only=True)
class Loop:
    """A landmark's timed process."""

    child: Child
    address: tuple[str, int]
    count: int = 0

    def begin(self) -> tuple[TimedKeys, bytes]:
        """Hand it a phase; the keys and the cookie that the agent needs."""
        # Under load the C agent finds a phase by its number.
        handle = self.count.to_bytes(4, "big") + secrets.token_bytes(4)
        keys = TimedKeys(handle=handle, to_landmark=secrets.token_bytes(32), to_agent=secrets.token_bytes(32))
        cookie = secrets.token_bytes(16)
        begin = Begin(number=self.count, keys=keys, cookie=cookie, errors=ClockErrors(), ready_within_ns=60_000_000_000)
        self.count += 1
        self.child.channel.send(write_begin(begin))
        return keys, cookie

    def record(self) -> PhaseRecord:
        """What came of the next phase that ends."""
        said = read_answer(self.child.channel.receive())
        if isinstance(said, dict):
            raise TypeError(said)
        return said[1]


@contextmanager
def loop(*, stamping: bool = True) -> Iterator[Loop]:
    """A timed process, until the block ends."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    bound.bind(("127.0.0.1", 0))

    def run(channel: Channel) -> None:
        timed = TimedSocket.of(bound, stamping=stamping)
        Phases(channel=channel, sockets=[timed], clocks=MachineClocks()).run()

    child = fork(run)
    address = bound.getsockname()
    bound.close()
    try:
        yield Loop(child=child, address=address)
    finally:
        child.end()


def third_us(record: PhaseRecord) -> float:
    """The third smallest of a phase."""
    return sorted(one.round_trip_ns for one in record.rounds)[2] / 1_000


def to_c(loop: Loop, program: str) -> float:
    """One phase with the C agent."""
    keys, cookie = loop.begin()
    fields = [keys.handle, keys.to_landmark, keys.to_agent, cookie]
    arguments = [program, "answer", loop.address[0], str(loop.address[1]), *(field.hex() for field in fields)]
    with subprocess.Popen(arguments) as agent:
        found = third_us(loop.record())
        agent.kill()
    return found


def to_python(loop: Loop, _program: str) -> float:
    """One phase with an agent as ours is, in a process of its own."""
    keys, cookie = loop.begin()

    def answer(_channel: Channel) -> None:
        responder = Responder.begin(keys, cookie=cookie)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
            own.connect(loop.address)
            own.settimeout(READY_AGAIN_NS / 1e9)
            own.send(responder.ready())
            while True:
                try:
                    reply = responder.datagram_received(own.recv(65))
                except TimeoutError:
                    reply = responder.ready()
                if reply is not None:
                    own.send(reply)

    agent = fork(answer)
    found = third_us(loop.record())
    os.kill(agent.pid, signal.SIGKILL)
    agent.wait()
    agent.channel.close()
    return found


def c_to_c(program: str) -> float:
    """A C client and a C echo, no protocol at all."""
    with subprocess.Popen([program, "echo"], stdout=subprocess.PIPE, text=True) as echo:
        if echo.stdout is None:
            raise TypeError
        port = echo.stdout.readline().strip()
        told = subprocess.run([program, "ping", port, str(ROUNDS)], capture_output=True, text=True, check=True)
        echo.kill()
    return sorted(map(int, told.stdout.split()))[2] / 1_000


def icmp() -> float:
    """The kernel's own answer to an echo request, as ping stamps it."""
    told = subprocess.run(
        [_tool("ping"), "-n", "-c", str(ROUNDS), "-i", "0.003", "127.0.0.1"], capture_output=True, text=True, check=True
    )
    return sorted(1_000 * float(found) for found in re.findall(r"time=([0-9.]+) ms", told.stdout))[2]


@contextmanager
def busy_core() -> Iterator[None]:
    """Another process that never rests."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as other:
        try:
            yield
        finally:
            other.kill()


@contextmanager
def busy_thread() -> Iterator[None]:
    """A thread of this process that never rests, as in a landmark whose control process is busy."""
    done = threading.Event()

    def spin() -> None:
        while not done.is_set():
            pass

    thread = threading.Thread(target=spin, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def floors() -> Iterator[Floor]:
    """The lines of the table."""
    with compiled() as program, loop() as kernel, loop(stamping=False) as user:
        lines: dict[str, Callable[[], float]] = {
            "C client to C echo, no protocol": lambda: c_to_c(program),
            "our landmark to an agent in C": lambda: to_c(kernel, program),
            "our landmark to our agent": lambda: to_python(kernel, program),
            "our landmark to our agent, user-space stamps": lambda: to_python(user, program),
        }
        if shutil.which("ping"):
            lines["ICMP echo, by ping"] = icmp
        yield from _measured(lines)
        quiet = "our landmark to our agent"
        with busy_core():
            yield from _measured({f"{quiet}, a busy core beside": lambda: to_python(kernel, program)})
        with busy_thread():
            # The agent is not forked from a process with threads in earnest; here it is the control process that spins.
            yield from _measured(
                {"our landmark to an agent in C, its control process busy": lambda: to_c(kernel, program)}
            )
            yield from _measured({"the same, user-space stamps": lambda: to_c(user, program)})


def _measured(lines: dict[str, Callable[[], float]]) -> Iterator[Floor]:
    found: dict[str, list[float]] = {what: [] for what in lines}
    for _ in range(TURNS):
        for what, measure in lines.items():
            found[what].append(measure())
    for what, thirds in found.items():
        yield Floor(what=what, third_us=statistics.median(thirds), least_us=min(thirds), most_us=max(thirds))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Exchanges a second of one timed process."""

    per_s: float
    per_core_s: float
    """For each second of processor that it used."""
    lost: float
    """Share of challenges without a valid answer."""


def rate() -> Rate:
    """Many phases at one time, answered by the C agent, so that the landmark is what is slow."""
    with compiled() as program, loop() as landmark, tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        for _ in range(LOAD):
            keys, cookie = landmark.begin()
            fields = [keys.handle, keys.to_landmark, keys.to_agent, cookie]
            file.write(" ".join(field.hex() for field in fields) + "\n")
        file.flush()
        arguments = [program, "load", landmark.address[0], str(landmark.address[1]), file.name]
        before_s, began_s = _processor_s(landmark.child.pid), time.monotonic()
        with subprocess.Popen(arguments) as agent:
            records = [landmark.record() for _ in range(LOAD)]
            took_s = time.monotonic() - began_s
            used_s = _processor_s(landmark.child.pid) - before_s
            agent.kill()
    sent, valid = sum(one.sent for one in records), sum(len(one.rounds) for one in records)
    return Rate(per_s=valid / took_s, per_core_s=valid / used_s, lost=1 - valid / sent)


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise FileNotFoundError(f"{name} is needed: make system-packages")
    return found


def _processor_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Print the tables."""
    print(f"Round trips over loopback: third smallest of {ROUNDS}, median of {TURNS} turns (least to greatest), in us")
    for floor in floors():
        print(f"{floor.third_us:8.1f} ({floor.least_us:.1f} to {floor.most_us:.1f})  {floor.what}", flush=True)
    print(f"1 us is {SPEED_OF_LIGHT_M_PER_US / 2:.0f} m of every bound\n")
    found = rate()
    print(
        f"{LOAD} phases at one time: {found.per_s:,.0f} exchanges/s, {found.per_core_s:,.0f} for each second of the "
        f"landmark's processor, {found.lost:.1%} of challenges lost"
    )


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    main()
