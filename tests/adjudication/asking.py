"""One chip asked about through the whole step from readings to verdicts, in a line or two of a test."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from lightbound.adjudication.adjudicate import adjudicate
from lightbound.adjudication.facts import Settings
from lightbound.adjudication.verdicts import PROOFS, STANDINGS, VERDICTS, BorderUsed, Question, Verdicts
from lightbound.geo.earth import Position
from lightbound.ranging.readings import Chips, Landmark, Readings
from tests.worlds import area

BORDER: Final = BorderUsed(name="", version="", viewpoint="", sha256="", error_m=0)

OWN: Final = "a unit of its own"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was concluded about one chip."""

    standing: str
    licensed: str | None
    excluded: str | None
    licensed_proof: str | None
    excluded_proof: str | None
    licensed_margin_m: float
    excluded_margin_m: float
    units_heard: int
    landmarks_used: int
    landmarks_ignored: int
    region_km2: float | None

    @property
    def words(self) -> tuple[str, str | None, str | None]:
        return self.standing, self.licensed, self.excluded


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One landmark and the round trip it measured."""

    landmark: Landmark
    round_trip_ns: int


def landmark(
    latitude: float,
    longitude: float,
    *,
    name: str = "l",
    unit: str | None = "u",
    error_m: float = 10.0,
    country: str | None = None,
) -> Landmark:
    return Landmark(
        landmark_id=name,
        position=Position(latitude, longitude),
        position_error_m=error_m,
        fault_unit=unit,
        country=country,
    )


def near(latitude: float, longitude: float, round_trip_us: float, *, name: str, unit: str | None = OWN) -> Heard:
    """A landmark in a fault unit of its own, unless another or none is named, and what it measured."""
    own = name if unit == OWN else unit
    return Heard(landmark=landmark(latitude, longitude, name=name, unit=own), round_trip_ns=round(round_trip_us * 1000))


def verdicts_on(
    heard: Sequence[Heard],
    *,
    licensed: str = "",
    excluded: str = "",
    border_error_m: float = 2000.0,
    settings: Settings,
    use_compiled: bool = False,
) -> Verdicts:
    texts = [text for text in (licensed, excluded) if text]
    return adjudicate(
        Readings(
            landmark=np.arange(len(heard), dtype=np.int32),
            chip=np.zeros(len(heard), np.int32),
            round_trip_ns=np.array([one.round_trip_ns for one in heard], np.int64),
        ),
        landmarks=[one.landmark for one in heard],
        chips=Chips(
            chip_ids=["chip"],
            licensed=np.array([0 if licensed else -1], np.int32),
            excluded=np.array([len(texts) - 1 if excluded else -1], np.int32),
            areas=texts,
        ),
        areas=[area(text, border_error_m) for text in texts],
        border=BORDER,
        settings=settings,
        use_compiled=use_compiled,
    )


def answer(verdicts: Verdicts, chip: int = 0) -> Answer:
    def word(question: Question) -> str | None:
        code = int(question.verdict[chip])
        return None if code < 0 else str(VERDICTS[code])

    def proof(question: Question) -> str | None:
        code = int(question.proof[chip])
        return None if code < 0 else str(PROOFS[code])

    return Answer(
        standing=str(STANDINGS[verdicts.standing[chip]]),
        licensed=word(verdicts.licensed),
        excluded=word(verdicts.excluded),
        licensed_proof=proof(verdicts.licensed),
        excluded_proof=proof(verdicts.excluded),
        licensed_margin_m=float(verdicts.licensed.margin_m[chip]),
        excluded_margin_m=float(verdicts.excluded.margin_m[chip]),
        units_heard=int(verdicts.units_heard[chip]),
        landmarks_used=int(verdicts.landmarks_used[chip]),
        landmarks_ignored=int(verdicts.landmarks_ignored[chip]),
        region_km2=None if verdicts.region_area_km2 is None else float(verdicts.region_area_km2[chip]),
    )


def asked(
    heard: Sequence[Heard],
    *,
    licensed: str = "",
    excluded: str = "",
    border_error_m: float = 2000.0,
    settings: Settings | None = None,
    budget: int = 0,
) -> Answer:
    """The answer on one chip; without settings, joint proofs at the speed of light with this fault budget."""
    return answer(
        verdicts_on(
            heard,
            licensed=licensed,
            excluded=excluded,
            border_error_m=border_error_m,
            settings=settings or Settings(fault_budget=budget),
        )
    )
