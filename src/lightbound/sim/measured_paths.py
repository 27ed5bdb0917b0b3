"""Round trips that were measured, as paths of a simulated world: a folder with the three files of `adjudicate`.

The landmark X and the chip chip-X of such a folder stand for one place X, as in examples/azure.
"""

from pathlib import Path

import numpy as np

from lightbound.files.chips import read_chips
from lightbound.files.landmarks import read_landmarks
from lightbound.files.measurements import read_measurements
from lightbound.sim.scenario import Place


def read_table(folder: Path) -> dict[tuple[str, str], int]:
    """The least round trip from each place to each other, in nanoseconds.

    Raises:
        Malformed, Refused, Unavailable: a file of the folder.
    """
    landmarks = read_landmarks(folder / "landmarks.csv")
    chips = read_chips(folder / "chips.csv", make=lambda _text: None)
    readings = read_measurements(folder / "measurements.csv", landmarks=landmarks, chips=chips)
    least: dict[tuple[str, str], int] = {}
    rows = np.stack((readings.landmark, readings.chip, readings.round_trip_ns), axis=1)
    for landmark, chip, round_trip_ns in rows.tolist():
        pair = (landmarks[landmark].landmark_id, chips.chip_ids[chip].removeprefix("chip-"))
        least[pair] = min(round_trip_ns, least.get(pair, round_trip_ns))
    return least


def places_of(folder: Path) -> list[Place]:
    """The places that a scenario with this table can name.

    Raises:
        Malformed, Unavailable: the file of landmarks.
    """
    return [
        Place(name=landmark.landmark_id, position=landmark.position, country=landmark.country or "")
        for landmark in read_landmarks(folder / "landmarks.csv")
    ]
