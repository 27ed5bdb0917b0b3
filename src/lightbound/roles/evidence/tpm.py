"""The host's TPM, which quotes a nonce with a key that never leaves it, by tpm2-tools (5.4 or later).

    tpm2_createprimary, tpm2_evictcontrol     once: the key, kept by the TPM itself under a number
    tpm2_readpublic, tpm2_quote               for each question

The key is made from the TPM's endorsement seed by a template of our own, so that the same TPM makes the same key again,
also after it was cleared. Each tool is a child that is gone after, without a shell; nothing of the TPM is held between.
"""

import os
import re
import stat
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

from lightbound.attestation.tpm.keys import read_public
from lightbound.attestation.tpm.octets import Hash
from lightbound.attestation.tpm.quotes import Quote, Registers, check_may_quote, verified_quote, write_quote
from lightbound.errors import ErrorCode, Fault, LightboundError, Malformed, Unavailable
from lightbound.roles.evidence.child import Ended, Ending, asked_of

DEVICE: Final = Path("/dev/tpmrm0")
"""The kernel's own resource manager: many may use it at once. /dev/tpm0 is for one at a time."""

TOOLS: Final = Path("/usr/bin")
"""Where packages put tpm2-tools. Not PATH, as for the vendor's collector."""

HANDLE: Final = 0x8101_4C42
"""Where the TPM keeps the key: one of the numbers 0x81010000 to 0x8101ffff, which are meant for keys of the endorsement
hierarchy. Taken already: name another, or the host has no key."""

REGISTERS: Final = "sha256:0,1,2,3,4,5,6,7"
"""What was started before the operating system (TCG PC Client Platform Firmware Profile)."""

_ATTRIBUTES: Final = "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted|sign"
"""`noda`: whoever locks the TPM by wrong passwords does not silence the host. The key itself has no password."""

_ALGORITHM: Final = "ecc256:ecdsa-sha256:null"
"""What the PC Client profile of TPM 2.0 demands of every TPM, and fast to make where an RSA key takes seconds."""

_MOST_OUTPUT: Final = 65_536

