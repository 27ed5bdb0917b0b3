"""Where simulated chips come from: one root for each seed, and devices that keep their key under every firmware."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Self

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding

from lightbound.attestation.opaque import Type
from lightbound.sim.devices.certificates import (
    Certified,
    Usage,
    asked_at,
    certified,
    composite,
    device_name,
    key_identifier,
    key_of,
    named,
    tcb_info,
)
from lightbound.sim.dice import octets

GPU_MEASUREMENTS: Final = 64
SWITCH_MEASUREMENTS: Final = 31
LINKS: Final = 18
_SWITCH_PORTS: Final = 64
_GPU_PLACES: Final = 8
"""Measurements, links, ports and places as real devices of Hopper hosts state them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a device says of itself in its reports."""

    product: str = "GH100"
    driver: str = "550.90.07"
    vbios: str = "96.00.9F.00.01"
    board: tuple[str, str, str] = ("1010", "0200", "882")
    """Project, SKU of the project, SKU of the chip."""
    firmware: str = "firmware 1"
    """Names the firmware that holds the attestation key."""
    linked: tuple[str, ...] = ()
    """Devices at the other ends of its links, by the last 8 bytes of their serial numbers in hex."""
    measured: Mapping[int, bytes] = field(default_factory=dict)
    """Measurements that are otherwise than the firmware's own, by index."""

    @property
    def is_switch(self) -> bool:
        """Whether it is a switch."""
        return self.product.startswith("LS")

    @property
    def is_blackwell(self) -> bool:
        """Whether it is of that family, whose certificates differ a little."""
        return self.product.startswith("GB")

    @property
    def processor(self) -> str:
        """Which of its processors signs, as certificates call it."""
        return "FSP" if self.is_switch else "GSP"

    @property
    def firmware_id(self) -> bytes:
        """48 bytes."""
        return hashlib.sha384(self.firmware.encode()).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedDevice:
    """A chip or switch: its keys, its certificates, and reports over whatever it is asked."""

    seed: int
    name: str
    facts: Facts
    device: Certified
    leaf: Certified
    above: tuple[Certified, ...]
    """Provisioner, identity, root."""

    @property
    def chip_id(self) -> bytes:
        """What it is known by, 32 bytes."""
        return hashlib.sha256(self.device.spki).digest()

    @property
    def serial(self) -> str:
        """The last 8 bytes of its serial number, in hex, as other devices call it."""
        return f"{self.device.certificate.serial_number:x}"[-16:]

    @property
    def chain(self) -> bytes:
        """Its five certificates as PEM, leaf first."""
        return b"".join(one.certificate.public_bytes(Encoding.PEM) for one in (self.leaf, self.device, *self.above))

    def report(self, nonce: bytes) -> bytes:
        """A report over a nonce of 32 bytes; the same nonce gives the same report."""
        return self.report_of(self.said(nonce))

    def said(self, nonce: bytes) -> bytes:
        """Request and response without the signature."""
        facts = self.facts
        count = SWITCH_MEASUREMENTS if facts.is_switch else GPU_MEASUREMENTS
        record = b"".join(
            bytes([number + 1, 1]) + (51).to_bytes(2, "little") + b"\x01" + (48).to_bytes(2, "little") + digest
            for number, digest in enumerate(self._measurement(number) for number in range(count))
        )
        opaque = _opaque(facts, bytes.fromhex(self.serial))
        request = bytes.fromhex("11e001ff") + nonce + b"\x00"
        return b"".join(
            (
                request,
                bytes.fromhex("11600000") + bytes([count]) + len(record).to_bytes(3, "little") + record,
                octets(self.seed, self.name, "nonce", nonce.hex()),
                len(opaque).to_bytes(2, "little") + opaque,
            )
        )

    def report_of(self, said: bytes) -> bytes:
        """What its attestation key makes of any bytes."""
        signature = self.leaf.key.sign(said, ec.ECDSA(hashes.SHA384(), deterministic_signing=True))
        r, s = utils.decode_dss_signature(signature)
        return said + r.to_bytes(48, "big") + s.to_bytes(48, "big")

    def changed(self, facts: Facts) -> Self:
        """The same device saying something else; with other firmware it has another attestation key."""
        leaf = _leaf(self.seed, self.name, facts, self.device)
        return replace(self, facts=facts, leaf=leaf)

    def _measurement(self, number: int) -> bytes:
        told = self.facts.measured.get(number)
        seen = f"{self.facts.firmware} {self.facts.driver} {self.facts.vbios} {number}"
        return hashlib.sha384(seen.encode()).digest() if told is None else told


