"""A TPM of software (`swtpm`) in a folder of its own, asked by tpm2-tools as a host's would be."""

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import pytest

from lightbound.attestation.tpm.quotes import Quote, Registers, write_quote

SWTPM: Final = shutil.which("swtpm")
TOOLS: Final = shutil.which("tpm2_quote")
needs_swtpm: Final = pytest.mark.skipif(SWTPM is None or TOOLS is None, reason="needs swtpm and tpm2-tools")

RESTRICTED: Final = "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|sign|noda"
UNRESTRICTED: Final = "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign|noda"

STARTED_WITHIN_S: Final = 20.0


class Tpm:
    """One that is running, until it is stopped; started again on the same folder it was reset."""

    def __init__(self, folder: Path) -> None:
        """Nothing is started yet."""
        self.folder = folder
        self.socket = folder / "tpm"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def tcti(self) -> str:
        """How tpm2-tools reach it."""
        return f"swtpm:path={self.socket}"

    def start(self) -> None:
        """Power on."""
        assert SWTPM is not None
        control = Path(f"{self.socket}.ctrl")
        words = [
            SWTPM,
            "socket",
            "--tpm2",
            "--tpmstate",
            f"dir={self.folder}",
            "--flags",
            "not-need-init,startup-clear",
        ]
        words += ["--server", f"type=unixio,path={self.socket}", "--ctrl", f"type=unixio,path={control}"]
        self._process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until_s = time.monotonic() + STARTED_WITHIN_S
        while not (_listens(self.socket) and _listens(control)):
            assert self._process.poll() is None, "swtpm ended"
            assert time.monotonic() < until_s, "swtpm does not listen"
            time.sleep(0.01)

    def stop(self) -> None:
        """Power off."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(STARTED_WITHIN_S)
            self._process = None
        for path in self.folder.glob("tpm*"):
            if path.is_socket():
                path.unlink()

    def tool(self, name: str, *words: str | Path) -> bytes:
        """What a tool of tpm2-tools writes, in the folder of the TPM."""
        done = self.tried(name, *words)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def tried(self, name: str, *words: str | Path) -> "subprocess.CompletedProcess[bytes]":
        """A tool that may fail."""
        command = [f"tpm2_{name}", "-T", self.tcti, *map(str, words)]
        return subprocess.run(command, cwd=self.folder, capture_output=True, timeout=60, check=False)

    def key(self, name: str, algorithm: str = "ecc256:ecdsa-sha256:null", attributes: str = RESTRICTED) -> bytes:
        """Make a key, whose context is in the file `name`; its name."""
        self.tool("createprimary", "-Q", "-C", "e", "-G", algorithm, "-a", attributes, "-c", name)
        self.tool("readpublic", "-Q", "-c", name, "-f", "tss", "-o", f"{name}.public", "-n", f"{name}.name")
        self.tool("flushcontext", "-t")
        return self.read(f"{name}.name")

    def quote(self, name: str, nonce: bytes, *more: str, registers: str = "sha256:0,7") -> Quote:
        """A quote by that key, without values of registers."""
        words = ("-Q", "-c", name, "-l", registers, "-q", nonce.hex(), "-m", "attest", "-s", "signature", "-f", "tss")
        self.tool("quote", *words, *more)
        self.tool("flushcontext", "-t")
        return Quote(
            public=self.read(f"{name}.public"),
            attest=self.read("attest"),
            signature=self.read("signature"),
            pcrs=None,
        )

    def document(self, name: str, nonce: bytes, *more: str, registers: str = "sha256:0,7") -> bytes:
        """The document of such a quote."""
        return write_quote(self.quote(name, nonce, *more, registers=registers))

    def registers(self, selection: str) -> Registers:
        """Values of registers of one bank, as the TPM tells them."""
        bank, indexes = selection.split(":")
        self.tool("pcrread", "-Q", selection, "-o", "values")
        values, numbers = self.read("values"), [int(one) for one in indexes.split(",")]
        length = len(values) // len(numbers)
        return {bank: {number: values[n * length : (n + 1) * length] for n, number in enumerate(numbers)}}

    def read(self, name: str) -> bytes:
        """A file of its folder."""
        return (self.folder / name).read_bytes()


@contextmanager
def tpm() -> Iterator[Tpm]:
    """A TPM that has just been made; its folder has a short name, as the path of a socket must."""
    folder = Path(tempfile.mkdtemp(prefix="swtpm-"))
    made = Tpm(folder)
    try:
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder)


def _listens(path: Path) -> bool:
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as made:
        made.connect(str(path))
        return True
    return False
