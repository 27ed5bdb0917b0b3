"""The process that asks one chip through NVML and is gone: device and library as words, 32 bytes in, a map of CBOR out.

    { "report": bytes, "chain": bytes }
    { "call": text, "code": int, "words": text, "library": text, "driver": text, "architecture": int, "chips": int,
      "is_confidential": bool, "is_protected": bool }      what failed, and what is known (the rest is null)

By ctypes on the library that comes with the driver: five functions do not deserve a dependency, and the structures are
part of the library's interface (nvml.h, 12.2 and later). Crashes of it are crashes of this process.
"""

import ctypes
import sys
from contextlib import suppress
from ctypes import Structure, byref, c_char_p, c_int, c_ubyte, c_uint, c_void_p, create_string_buffer
from typing import Any, Final, NoReturn

from lightbound.canonical.cbor import Value, encode

NONCE_BYTES: Final = 32
REPORT_BYTES: Final = 0x2000
CEC_REPORT_BYTES: Final = 0x1000
CHAIN_BYTES: Final = 0x1400
OWN_CHAIN_BYTES: Final = 0x1000
VERSION_BYTES: Final = 80

NO_LIBRARY: Final = -1
"""No code of NVML: the library could not be loaded."""
NO_FUNCTION: Final = 13
"""NVML_ERROR_FUNCTION_NOT_FOUND: here, the library does not have it at all."""
WRONG_SIZE: Final = -2
"""No code of NVML: it says that it wrote more than there is room for, or nothing."""


class _Report(Structure):
    """nvmlConfComputeGpuAttestationReport_t."""

    _fields_ = (
        ("has_cec_report", c_uint),
        ("report_size", c_uint),
        ("cec_report_size", c_uint),
        ("nonce", c_ubyte * NONCE_BYTES),
        ("report", c_ubyte * REPORT_BYTES),
        ("cec_report", c_ubyte * CEC_REPORT_BYTES),
    )


class _Certificates(Structure):
    """nvmlConfComputeGpuCertificate_t."""

    _fields_ = (
        ("own_size", c_uint),
        ("size", c_uint),
        ("own", c_ubyte * OWN_CHAIN_BYTES),
        ("chain", c_ubyte * CHAIN_BYTES),
    )


class _State(Structure):
    """nvmlConfComputeSystemState_t."""

    _fields_ = (("environment", c_uint), ("is_on", c_uint), ("developer_mode", c_uint))


class _Settings(Structure):
    """nvmlSystemConfComputeSettings_v1_t."""

    _fields_ = (
        ("version", c_uint),
        ("environment", c_uint),
        ("is_on", c_uint),
        ("developer_mode", c_uint),
        ("multi_gpu_mode", c_uint),
    )


class _Failed(Exception):
    """A call that did not give what it is for."""

    def __init__(self, call: str, code: int, words: str) -> None:
        super().__init__(call, code, words)
        self.call, self.code, self.words = call, code, words


class _Library:
    """NVML, called by name."""

    __slots__ = ("_loaded",)

    def __init__(self, name: str) -> None:
        try:
            self._loaded = ctypes.CDLL(name)
        except OSError as error:
            raise _Failed("dlopen", NO_LIBRARY, str(error)) from error

    def call(self, name: str, *arguments: Any) -> None:
        """Call a function.

        Raises:
            _Failed: it is not there, or fails.
        """
        try:
            function = getattr(self._loaded, name)
        except AttributeError as error:
            raise _Failed(name, NO_FUNCTION, "the library does not have it") from error
        function.restype = c_int
        code = function(*arguments)
        if code != 0:
            raise _Failed(name, code, self._words(code))

    def _words(self, code: int) -> str:
        try:
            function = self._loaded.nvmlErrorString
        except AttributeError:
            return ""
        function.restype, function.argtypes = c_char_p, (c_int,)
        said = function(code)
        return "" if said is None else said.decode(errors="replace")


def main() -> NoReturn:
    """Ask, and say what came."""
    device, name = int(sys.argv[1]), sys.argv[2]
    nonce = sys.stdin.buffer.read(NONCE_BYTES)
    known: dict[str, Value] = dict.fromkeys(
        ("driver", "architecture", "chips", "is_confidential", "is_protected"), None
    )
    known["library"] = name
    try:
        said = _asked(_Library(name), device, nonce, known)
    except _Failed as failed:
        said = {**known, "call": failed.call, "code": failed.code, "words": failed.words}
    sys.stdout.buffer.write(encode(said))
    sys.stdout.buffer.flush()
    sys.exit(0)


def _asked(library: _Library, device: int, nonce: bytes, known: dict[str, Value]) -> dict[str, Value]:
    library.call("nvmlInit_v2")
    try:
        _look_around(library, known)
        handle, architecture = c_void_p(), c_uint()
        library.call("nvmlDeviceGetHandleByIndex_v2", c_uint(device), byref(handle))
        library.call("nvmlDeviceGetArchitecture", handle, byref(architecture))
        known["architecture"] = architecture.value
        report = _Report(nonce=(c_ubyte * NONCE_BYTES)(*nonce))
        library.call("nvmlDeviceGetConfComputeGpuAttestationReport", handle, byref(report))
        certificates = _Certificates()
        library.call("nvmlDeviceGetConfComputeGpuCertificate", handle, byref(certificates))
    finally:
        with suppress(_Failed):  # whatever comes of it, this process ends next
            library.call("nvmlShutdown")
    return {
        "report": _part(report.report, report.report_size, "nvmlDeviceGetConfComputeGpuAttestationReport"),
        "chain": _part(certificates.chain, certificates.size, "nvmlDeviceGetConfComputeGpuCertificate").rstrip(b"\0"),
    }


def _look_around(library: _Library, known: dict[str, Value]) -> None:
    """What helps to explain a failure. None of it decides anything: the chip signs, or it does not."""
    version, chips, state = create_string_buffer(VERSION_BYTES), c_uint(), _State()
    settings = _Settings(version=ctypes.sizeof(_Settings) | 1 << 24)
    looks = (
        ("driver", "nvmlSystemGetDriverVersion", (version, c_uint(VERSION_BYTES)), lambda: str(version.value, "utf-8")),
        ("chips", "nvmlDeviceGetCount_v2", (byref(chips),), lambda: chips.value),
        ("is_confidential", "nvmlSystemGetConfComputeState", (byref(state),), lambda: state.is_on == 1),
        (
            "is_protected",
            "nvmlSystemGetConfComputeSettings",
            (byref(settings),),
            lambda: settings.multi_gpu_mode == 1,
        ),
    )
    for name, call, arguments, seen in looks:
        try:
            library.call(call, *arguments)
            known[name] = seen()
        except (_Failed, UnicodeDecodeError):
            continue


def _part(buffer: Any, size: int, call: str) -> bytes:
    """So much of a buffer as is said to be filled."""
    if not 0 < size <= len(buffer):
        raise _Failed(call, WRONG_SIZE, f"{size} bytes of {len(buffer)}")
    return bytes(buffer[:size])


if __name__ == "__main__":
    main()
