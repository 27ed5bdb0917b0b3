"""Whether the GPUs and switches of one host name one another; if not, who is missing and who does not belong there.

In protected-PCIe mode each GPU signs which switch is at each of its links, and each switch which GPUs it connects.
Devices are called by the last 8 bytes of their certificate's serial number; a GPU writes those of switches backwards.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lightbound.attestation.genuine import Family, GenuineReport
from lightbound.attestation.opaque import Type
from lightbound.errors import ErrorCode, malformed

NAME_BYTES: Final = 8
_GPUS_OF_SWITCH: Final = 8
"""A switch states eight places for GPUs, then for each of its 64 ports the number of the GPU there."""
_PORTS: Final = 64
_NOBODY: Final = (bytes(NAME_BYTES), b"\xff" * NAME_BYTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A device that others name, and of which there is no report."""

    name: str
    is_switch: bool
    named_by: tuple[str, ...]

    def __str__(self) -> str:
        """As one sentence."""
        kind = "switch" if self.is_switch else "GPU"
        return f"{kind} {self.name} is missing: {_list(self.named_by)} name it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign:
    """A device that is here, and that devices here which ought to name it do not."""

    name: str
    is_switch: bool
    not_named_by: tuple[str, ...]

    def __str__(self) -> str:
        """As one sentence."""
        kind = "switch" if self.is_switch else "GPU"
        return f"{kind} {self.name} is foreign: {_list(self.not_named_by)} do not name it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """What the devices of one host say of one another."""

    gpus: tuple[str, ...]
    switches: tuple[str, ...]
    missing: tuple[Missing, ...]
    foreign: tuple[Foreign, ...]
    repeated: tuple[str, ...]
    """Devices of which there is more than one report: so many reports are of fewer devices."""

    @property
    def is_closed(self) -> bool:
        """Whether everybody who is named is here, and everybody who is here is named."""
        return not self.missing and not self.foreign


def topology(reports: Sequence[GenuineReport]) -> Topology | None:
    """How the devices of one host name one another; None if none of them states anything of the kind.

    A missing device may only not have been asked. A foreign one signed a report, and is not of this host.

    Raises:
        Malformed: a device states a list that is not of its form.
    """
    gpus: dict[str, frozenset[str]] = {}
    switches: dict[str, frozenset[str]] = {}
    for one in reports:
        kind = switches if one.device.family is Family.SWITCH else gpus
        # What any of its reports says counts, so that their order does not.
        kind[_name(one)] = kind.get(_name(one), frozenset()) | named(one)
    if not any((*gpus.values(), *switches.values())):
        return None
    # Whom nobody names does not belong here, and what it says of others counts for nothing.
    believed_gpus = {name: gpus[name] for name in gpus if not switches or _is_named(name, switches)}
    believed_switches = {name: switches[name] for name in switches if not gpus or _is_named(name, gpus)}
    return Topology(
        gpus=tuple(sorted(gpus)),
        switches=tuple(sorted(switches)),
        missing=(
            *_missing(believed_gpus, switches, is_switch=True),
            *_missing(believed_switches, gpus, is_switch=False),
        ),
        foreign=(
            *_foreign(believed_gpus or gpus, switches, is_switch=True),
            *_foreign(believed_switches or switches, gpus, is_switch=False),
        ),
        repeated=tuple(sorted(name for name, count in Counter(map(_name, reports)).items() if count > 1)),
    )


def named(one: GenuineReport) -> frozenset[str]:
    """The devices at the other ends of its links, as the device signed it; none if it states none.

    Raises:
        Malformed: the list is not of its form.
    """
    if one.device.family is Family.SWITCH:
        kind, size = Type.GPU_PDIS, _GPUS_OF_SWITCH * NAME_BYTES + _PORTS
        said = one.report.opaque.fields.get(kind)
        names = () if said is None else _split(said[: _GPUS_OF_SWITCH * NAME_BYTES])
        fits = said is None or len(said) == size
    else:
        kind, size = Type.SWITCH_PDI, NAME_BYTES
        said = one.report.opaque.fields.get(kind)
        names = () if said is None else [name[::-1] for name in _split(said)]
        fits = said is None or len(said) % size == 0
    if not fits:
        path = f"response.opaque.{kind.name.lower()}"
        raise malformed(ErrorCode.EVIDENCE_MALFORMED, f"{size} bytes", f"{len(said or b'')}", path)
    return frozenset(name.hex() for name in names if name not in _NOBODY)


def _missing(
    here: Mapping[str, frozenset[str]], there: Mapping[str, frozenset[str]], *, is_switch: bool
) -> Iterable[Missing]:
    """Those that devices here name, and that are not there."""
    for name in sorted(frozenset[str]().union(*here.values()) - there.keys()):
        yield Missing(name=name, is_switch=is_switch, named_by=_sorted(one for one in here if name in here[one]))


def _foreign(
    here: Mapping[str, frozenset[str]], there: Mapping[str, frozenset[str]], *, is_switch: bool
) -> Iterable[Foreign]:
    """Those that are there, and that devices here do not name. Every GPU of a host is linked to every switch of it."""
    for name in sorted(there):
        silent = _sorted(one for one, names in here.items() if name not in names)
        if silent:
            yield Foreign(name=name, is_switch=is_switch, not_named_by=silent)


def _is_named(name: str, by: Mapping[str, frozenset[str]]) -> bool:
    return any(name in names for names in by.values())


def _split(data: bytes) -> list[bytes]:
    return [data[at : at + NAME_BYTES] for at in range(0, len(data), NAME_BYTES)]


def _name(one: GenuineReport) -> str:
    return one.device.serial[-2 * NAME_BYTES :]


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(names))


def _list(names: tuple[str, ...]) -> str:
    return f"{', '.join(names[:4])}{f' and {len(names) - 4} more' if len(names) > 4 else ''}"
