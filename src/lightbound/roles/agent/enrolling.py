"""How an agent comes to be known: a code, whom the verifier of that code says to believe, a key, and ENROL.

Every step can be done again, after a crash at any point: what is there already is kept, and the verifier lets the same
key with the same chips in by the same code as often as it asks.
"""

import hashlib
import json
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from lightbound.enrolment.attested import enrolment_n0
from lightbound.enrolment.codes import read_code
from lightbound.enrolment.requests import Enrol, Enrolment, write_enrol, write_enrolment
from lightbound.enrolment.trust import Trust, check_url, read_trust
from lightbound.errors import ErrorCode, Fault, LightboundError, Malformed, Unavailable
from lightbound.files.keys import key_path, read_key, write_new_key
from lightbound.files.whole import whole_file
from lightbound.keys.ed25519 import SigningKey
from lightbound.keys.purposes import Purpose
from lightbound.net.http_client import Server
from lightbound.ranging.statements.session import CHIP_ID_BYTES, MOST_CHIPS
from lightbound.roles.agent.attested_root import AttestedRoot, Devices, found_devices
from lightbound.roles.agent.roots import RootOfTrust, SoftwareRoot
from lightbound.roles.agent.trust_file import read_trusted, trust_text, write_trusted

FORMAT: Final = "lightbound.agent-enrolment/1"
NAME: Final = "enrolment.json"

MOST_OURS: Final = 8
"""Attempts in a row that died half-way, each with another TRUST."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """How an agent is to enrol."""

    url: str
    code: str
    ca: Path | None
    landmark_ca: Path | None
    chips: int
    """At tier A0; with `evidence` there are as many as have sockets."""
    replace: bool
    software: str
    evidence: Path | None = None
    """Folder of the sockets at which devices of this host answer; None: tier A0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """What is known of an enrolment, for people and for a repetition; nothing of it is secret."""

    chips: int
    trust: tuple[bytes, ...]
    """Digests of `trust.toml` as we wrote it, or were about to: what has another was changed by somebody."""
    is_done: bool
    """The verifier has let the agent in."""
    devices: Devices | None = None
    """Which devices the agent enrolled with; None at tier A0."""


def enrol(folder: Path, wanted: Wanted, *, now_ns: Callable[[], int]) -> tuple[RootOfTrust, Trust]:
    """Enrol the agent of a folder; its key, and whom it believes.

    1. The code names the verifier's key.
    2. TRUST comes from the address given, and is by that key.
    3. What was written before is compared with what somebody may have changed, and `trust.toml` is written.
    4. The key is made, unless there is one.
    5. Devices, if there are to be any, are asked who they are, and sign a nonce that names the code and the key.
    6. ENROL shows the code, the key and what the devices signed.

    Raises:
        Malformed, Refused: the code, the verifier, the files, or the verifier says no.
        Unavailable: it does not answer, or a file cannot be written.
    """
    check_url(wanted.url, "verifier")
    code = read_code(wanted.code)
    with Server(wanted.url, ca=wanted.ca, software=wanted.software) as server:
        trust = read_trust(server.get("/v1/trust").body, code.verifier)
        text = trust_text(trust, url=wanted.url, ca=wanted.ca, landmark_ca=wanted.landmark_ca)
        before, written = read_enrolled(folder), hashlib.sha256(text.encode()).digest()
        ours = () if before is None else before.trust
        # Killed after this line: the file is the one from before or the new one, and both are known for ours.
        devices = None if wanted.evidence is None else found_devices(wanted.evidence)
        known = Enrolled(chips=wanted.chips, trust=(*ours, written)[-MOST_OURS:], is_done=False, devices=devices)
        _keep(folder, replace(known, is_done=_is_in(folder, before, known, trust)))
        write_trusted(folder, text, ours=ours, replace=wanted.replace)
        root = root_of(enrolment_key(folder), known)
        gathered = root.gathered(enrolment_n0(trust.verifier.key_id, code.secret, root.key.verifying.raw))
        for why in gathered.silent:
            fault = Fault(code=ErrorCode.DEVICE_SILENT, expected="evidence of every device", found=why)
            raise Unavailable(fault)
        manifest = None if devices is None else gathered.evidence.manifest()
        said = Enrol(
            verifier=trust.verifier.key_id,
            secret=code.secret,
            key=root.key.verifying,
            chips=root.chips,
            evidence=None if manifest is None else hashlib.sha256(manifest).digest(),
            software=wanted.software,
            at_ns=now_ns(),
        )
        brought = Enrolment(enrol=write_enrol(said, root.key), manifest=manifest, documents=gathered.documents)
        server.post("/v1/enrol", write_enrolment(brought))
    _keep(folder, replace(known, chips=len(root.chips), trust=(written,), is_done=True))
    return root, trust