_SELECTION: Final = re.compile(
    r"(sha256|sha384|sha512):(\d{1,2}(?:,\d{1,2})*)(?:\+(?!\1)(sha256|sha384|sha512):(\d{1,2}(?:,\d{1,2})*))?"
)
_MAKE_KEY: Final = "make the host's key first, by `lightbound evidence host-key` as root; then enrol, which pins it"
_BANKS: Final = "name registers of a bank that the firmware has turned on: tpm2_getcap pcrs shows them"
_INSTALL: Final = "install the package tpm2-tools (Debian, Ubuntu, Fedora and RHEL call it so)"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostTpm:
    """A TPM as it is to be asked; nothing is touched before."""

    within_s: float
    """For one question, or for making the key, in all."""
    tcti: str = f"device:{DEVICE}"
    """How tpm2-tools reach the TPM: `device:PATH`, or `swtpm:path=SOCKET` for one of software."""
    registers: str = REGISTERS
    """As tpm2-tools write it: one bank and its registers, or two joined by `+`."""
    handle: int = HANDLE
    tools: Path = TOOLS

    def __post_init__(self) -> None:
        """Refuse a selection that tpm2-tools would read otherwise than we do."""
        if not _selected(self.registers):
            fault = Fault(
                code=ErrorCode.SETTING_MALFORMED,
                expected=f"registers of SHA-256, SHA-384 or SHA-512 from 0 to 23, ascending, such as {REGISTERS}",
                found=self.registers,
            )
            raise Malformed(fault)

    def make_key(self) -> bytes:
        """The name of the key that quotes, made now if it was not there.

        Raises:
            Unavailable: it cannot be made; the message says why.
        """
        until_s = time.monotonic() + self.within_s
        self._look()
        with self._folder() as folder:
            public = self._public(folder, until_s)
            if public is None:
                self._make(folder, until_s)
                public = self._public(folder, until_s)
            if public is None:
                self._silent("nothing where the key was just put", "try again")
        try:
            key = read_public(public, "public")
            check_may_quote(key)
        except LightboundError as error:
            self._silent(f"another key at {self.handle:#x}: {error}", "name another handle")
        return key.name

    def quote(self, n0: bytes) -> bytes:
        """The document of a quote with `n0` as qualifying data, by the key that `make_key` made.

        Raises:
            Unavailable: there is none; the message says why.
        """
        until_s = time.monotonic() + self.within_s
        self._look()
        with self._folder() as folder:
            public = self._public(folder, until_s)
            if public is None:
                self._silent(f"no key at {self.handle:#x}", _MAKE_KEY)
            paths = {name: folder / name for name in ("attest", "signature", "registers")}
            words = ["-Q", "-c", f"{self.handle:#x}", "-l", self.registers, "-q", n0.hex()]
            words += ["-m", str(paths["attest"]), "-s", str(paths["signature"]), "-f", "tss"]
            words += ["-o", str(paths["registers"]), "-F", "values"]
            self._must("tpm2_quote", words, until_s)
            try:
                attest, signature, values = (path.read_bytes() for path in paths.values())
            except OSError as error:
                self._silent(f"no output of tpm2_quote: {error.strerror}", _BY_HAND)
        pcrs = _values(self.registers, values)
        document = write_quote(Quote(public=public, attest=attest, signature=signature, pcrs=pcrs))
        try:
            # As the verifier will: what it would refuse is found out here, by whoever can do something about it.
            verified_quote(document, key=None, qualifying=n0)
        except LightboundError as error:
            # A bank that is turned off is quoted as if nothing had been asked for.
            is_whole = all(value for bank in pcrs.values() for value in bank.values())
            next_ = f"name another handle, if {self.handle:#x} is taken" if is_whole else _BANKS
            self._silent(f"a quote that does not hold: {error}", next_)
        return document

    @contextmanager
    def _folder(self) -> Iterator[Path]:
        """A folder of our own for what the tools write, gone after."""
        try:
            made = tempfile.TemporaryDirectory(prefix="lightbound-tpm-", ignore_cleanup_errors=True)
        except OSError as error:
            self._silent(f"no folder for what the tools write: {error.strerror}", "give it a /tmp with room in it")
        with made as place:
            yield Path(place)

    def _look(self) -> None:
        """Nothing, if there is a TPM that we may open."""
        kind, _, path = self.tcti.partition(":")
        if kind != "device":
            return
        device = Path(path or DEVICE)
        if not device.exists():
            next_ = "turn the TPM on in the firmware's setup; it needs Linux 4.12 or later with CONFIG_TCG_TPM"
            self._silent(f"no {device}", next_)
        if not os.access(device, os.R_OK | os.W_OK):
            self._silent(
                f"no right to open {device}", "run this as root, or in the group tss that the device belongs to"
            )

    def _make(self, folder: Path, until_s: float) -> None:
        context = str(folder / "key")
        made = ("-Q", "-C", "e", "-G", _ALGORITHM, "-a", _ATTRIBUTES, "-c", context)
        self._must("tpm2_createprimary", made, until_s)
        try:
            self._must("tpm2_evictcontrol", ("-Q", "-C", "o", "-c", context, f"{self.handle:#x}"), until_s)
        finally:
            # Behind the kernel's resource manager nothing is left. A TPM that is reached without one has room for three
            # keys, and would be full after as many failures.
            self._run("tpm2_flushcontext", ("-t",), until_s)

    def _public(self, folder: Path, until_s: float) -> bytes | None:
        """The public area of the key as the TPM has it; None if there is no key."""
        path = folder / "public"
        words = ("-Q", "-c", f"{self.handle:#x}", "-f", "tss", "-o", str(path))
        ended = self._run("tpm2_readpublic", words, until_s)
        if ended.code == 0:
            try:
                return path.read_bytes()
            except OSError as error:
                self._silent(f"no output of tpm2_readpublic: {error.strerror}", _BY_HAND)
        if _NOTHING_THERE not in ended.errors:
            self._failed("tpm2_readpublic", ended)
        return None

    def _must(self, tool: str, words: Sequence[str], until_s: float) -> None:
        ended = self._run(tool, words, until_s)
        if ended.code != 0:
            self._failed(tool, ended)

    def _run(self, tool: str, words: Sequence[str], until_s: float) -> Ended:
        program = self.tools / tool
        try:
            about = program.resolve(strict=True).stat()
        except (OSError, RuntimeError):
            self._silent(f"no {program}", _INSTALL)
        if about.st_uid not in {0, os.geteuid()} or about.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            self._silent(f"{program} that others could have changed", f"chown root {program} && chmod go-w {program}")
        try:
            ended = asked_of((str(program), *words, "-T", self.tcti), until_s=until_s, most_bytes=_MOST_OUTPUT)
        except OSError as error:
            self._silent(f"{program} that cannot be started: {error.strerror}", _INSTALL)
        if ended.ending is Ending.LATE:
            self._silent(f"no answer of {tool} within {self.within_s:g} s", "see the kernel's log: dmesg | grep -i tpm")
        if ended.ending is Ending.FLOOD:
            self._silent(f"more from {tool} than it has to say", _BY_HAND)
        return ended

    def _failed(self, tool: str, ended: Ended) -> NoReturn:
        """What a tool said that ended badly: the line that names the cause is not always the last."""
        said = ended.errors.decode(errors="replace")
        lines = [line.removeprefix("ERROR:").strip() for line in said.split("\n") if line.startswith("ERROR: ")]
        cause = lines[0] if lines else ended.last_words or f"status {ended.code}"
        next_ = next((next_ for sign, next_ in _CAUSES.items() if sign in said.lower()), _BY_HAND)
        self._silent(f"{tool}: {cause}", next_)

    def _silent(self, found: str, next_: str) -> NoReturn:
        fault = Fault(code=ErrorCode.DEVICE_SILENT, expected="a quote of the host's TPM", found=found, next=next_)
        raise Unavailable(fault)


