"""The areas that sites name: made once, and drawings taken into the verifier's own folder when a site first names one.

A drawing that changed later would change what a licence says, so the bytes are copied, and the copy bears their hash.
"""

import hashlib
from pathlib import Path
from threading import Lock
from typing import Final

import numpy as np

from lightbound.adjudication.questions import relations
from lightbound.adjudication.verdicts import BorderUsed
from lightbound.errors import ErrorCode, Fault, Refused, Unavailable
from lightbound.files.dossier import AreaMaker
from lightbound.files.whole import whole_file
from lightbound.geo.areas import AreaPart, Drawing, parse_area, write_area
from lightbound.geo.borders import packaged_borders
from lightbound.geo.shapes import Area, Relation

DRAWINGS: Final = "drawings"


class Areas:
    """Areas by their texts. Threads may share it."""

    def __init__(self, data: Path, *, border_error_m: int) -> None:
        """Of a verifier with this data folder."""
        self._data, self._lock = data, Lock()
        self._made: dict[str, Area] = {}
        borders = packaged_borders()
        # Relative paths of drawings begin at the folder of this file, which need not be there.
        self._make = AreaMaker(chips=data / "chips.csv", borders=borders, border_error_m=float(border_error_m))
        self.border = BorderUsed.of(borders, error_m=border_error_m)

    def __call__(self, text: str) -> Area:
        """The area of a text.

        Raises:
            Malformed: the text, a country in it, or a drawing that it names.
            Unavailable: a drawing cannot be read.
        """
        with self._lock:
            if text not in self._made:
                self._made[text] = self._make(text)
            return self._made[text]

    def adopted(self, text: str, *, beside: Path) -> str:
        """The same area by a text that names only drawings in the verifier's folder, which are copied there.

        Raises:
            Malformed: the text is no area, or a drawing none.
            Unavailable: a drawing cannot be read or copied.
        """
        parts = parse_area(text)
        written = write_area([self._adopted(part, beside) for part in parts])
        self(written)
        return written

    def check_apart(self, licensed: str, excluded: str) -> str | None:
        """Nothing, if a licensed area is apart from the excluded one; a note, if it may touch it.

        Raises:
            Refused: it is surely inside: no place would satisfy the licence.
            Malformed, Unavailable: as for an area.
        """
        if not licensed or not excluded:
            return None
        (found,) = relations(np.array([[0, 1]], np.int32), [self(licensed), self(excluded)])
        if found is Relation.INSIDE:
            fault = Fault(
                code=ErrorCode.LICENSED_INSIDE_EXCLUDED,
                expected="a licensed area that is not inside the excluded one",
                found=f"{licensed} inside {excluded}",
                next="no place would satisfy the licence: correct one of the two areas",
            )
            raise Refused(fault)
        return f"{licensed} may touch {excluded}" if found is Relation.TOUCHING else None

    def _adopted(self, part: AreaPart, beside: Path) -> AreaPart:
        if not isinstance(part, Drawing):
            return part
        source = beside / part.path
        try:
            content = source.read_bytes()
            target = self._data / DRAWINGS / f"{hashlib.sha256(content).hexdigest()[:32]}.geojson"
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            found = error.strerror or type(error).__name__
            fault = Fault(
                code=ErrorCode.READ_FAILED, expected="a drawing that can be read", found=found, file=str(source)
            )
            raise Unavailable(fault) from error
        if not target.exists():
            with whole_file(target) as file:
                file.write(content)
        return Drawing(f"{DRAWINGS}/{target.name}", part.feature)