def _is_in(folder: Path, before: Enrolled | None, known: Enrolled, trust: Trust) -> bool:
    """Whether this verifier let this agent in with these chips before: a repetition that fails takes nothing away."""
    if before is None or not before.is_done or before.devices != known.devices:
        return False
    if known.devices is None and before.chips != known.chips:
        return False
    try:
        is_same = read_trusted(folder).verifier.key == trust.verifier
    except LightboundError:
        return False
    return is_same and key_path(folder, Purpose.ENROLMENT).exists()


def root_of(key: SigningKey, enrolled: Enrolled | None) -> RootOfTrust:
    """What an agent's word rests on, as it enrolled."""
    if enrolled is not None and enrolled.devices is not None:
        return AttestedRoot(key=key, devices=enrolled.devices)
    return SoftwareRoot(key=key, count=1 if enrolled is None else enrolled.chips)


def enrolment_key(folder: Path) -> SigningKey:
    """The enrolment key of a folder, made if there is none.

    Raises:
        Malformed, Refused: there is a file in its place that is none, or that others may read.
        Unavailable: it cannot be read or written.
    """
    path = key_path(folder, Purpose.ENROLMENT)
    if not path.exists():
        # Killed before it has its name, the file may be empty, and nobody was told of what is in it.
        part = path.with_name(f"{path.name}.part")
        try:
            part.unlink(missing_ok=True)
            write_new_key(part, SigningKey.of_seed(Purpose.ENROLMENT, secrets.token_bytes(32)))
            part.replace(path)
            _sync(path.parent)
        except OSError as error:
            why = error.strerror or type(error).__name__
            fault = Fault(code=ErrorCode.WRITE_FAILED, expected="a key file", found=why, file=str(path))
            raise Unavailable(fault) from error
    return read_key(path, Purpose.ENROLMENT)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_enrolled(folder: Path) -> Enrolled | None:
    """What is known of the enrolment of a folder; None if none was begun.

    Raises:
        Malformed: the file is not as it was written.
        Unavailable: it cannot be read.
    """
    file = folder / NAME
    try:
        said: Any = json.loads(file.read_bytes())
        # What is of another format has no count of this name.
        chips = {FORMAT: int(said["chips"])}[said["format"]]
        trust = tuple(bytes.fromhex(one) for one in said["trust"])
        return Enrolled(
            chips=min(max(1, chips), MOST_CHIPS),
            trust=trust,
            is_done=bool(said["is_done"]),
            devices=_devices(said.get("devices")),
        )
    except FileNotFoundError:
        return None
    except OSError as error:
        why = error.strerror or type(error).__name__
        fault = Fault(code=ErrorCode.READ_FAILED, expected="a file that can be read", found=why, file=str(file))
        raise Unavailable(fault) from error
    except (ValueError, OverflowError, RecursionError, KeyError, TypeError, AttributeError) as error:
        fault = Fault(
            code=ErrorCode.FILE_FORMAT,
            expected="an enrolment as it was written",
            found="other bytes",
            file=str(file),
            next="delete it, and enrol again",
        )
        raise Malformed(fault) from error


def _devices(said: Any) -> Devices | None:
    if said is None:
        return None
    chips = tuple((str(name), bytes.fromhex(chip)) for name, chip in said["chips"].items())
    if not chips or any(len(chip) != CHIP_ID_BYTES or Path(name).name != name for name, chip in chips):
        raise ValueError(chips)
    return Devices(folder=Path(said["folder"]), chips=chips, has_host=bool(said["has_host"]))


def _keep(folder: Path, enrolled: Enrolled) -> None:
    devices = enrolled.devices
    said = {
        "format": FORMAT,
        "chips": enrolled.chips,
        "trust": [one.hex() for one in enrolled.trust],
        "is_done": enrolled.is_done,
        "devices": None
        if devices is None
        else {
            "folder": str(devices.folder),
            "chips": {name: chip.hex() for name, chip in devices.chips},
            "has_host": devices.has_host,
        },
    }
    with whole_file(folder / NAME) as out:
        out.write(json.dumps(said, indent=1).encode() + b"\n")