_NOTHING_THERE: Final = b"(0x18B)"
"""TPM_RC_HANDLE for the first handle of a command."""

_BY_HAND: Final = "try the same by hand, as root: tpm2_getcap properties-fixed"
_CAUSES: Final = {
    "authorization failure": "the owner or endorsement hierarchy has a password; whoever set it makes the key",
    "auth fail": "the owner or endorsement hierarchy has a password; whoever set it makes the key",
    "permission denied": "run this as root, or in the group that the device belongs to",
    "operation not permitted": "under systemd, let DeviceAllow of the unit name the TPM's file",
    "device or resource busy": f"another process holds it: use device:{DEVICE}, which many can share",
    "could not load tcti": "see that the TPM is there and that the TCTI names it: device:PATH",
    "insufficient space for nv": "remove a key that nobody uses: tpm2_getcap handles-persistent, tpm2_evictcontrol",
}
"""What to do, by what the tools or the TPM's library say about it."""


def _selected(registers: str) -> dict[str, tuple[int, ...]]:
    """Which registers of which bank; nothing if the text is no selection of ours."""
    found = _SELECTION.fullmatch(registers)
    if found is None:
        return {}
    read: dict[str, tuple[int, ...]] = {}
    for bank, indexes in ((found[1], found[2]), (found[3], found[4])):
        if bank is not None:
            read[bank] = tuple(map(int, indexes.split(",")))
            if read[bank] != tuple(sorted(set(read[bank]))) or read[bank][-1] > 23:
                return {}
    return read


def _values(registers: str, values: bytes) -> Registers:
    """The registers' values, which tpm2_quote writes one after the other."""
    read: dict[str, dict[int, bytes]] = {}
    at = 0
    for bank, indexes in _selected(registers).items():
        length = Hash[bank.upper()].length
        read[bank] = {index: values[at + n * length : at + (n + 1) * length] for n, index in enumerate(indexes)}
        at += len(indexes) * length
    return read