@dataclass(frozen=True, slots=True, kw_only=True)
class Foundry:
    """Makes devices. Two of one seed make the same ones."""

    seed: int
    above: tuple[Certified, ...]

    @classmethod
    def of(cls, seed: int) -> Self:
        """The foundry of a seed."""
        issuers: list[Certified] = []
        for name, asked in (("device root", ()), ("identity", asked_at("l1-root")), ("provisioner", asked_at("l2"))):
            subject = named(f"Lightbound simulated {name} {seed}")
            issuer = issuers[-1] if issuers else None
            number = int.from_bytes(octets(seed, name, "serial", length=16), "big") >> 1
            key, may = key_of(seed, name), Usage.ISSUE_AND_REVOKE
            issuers.append(certified(key, subject, number, issuer, may=may, before=asked))
        return cls(seed=seed, above=tuple(reversed(issuers)))

    @property
    def root(self) -> Certified:
        """What all its devices lead to."""
        return self.above[-1]

    @property
    def root_pem(self) -> bytes:
        """The root's certificate."""
        return self.root.certificate.public_bytes(Encoding.PEM)

    def device(self, name: str, facts: Facts | None = None) -> SimulatedDevice:
        """The device of this name; its id and serial number follow from it."""
        facts = Facts() if facts is None else facts
        # As the vendors' do, it begins with a byte for the kind of device.
        serial = bytes([0x50 if facts.is_switch else 0x41]) + octets(self.seed, name, "serial", length=8)
        subject = named(f"{facts.product} A01 {facts.processor} BROM", serial=serial.hex().upper())
        device = certified(
            key_of(self.seed, name, "device"),
            subject,
            int.from_bytes(serial, "big"),
            self.above[0],
            may=Usage.ISSUE,
            before=asked_at(None) if facts.is_blackwell else (),
        )
        leaf = _leaf(self.seed, name, facts, device)
        return SimulatedDevice(seed=self.seed, name=name, facts=facts, device=device, leaf=leaf, above=self.above)

    def node(self, name: str, *, gpus: int = 8, switches: int = 4) -> tuple[SimulatedDevice, ...]:
        """A host whose GPUs and switches name one another, GPUs first."""
        chips = [self.device(f"{name} gpu {number}") for number in range(gpus)]
        between = [self.device(f"{name} switch {number}", Facts(product="LS_10")) for number in range(switches)]
        ends = tuple(one.serial for one in chips), tuple(one.serial for one in between)
        linked = [one.changed(replace(one.facts, linked=ends[1])) for one in chips]
        return (*linked, *(one.changed(replace(one.facts, linked=ends[0])) for one in between))


def _leaf(seed: int, name: str, facts: Facts, device: Certified) -> Certified:
    key = key_of(seed, name, facts.firmware, "leaf")
    # Vendors number leaves by the name of their key, its first two bits made 01.
    number = key_identifier(key)
    number = bytes([number[0] & 0x3F | 0x40]) + number[1:]
    said = tcb_info(facts.product, facts.firmware_id) if facts.is_blackwell else composite(device, facts.firmware_id)
    return certified(
        key,
        named(f"{facts.product} A01 {facts.processor} FMC LF", serial=number.hex().upper()),
        int.from_bytes(number, "big"),
        device,
        may=Usage.ATTEST,
        after=(device_name(facts.product, octets(seed, name, "device name", length=8)), said),
    )


def _opaque(facts: Facts, own: bytes) -> bytes:
    if facts.is_switch:
        places = [bytes.fromhex(name) for name in facts.linked[:_GPU_PLACES]]
        places += [b"\xff" * 8] * (_GPU_PLACES - len(places))
        fields = {
            Type.VBIOS_VERSION: facts.vbios.encode(),
            Type.SWITCH_PDI: own,
            Type.GPU_PDIS: b"".join(places) + b"\xff" * _SWITCH_PORTS,
        }
    else:
        numbers = bytes.fromhex(facts.vbios.replace(".", ""))
        fields = {
            Type.VBIOS_VERSION: numbers[3::-1] + numbers[4:] + bytes(3),
            Type.CHIP_SKU: facts.board[2].encode().ljust(9, b"\x00"),
            Type.PROJECT: facts.board[0].encode() + b"\x00",
            Type.PROJECT_SKU: facts.board[1].encode() + b"\x00",
            Type.DRIVER_VERSION: facts.driver.encode() + b"\x00",
            Type.FWID: facts.firmware_id,
            Type.PROTECTED_PCIE_STATUS: b"\xaa" if facts.linked else b"\x55",
        }
        if facts.linked:
            ends = [bytes.fromhex(facts.linked[link % len(facts.linked)])[::-1] for link in range(LINKS)]
            fields[Type.SWITCH_PDI] = b"".join(ends)
    return b"".join(
        int(kind).to_bytes(2, "little") + len(value).to_bytes(2, "little") + value for kind, value in fields.items()
    )
