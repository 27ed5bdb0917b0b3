"""What an agent needs to run, looked at one after the other: each is there, or is not, and then what to do.

It sends no more than an agent does: GET /v1/trust to the verifier, GET /clp1/landmark to each landmark, and no packet.
"""

import contextlib
import functools
import hashlib
import json
import os
import shlex
import socket
import ssl
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx

from lightbound.attestation.tiers import Tier
from lightbound.enrolment.trust import Trust, read_trust
from lightbound.errors import LightboundError
from lightbound.files.keys import key_path, read_key
from lightbound.keys.purposes import Purpose
from lightbound.net.evidence_socket import ChipEvidence, HostEvidence
from lightbound.net.http_client import CONNECT_S, Server, looked_up
from lightbound.roles.agent.attested_root import HOST, answer_of
from lightbound.roles.agent.enrolling import Enrolled, read_enrolled
from lightbound.roles.agent.trust_file import NAME, Host, Trusted, read_trusted
from lightbound.units import counted

MOST_OFF_S: Final = 2.0
"""Between this host's clock and the verifier's, which tells whole seconds. A SESSION from the future is refused."""

TIERS: Final = {
    Tier.A0: "A0, a key in a file: it shows where the key is, and no chip. Enrol with --evidence for more",
    Tier.A1: "A1: the chips sign each session. host.sock, a quote of the host's TPM, would make it A2",
    Tier.A2: "A2: the chips sign each session, and so does the host's TPM",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    what: str
    ok: bool
    found: str
    needed: bool = True
    """Without it the agent cannot work."""
    todo: str | None = None


def examined(folder: Path, *, software: str, now_s: Callable[[], float]) -> Iterator[Finding]:
    """Everything that the agent of a folder needs, as it is found; what rests on something missing is left out."""
    yield _folder(folder)
    yield _tried("key", lambda: _key(folder))
    try:
        trusted = read_trusted(folder)
    except LightboundError as error:
        yield _missing("trust.toml", error)
        return
    yield Finding(what="trust.toml", ok=True, found=f"{counted(len(trusted.landmarks), 'landmark')}")
    yield _enrolment(folder, trusted)
    yield from _verifier(folder, trusted, software, now_s)
    yield from _landmarks(trusted, software)
    yield from _devices(folder)


def _devices(folder: Path) -> Iterator[Finding]:
    """The tier, and each device asked for evidence over a nonce of no use to anybody."""
    try:
        enrolled = read_enrolled(folder)
    except LightboundError:
        return  # it is told above
    devices = None if enrolled is None else enrolled.devices
    if devices is None:
        yield Finding(what="tier", ok=True, found=TIERS[Tier.A0], needed=False)
        return
    names = [name for name, _ in devices.chips] + ([HOST] if devices.has_host else [])
    for name in names:
        yield _tried(name, functools.partial(_answers, devices.folder / name))
    yield Finding(what="tier", ok=True, found=TIERS[Tier.A2 if devices.has_host else Tier.A1], needed=False)


def tier_of(folder: Path) -> str:
    """The tier that the agent of a folder enrolled for; A0 if that is not known."""
    try:
        enrolled = read_enrolled(folder)
    except LightboundError:
        return Tier.A0
    devices = None if enrolled is None else enrolled.devices
    return Tier.A0 if devices is None else Tier.A2 if devices.has_host else Tier.A1


def _answers(path: Path) -> str:
    match answer_of(path, bytes(32)).answer:
        case ChipEvidence() as chip:
            return f"a report of {len(chip.report)} bytes"
        case HostEvidence() as host:
            return f"a quote of {len(host.quote)} bytes"


def _folder(folder: Path) -> Finding:
    try:
        status = folder.stat()
    except OSError as error:
        return Finding(what="folder", ok=False, found=f"{folder}: {error.strerror}", todo="lightbound agent enrol")
    mode = stat.S_IMODE(status.st_mode)
    found = f"{folder}, mode {mode:04o}"
    if mode & 0o077:
        return Finding(what="folder", ok=False, found=found, todo=f"chmod 700 {folder}")
    able = os.access(folder, os.R_OK | os.W_OK | os.X_OK)
    return Finding(what="folder", ok=able, found=found, todo=None if able else "run it as the user that owns it")


def _key(folder: Path) -> str:
    return f"agent {read_key(key_path(folder, Purpose.ENROLMENT), Purpose.ENROLMENT).key_id.hex()}"


def _enrolment(folder: Path, trusted: Trusted) -> Finding:
    try:
        enrolled = read_enrolled(folder)
    except LightboundError as error:
        return _missing("enrolment", error)
    if enrolled is None:
        return Finding(what="enrolment", ok=True, found="nothing is known of it; POLL will tell")
    chips = counted(enrolled.chips, "chip")
    if enrolled.is_done:
        return Finding(what="enrolment", ok=True, found=f"{chips}, let in")
    todo = f"with its code, or a new one of `lightbound verifier invite`: {_again(folder, trusted, enrolled)}"
    return Finding(what="enrolment", ok=False, found=f"{chips}, not let in as far as is known", todo=todo)


def _again(folder: Path, trusted: Trusted, enrolled: Enrolled | None) -> str:
    """The command by which the agent enrols again as it did before."""
    host, landmark_ca = trusted.verifier, next((one.ca for one in trusted.landmarks.values() if one.ca), None)
    words = ["lightbound", "agent", "enrol", "--verifier", host.url, "--code", "CODE", "--data", str(folder)]
    words += [] if host.ca is None else ["--ca", str(host.ca)]
    words += [] if landmark_ca is None else ["--landmark-ca", str(landmark_ca)]
    if enrolled is not None and enrolled.devices is not None:
        words += ["--evidence", str(enrolled.devices.folder)]
    elif enrolled is not None and enrolled.chips != 1:
        words += ["--chips", str(enrolled.chips)]
    if enrolled is None or hashlib.sha256((folder / NAME).read_bytes()).digest() not in enrolled.trust:
        # Whoever changed it has to change the new one as well.
        words += ["--replace"]
    return shlex.join(words)


def _verifier(folder: Path, trusted: Trusted, software: str, now_s: Callable[[], float]) -> Iterator[Finding]:
    host = trusted.verifier
    yield _tried("verifier's name", lambda: ", ".join(looked_up(host.url)))
    try:
        context = ssl.create_default_context(cafile=None if host.ca is None else str(host.ca))
        answer = httpx.get(
            f"{host.url}/v1/trust",
            headers={"user-agent": software, "accept-encoding": "identity"},
            verify=context,
            timeout=CONNECT_S,
            trust_env=False,
        )
        now = now_s()
    except (httpx.HTTPError, OSError) as error:
        yield Finding(what="verifier", ok=False, found=f"{host.url}: {error}", todo="check address, route and firewall")
        return
    yield _tried("verifier", lambda: _is_verifier(answer, host))
    with contextlib.suppress(LightboundError):  # it is told above
        yield _directory(folder, trusted, read_trust(answer.content, host.key.key_id))
    try:
        off_s = now - parsedate_to_datetime(answer.headers.get("date", "")).timestamp()
    except ValueError:
        yield Finding(what="clock", ok=True, found="the verifier does not say what time it is", needed=False)
        return
    # The header tells the second that had begun.
    ok = -MOST_OFF_S <= off_s <= 1 + MOST_OFF_S
    todo = None if ok else "set this host's clock, or the verifier's, with any client of NTP"
    yield Finding(what="clock", ok=ok, found=f"{off_s:+.1f} s beside the verifier's", todo=todo)


def _is_verifier(answer: httpx.Response, host: Host) -> str:
    if answer.status_code != 200:
        raise ValueError(f"status {answer.status_code}")
    trust = read_trust(answer.content, host.key.key_id)
    return f"{host.url}, its key is that of trust.toml; it names {counted(len(trust.landmarks), 'landmark')}"


def _directory(folder: Path, trusted: Trusted, told: Trust) -> Finding:
    """Whether the agent would take a session of the directory that the verifier has now."""
    lacks = [one for one in told.landmarks if one.key.key_id not in trusted.landmarks]
    if trusted.directories >= set(told.directories) and not lacks:
        return Finding(what="directory", ok=True, found="the verifier's stands in trust.toml, with all its landmarks")
    try:
        enrolled = read_enrolled(folder)
    except LightboundError:
        enrolled = None
    todo = f"stop the agent, and with the code by which it enrolled: {_again(folder, trusted, enrolled)}"
    found = "sessions would be refused: trust.toml has not the verifier's directory of now"
    if lacks:
        found += f", nor {len(lacks)} of its {counted(len(told.landmarks), 'landmark')}"
    return Finding(what="directory", ok=False, found=found, todo=todo)


def _landmarks(trusted: Trusted, software: str) -> Iterator[Finding]:
    works = 0
    for host in trusted.landmarks.values():
        finding = _tried(f"landmark {host.name}", functools.partial(_landmark, host, software), needed=False)
        works += finding.ok
        yield finding
    yield Finding(
        what="landmarks",
        ok=works > 0,
        found=f"{works} of {len(trusted.landmarks)} answer",
        todo=None if works else "a session needs one; outgoing TCP and UDP to their ports must be let through",
    )


def _landmark(host: Host, software: str) -> str:
    address = looked_up(host.url)[0]
    began_s = time.monotonic()
    with Server(host.url, address=address, ca=host.ca, software=software) as server:
        told = json.loads(server.get("/clp1/landmark").body)
    took_ms = 1_000 * (time.monotonic() - began_s)
    if told["key"] != host.key.raw.hex():
        raise ValueError("it has another key than trust.toml says")
    parts = urlsplit(host.url)
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as own:
        own.connect((address, parts.port or (443 if parts.scheme == "https" else 80)))
    return f"{host.url} at {address}, {took_ms:.0f} ms, and a way for UDP"


def _tried(what: str, look: Callable[[], str], *, needed: bool = True) -> Finding:
    try:
        return Finding(what=what, ok=True, found=look(), needed=needed)
    except LightboundError as error:
        return _missing(what, error, needed=needed)
    except (OSError, ValueError, RecursionError, KeyError, TypeError) as error:
        return Finding(what=what, ok=False, found=str(error) or type(error).__name__, needed=needed)


def _missing(what: str, error: LightboundError, *, needed: bool = True) -> Finding:
    # What to do stands in a line of its own.
    fault = error.faults[0]
    return Finding(what=what, ok=False, found=str(replace(fault, next=None)), needed=needed, todo=fault.next)
