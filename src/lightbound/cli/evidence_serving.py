"""`lightbound evidence answer` and `evidence serve`: a device's socket, with rights that the agent must not have."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

import typer

from lightbound.cli.evidence_device import MOST_DEVICE, ByChoice, ByOption, CollectorOption, LibraryOption, chip_source
from lightbound.cli.evidence_host import HANDLE, REGISTERS, TCTI, HandleOption, RegistersOption, TctiOption, host_source
from lightbound.cli.serving import LogJsonOption

if TYPE_CHECKING:
    import socket

    from lightbound.roles.evidence.answering import Source

ANSWER_HELP: Final = """Answer one question on standard input, a connection, and end: what systemd starts for each.

The client writes 32 bytes, the device signs them, and evidence comes back, or the reason why there is none
(docs/evidence-socket.md). Nothing else can be asked. Which device it is, the name of the socket says: chip-0.sock is
chip 0, and so on, and host.sock is the host, whose TPM quotes. It is not for typing: standard input has to be a unix
socket, as packaging/systemd gives it. Nothing of the device stays open between questions.

\b
Example, in a unit with StandardInput=socket:
  ExecStart=/usr/bin/env lightbound evidence answer
"""

SERVE_HELP: Final = """Serve a device's socket until a signal comes: one process, one question at a time.

For hosts without systemd, and to try it. On others take the units in packaging/systemd, which hold no process and no
device between questions. Start it with the rights that asking the device takes, and give the socket to the agent's
group: owner and group may ask, others may not.

A socket chip-N.sock is chip N's, and host.sock is the host's, whose TPM quotes with the key that `lightbound evidence
host-key` made.

\b
Examples:
  lightbound evidence serve --socket /run/lightbound/evidence/chip-0.sock
  lightbound evidence serve --socket /run/lightbound/evidence/host.sock
  lightbound evidence collect --socket /run/lightbound/evidence/chip-0.sock
"""

DeviceOption: TypeAlias = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=MOST_DEVICE,
        metavar="N",
        help="The chip that answers, counted from 0. Default: as the socket is called, chip-N.sock.",
    ),
]
WithinOption: TypeAlias = Annotated[
    float, typer.Option("--within-s", min=0.1, max=600, metavar="S", help="For a question and its answer.")
]
WITHIN_S: Final = 12.0
"""Mirror of `roles.evidence.answering.WITHIN_S`; a test holds the two together."""
HOST: Final = "host.sock"
_CHIP: Final = re.compile(r"chip-(?P<device>0|[1-9][0-9]{0,3})\.sock")
SPARE_S: Final = 1.0
"""Of that, to tell what came of it."""


def answer(
    *,
    device: DeviceOption = None,
    by: ByOption = ByChoice.AUTO,
    collector: CollectorOption = None,
    library: LibraryOption = None,
    tcti: TctiOption = TCTI,
    registers: RegistersOption = REGISTERS,
    handle: HandleOption = HANDLE,
    within_s: WithinOption = WITHIN_S,
    log_json: LogJsonOption = False,
) -> None:
    """Answer one question on standard input, a connection, and end."""
    import time

    from lightbound.roles import logs
    from lightbound.roles.evidence.answering import answer as answer_question

    until_s = time.monotonic() + within_s
    connection = _standard_input()
    logs.set_up(as_json=log_json)
    # systemd tells a service of Accept=yes no other way which socket was connected to.
    number = _device_of(str(connection.getsockname()), device)
    for_device_s = _for_device(within_s)
    source: Source
    if number is None:
        source = host_source(tcti=tcti, registers=registers, handle=handle, within_s=for_device_s)
    else:
        source = chip_source(number, by, within_s=for_device_s, collector=collector, library=library)
    answer_question(connection, source, until_s)


def serve(
    *,
    socket: Annotated[Path, typer.Option(metavar="PATH", help="Where it listens. One left over is replaced.")],
    device: DeviceOption = None,
    by: ByOption = ByChoice.AUTO,
    collector: CollectorOption = None,
    library: LibraryOption = None,
    tcti: TctiOption = TCTI,
    registers: RegistersOption = REGISTERS,
    handle: HandleOption = HANDLE,
    within_s: WithinOption = WITHIN_S,
    log_json: LogJsonOption = False,
) -> None:
    """Serve a device's socket until a signal comes."""
    import signal

    from lightbound.roles import logs
    from lightbound.roles.evidence.serving import listening, stop
    from lightbound.roles.evidence.serving import serve as serve_socket

    logs.set_up(as_json=log_json)
    number, for_device_s = _device_of(str(socket), device), _for_device(within_s)
    source: Source
    if number is None:
        source = host_source(tcti=tcti, registers=registers, handle=handle, within_s=for_device_s)
    else:
        source = chip_source(number, by, within_s=for_device_s, collector=collector, library=library)
    with listening(socket) as listener:
        came: list[int] = []

        def end(number: int, _: object) -> None:
            came.append(number)
            stop(listener)

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, end)
        serve_socket(listener, source, within_s=within_s)
    if signal.SIGINT in came:
        raise KeyboardInterrupt


def _for_device(within_s: float) -> float:
    """What of the time for a question the device has: the rest is to tell whoever asks that it did not answer."""
    return max(within_s / 2, within_s - SPARE_S)


def _standard_input() -> "socket.socket":
    """The connection that we were started with.

    Raises:
        typer.BadParameter: standard input is none.
    """
    import socket

    try:
        connection = socket.socket(fileno=0)
    except OSError:
        connection = None
    if connection is None or (connection.family, connection.type) != (socket.AF_UNIX, socket.SOCK_STREAM):
        message = (
            "standard input is no connection; systemd gives one (see --help), `lightbound evidence serve` makes one"
        )
        raise typer.BadParameter(message)
    return connection


def _device_of(path: str, device: int | None) -> int | None:
    """The chip that answers at a socket, as somebody says or by the socket's name; None: the host.

    Raises:
        typer.BadParameter: neither says it, or the two do not agree.
    """
    name = Path(path).name
    if name == HOST:
        if device is not None:
            raise typer.BadParameter(f"{HOST} is the host's, and no chip answers there", param_hint="--device")
        return None
    if device is not None:
        return device
    match = _CHIP.fullmatch(name)
    if match is None or int(match["device"]) > MOST_DEVICE:
        message = f"the socket is called neither chip-N.sock nor {HOST}: say which chip"
        raise typer.BadParameter(message, param_hint="--device")
    return int(match["device"])
