"""How strongly the key that answered is tied to the chip: the tier, why it is that one, and what it does not show.

    A0   a key in software; nothing attests any chip
    A1   the chip itself signed a nonce that names the session and its keys
    A2   and the host's TPM signed the same session, with the key it was enrolled with

At all three, whoever puts a machine with the key at the licensed site wins, also with genuine reports that are passed
on from abroad: timing places the key, and nothing here times the chip. So a tier is never told without what it leaves
open.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lightbound.attestation.results import Result


class Tier(StrEnum):
    """The one word, the weakest first."""

    A0 = "A0"
    A1 = "A1"
    A2 = "A2"


class Reason(StrEnum):
    """Why a tier is what it is: a closed list, explained in `docs/evidence.md`."""

    NO_ATTESTATION_READ = "no_attestation_read"
    """Nothing but readings was looked at."""
    CHIP_SIGNED_SESSION = "chip_signed_session"
    HOST_QUOTED_SESSION = "host_quoted_session"
    NO_QUOTE = "no_quote"
    """No quote of the host, or none that holds."""
    MEASUREMENTS_MATCH = "measurements_match"
    """What the chip measured is what its maker's manifests say."""
    MEASUREMENTS_UNAPPRAISED = "measurements_unappraised"
    """Something lacks to say so. Which chip signed is proven all the same."""
    MEASUREMENTS_DIFFER = "measurements_differ"
    SIMULATED_CHIP = "simulated_chip"
    """The chip's certificates lead to a root that simulated chips have: it is no chip at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assurance:
    """A tier with its reasons, and what is therefore not shown."""

    tier: str
    reasons: tuple[str, ...]
    does_not_show: tuple[str, ...]


_NEVER_SHOWN: Final = ("key_not_copied", "key_beside_chip", "after_window")
"""At no tier there is: that the key was not copied, that it is beside the chip, anything after the window."""

UNATTESTED: Final = Assurance(
    tier=Tier.A0,
    reasons=(Reason.NO_ATTESTATION_READ,),
    does_not_show=("key_not_copied", "key_beside_chip", "genuine_chip", "after_window"),
)
"""Of every verdict that rests on readings alone: a copy of the key at the licensed site wins."""

_OF_RESULT: Final = {
    Result.VERIFIED: Reason.MEASUREMENTS_MATCH,
    Result.UNAPPRAISED: Reason.MEASUREMENTS_UNAPPRAISED,
    Result.REFUSED: Reason.MEASUREMENTS_DIFFER,
}


def assured(result: Result, *, is_quoted: bool, is_simulated: bool) -> Assurance:
    """How strongly one session is tied to a chip that signed a nonce which names it."""
    reasons = [Reason.CHIP_SIGNED_SESSION, Reason.HOST_QUOTED_SESSION if is_quoted else Reason.NO_QUOTE]
    reasons.append(_OF_RESULT[result])
    unshown = [*_NEVER_SHOWN, "host_beside_chip" if is_quoted else "which_host"]
    if result is not Result.VERIFIED:
        unshown.append("released_firmware")
    if is_simulated:
        reasons.append(Reason.SIMULATED_CHIP)
        unshown.append("genuine_chip")
    return Assurance(
        tier=Tier.A2 if is_quoted else Tier.A1, reasons=tuple(sorted(reasons)), does_not_show=tuple(sorted(unshown))
    )


def weakest(assurances: Sequence[Assurance]) -> Assurance:
    """What holds of a verdict that rests on several sessions: the lowest tier, and all that any of them leaves open."""
    if not assurances:
        return UNATTESTED
    return Assurance(
        tier=min(one.tier for one in assurances),
        reasons=_together(one.reasons for one in assurances),
        does_not_show=_together(one.does_not_show for one in assurances),
    )


def _together(texts: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(sorted({text for some in texts for text in some}))
