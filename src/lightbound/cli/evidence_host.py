"""The host as a device: how its TPM is reached, and `lightbound evidence host-key`, which makes the key that quotes."""

from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

import typer

from lightbound.cli.signing_options import JsonOption, print_json

if TYPE_CHECKING:
    from lightbound.roles.evidence.answering import Source
    from lightbound.roles.evidence.tpm import HostTpm

HANDLE: Final = "0x81014c42"
"""Mirror of `roles.evidence.tpm.HANDLE`, as REGISTERS and TCTI are of its settings; a test holds them together."""
REGISTERS: Final = "sha256:0,1,2,3,4,5,6,7"
TCTI: Final = "device:/dev/tpmrm0"

_FIRST_HANDLE, _LAST_HANDLE = 0x8100_0000, 0x817F_FFFF
"""Where the owner may have keys kept (TCG Registry of Reserved TPM 2.0 Handles); those above are the platform's."""

HOST_KEY_HELP: Final = """Make the key with which this host's TPM quotes, have it quote once, and print the key's name.

Once for each host, as root or in the group tss, before its agent enrols: the verifier pins the name at enrolment, and
every later quote is to be by that key (tier A2). Where the key is there already, it is named and nothing is changed.
The same TPM makes the same key again, also after it was cleared; no file is written, and there is nothing to keep safe.

The TPM keeps it at --handle. The settings are those of the unit that answers for the host: where they are changed, let
both have the same LIGHTBOUND_EVIDENCE_*. It needs tpm2-tools, in /usr/bin.

\b
Examples:
  sudo lightbound evidence host-key
  lightbound evidence host-key --tcti swtpm:path=/tmp/tpm/socket --json
"""

TctiOption: TypeAlias = Annotated[
    str,
    typer.Option(
        "--tcti",
        envvar="LIGHTBOUND_EVIDENCE_TCTI",
        metavar="TCTI",
        help="How the host's TPM is reached, as tpm2-tools have it: device:PATH, or swtpm:path=SOCKET.",
    ),
]
RegistersOption: TypeAlias = Annotated[
    str,
    typer.Option(
        "--registers",
        envvar="LIGHTBOUND_EVIDENCE_REGISTERS",
        metavar="BANK:N,...",
        help="Registers that the host quotes: of one bank, or of two joined by +.",
    ),
]
HandleOption: TypeAlias = Annotated[
    str,
    typer.Option(
        "--handle",
        envvar="LIGHTBOUND_EVIDENCE_HANDLE",
        metavar="NUMBER",
        help="Where the TPM keeps the host's key.",
    ),
]


def host_key(
    *,
    tcti: TctiOption = TCTI,
    registers: RegistersOption = REGISTERS,
    handle: HandleOption = HANDLE,
    within_s: Annotated[
        float, typer.Option("--within-s", min=0.1, max=600, metavar="S", help="For the key, and for the quote.")
    ] = 60.0,
    as_json: JsonOption = False,
) -> None:
    """Make the key with which this host's TPM quotes, have it quote once, and print the key's name."""
    import secrets

    tpm = _tpm(tcti=tcti, registers=registers, handle=handle, within_s=within_s)
    name = tpm.make_key()
    # A key that is there and does not quote, such as for a bank that the firmware has turned off, is found out now.
    tpm.quote(secrets.token_bytes(32))
    if as_json:
        print_json({"name": name.hex(), "handle": handle, "registers": registers})
        return
    typer.echo(f"The host's key, kept by its TPM at {handle}: {name.hex()}")
    typer.echo(f"It has quoted {registers}. It is pinned when the agent enrols.")
    typer.echo("Next: systemctl enable --now lightbound-evidence-host.socket")


def host_source(*, tcti: str, registers: str, handle: str, within_s: float) -> "Source":
    """The host as the options have it; nothing is touched before it is asked.

    Raises:
        Malformed: the registers are none.
        typer.BadParameter: the handle is none.
    """
    from lightbound.roles.evidence.sources import Host

    return Host(tpm=_tpm(tcti=tcti, registers=registers, handle=handle, within_s=within_s))


def _tpm(*, tcti: str, registers: str, handle: str, within_s: float) -> "HostTpm":
    from lightbound.roles.evidence.tpm import HostTpm

    try:
        number = int(handle, 0)
    except ValueError:
        number = 0
    if not _FIRST_HANDLE <= number <= _LAST_HANDLE:
        message = f"expected a number from {_FIRST_HANDLE:#x} to {_LAST_HANDLE:#x}"
        raise typer.BadParameter(message, param_hint="--handle")
    return HostTpm(within_s=within_s, tcti=tcti, registers=registers, handle=number)
