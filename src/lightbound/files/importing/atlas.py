"""RIPE Atlas's ping results as measurements, and its probes or anchors as landmarks.

A probe measures a target. Which of the two is the landmark is for whoever imports to say: the one whose place is
known. Only where the probe is the landmark does the landmark's own clock give the round trip.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from lightbound.errors import ErrorCode
from lightbound.files.columns import is_id
from lightbound.files.faults import shown
from lightbound.files.importing.atlas_places import Place
from lightbound.files.importing.atlas_results import LONGEST_NAME, AtlasPing, read_ping
from lightbound.files.importing.dropped import Reason, Tally, WrongField
from lightbound.files.importing.json_items import json_items
from lightbound.files.importing.measurement_rows import Row
from lightbound.files.importing.sources import Progress, opened

NS_PER_S: Final = 1_000_000_000


class LandmarksAre(StrEnum):
    """Which end of a measurement is the landmark."""

    PROBES = "probes"
    TARGETS = "targets"


class TargetsBy(StrEnum):
    """What a target is called by."""

    ADDRESS = "address"
    NAME = "name"


@dataclass(frozen=True, slots=True, kw_only=True)
class AtlasSettings:
    """How results are to be understood."""

    landmarks_are: LandmarksAre = LandmarksAre.PROBES
    targets_by: TargetsBy = TargetsBy.ADDRESS
    synced_within_s: int | None = None
    """Leave out a result whose probe's clock was not found right so lately; None: leave out none for that."""
    places: Mapping[str, Place] | None = None
    """Landmarks by id. Rows of others are left out; None: no row is left out for that."""
    anchors_only: bool = False


def atlas_rows(
    paths: Iterable[Path],
    settings: AtlasSettings,
    tally: Tally,
    *,
    heard: dict[str, None],
    progress: Progress | None = None,
) -> Iterator[Row]:
    """One row per usable result of the files, in order. Landmarks of `places` that were heard are added to `heard`.

    Raises:
        Unavailable: a file cannot be read.
    """
    for path in paths:
        with opened(path, tally, progress) as source:
            for where, item in json_items(source, tally):
                try:
                    ping = read_ping(item, tally)
                    row = ping if isinstance(ping, Reason) else _row(ping, settings)
                except WrongField as wrong:
                    tally.malformed(where, wrong)
                    continue
                if isinstance(row, Reason):
                    tally.drop(row)
                    continue
                if settings.places is not None:
                    heard[row.landmark_id] = None
                yield row


def places_by_landmark(
    places: Iterable[Place], landmarks_are: LandmarksAre, targets_by: TargetsBy
) -> tuple[dict[str, Place], Sequence[str]]:
    """Each landmark's place by its id, and the ids that two different places claim, which are no landmark's.

    Of two entries for one probe the first counts, so that a better file can be given before a fuller one.
    """
    first: dict[int, Place] = {}
    for place in places:
        if place.position is not None:
            first.setdefault(place.probe, place)
    found: dict[str, Place] = {}
    ambiguous: dict[str, None] = {}
    for place in first.values():
        if landmarks_are is LandmarksAre.PROBES:
            names: Sequence[str] = (_probe_id(place.probe),)
        else:
            own = place.addresses if targets_by is TargetsBy.ADDRESS else (place.name,) if place.name else ()
            names = [_target_id(name) for name in dict.fromkeys(own)]
        for name in names:
            if found.setdefault(name, place) is not place:
                ambiguous[name] = None
    return {name: place for name, place in found.items() if name not in ambiguous}, tuple(ambiguous)


def _row(ping: AtlasPing, settings: AtlasSettings) -> Row | Reason:
    limit = settings.synced_within_s
    if limit is not None and (ping.synced_s is None or ping.synced_s > limit):
        return Reason.CLOCK_NOT_SYNCED
    name = ping.target
    if settings.targets_by is TargetsBy.NAME:
        name = ping.target_name or ""
        if not (is_id(name) and len(name) <= LONGEST_NAME):
            raise WrongField("dst_name", "the target's name", shown(name) if name else "none", ErrorCode.VALUE_MISSING)
    probe, target = _probe_id(ping.probe), _target_id(name)
    landmark, chip = (probe, target) if settings.landmarks_are is LandmarksAre.PROBES else (target, probe)
    if settings.places is not None:
        place = settings.places.get(landmark)
        if place is None:
            return Reason.UNPLACED_LANDMARK
        if settings.anchors_only and not place.is_anchor:
            return Reason.NOT_ANCHOR
    return Row(landmark, chip, ping.round_trip_ns, ping.measured_at_s * NS_PER_S, ping.samples)


def _probe_id(probe: int) -> str:
    return f"probe:{probe}"


def _target_id(target: str) -> str:
    return f"target:{target}"
