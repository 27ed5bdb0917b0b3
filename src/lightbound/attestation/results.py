"""What the check of one piece of evidence came to, in one of three words.

`verified`: who signed it is proven, and what it says is what its maker released. `unappraised`: who signed it is
proven, and something is missing to judge what it says; most failures in the field are this, and benign. `refused`: a
rule does not hold. A refusal is of two kinds, and only one can count against a chip: what is not authenticated to it,
anybody could have sent.
"""

from dataclasses import dataclass
from enum import StrEnum, auto

from lightbound.errors import Fault


class Result(StrEnum):
    """The one word."""

    VERIFIED = auto()
    UNAPPRAISED = auto()
    REFUSED = auto()


class Lacking(StrEnum):
    """What is missing where something is unappraised: a closed list."""

    MANIFEST = auto()
    """No reference manifest for the firmware or the driver is here."""
    SIGNER_CURRENT = auto()
    """The one here was signed with a certificate that was not valid then."""
    TIME = auto()
    """Nobody said as of when to judge."""
    MEASUREMENT = auto()
    """The manifests say nothing of some measurement that the device states."""
    DEVICE = auto()
    """Devices of the same host, which others name, gave no report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a result is not `verified`, and what to do about it."""

    lacking: Lacking
    why: str
    next: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Appraisal:
    """What came of it."""

    result: Result
    reasons: tuple[Reason, ...] = ()
    """What is missing, if it is unappraised."""
    faults: tuple[Fault, ...] = ()
    """Which rule does not hold, if it is refused."""
    is_authenticated: bool = True
    """Whether the device itself signed what was judged. What is refused and is not so, anybody could have sent."""
    notes: tuple[str, ...] = ()
    """What else was seen, such as a revocation: reported, never acted on."""
