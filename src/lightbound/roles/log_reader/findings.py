"""What was found, as much of it as is told: of each code the first ones, so that many of one hide no other."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from lightbound.errors import ErrorCode, Fault

MOST_OF_A_CODE: Final = 100
"""Told of one by one; what is wrong throughout is wrong, and the rest is counted."""


@dataclass(slots=True, kw_only=True)
class Findings:
    """Faults in the order in which they were found."""

    told: list[Fault] = field(default_factory=list)
    total: int = 0
    """With those that are not told."""
    _of_code: Counter[ErrorCode] = field(default_factory=Counter)

    def add(self, fault: Fault) -> None:
        """One more; told if not too many of its code were."""
        self.total += 1
        self._of_code[fault.code] += 1
        if self._of_code[fault.code] <= MOST_OF_A_CODE:
            self.told.append(fault)
