"""How strongly the key that answered is tied to the chip: the tier, why it is that one, and what it does not show.

    A0   a key in software; nothing attests any chip
    A1   the chip itself signed a nonce that names the session and its keys
    A2   and the host's TPM signed the same session, with the key it was enrolled with

At all three, whoever puts a machine with the key at the licensed site wins, also with genuine reports that are passed
on from abroad: timing places the key, and nothing here times the chip. So a tier is never told without what it leaves
open.
"""

from collections.abc import Iterable, Mapping, Sequence
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


class Unshown(StrEnum):
    """What a tier leaves open: a closed list, explained in `docs/evidence.md`."""

    KEY_NOT_COPIED = "key_not_copied"
    KEY_BESIDE_CHIP = "key_beside_chip"
    AFTER_WINDOW = "after_window"
    GENUINE_CHIP = "genuine_chip"
    WHICH_HOST = "which_host"
    HOST_BESIDE_CHIP = "host_beside_chip"
    RELEASED_FIRMWARE = "released_firmware"


IN_WORDS: Final[Mapping[str, str]] = {
    Reason.NO_ATTESTATION_READ: "no chip attested anything, or it was not looked at",
    Reason.CHIP_SIGNED_SESSION: "the chip signed each session",
    Reason.HOST_QUOTED_SESSION: "so did the host's TPM, with the key that was pinned at enrolment",
    Reason.NO_QUOTE: "no quote of the host's TPM, or none that holds",
    Reason.MEASUREMENTS_MATCH: "what the chip measured is what its maker's manifests say",
    Reason.MEASUREMENTS_UNAPPRAISED: "what the chip measured could not be held against its maker's manifests",
    Reason.MEASUREMENTS_DIFFER: "what the chip measured contradicts its maker's manifests",
    Reason.SIMULATED_CHIP: "SIMULATED: a program signs for it, and there is no chip",
    Unshown.KEY_NOT_COPIED: "that the key was not copied, to a machine that answers for a chip that is gone",
    Unshown.KEY_BESIDE_CHIP: "that the key is beside the chip: what the chip signs can be fetched from elsewhere",
    Unshown.AFTER_WINDOW: "where anything was before the first session, or is after the last",
    Unshown.GENUINE_CHIP: "that there is a genuine chip",
    Unshown.WHICH_HOST: "which host asked the chip",
    Unshown.HOST_BESIDE_CHIP: "that the host whose TPM signed is where the chip is",
    Unshown.RELEASED_FIRMWARE: "that the chip runs what its maker released",
}
"""For people. Programs are told the codes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assurance:
    """A tier with its reasons, and what is therefore not shown."""

    tier: str
    reasons: tuple[str, ...]
    does_not_show: tuple[str, ...]


_NEVER_SHOWN: Final = (Unshown.KEY_NOT_COPIED, Unshown.KEY_BESIDE_CHIP, Unshown.AFTER_WINDOW)
"""At no tier there is."""

UNATTESTED: Final = Assurance(
    tier=Tier.A0,
    reasons=(Reason.NO_ATTESTATION_READ,),
    does_not_show=(Unshown.KEY_NOT_COPIED, Unshown.KEY_BESIDE_CHIP, Unshown.GENUINE_CHIP, Unshown.AFTER_WINDOW),
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
    unshown = [*_NEVER_SHOWN, Unshown.HOST_BESIDE_CHIP if is_quoted else Unshown.WHICH_HOST]
    if result is not Result.VERIFIED:
        unshown.append(Unshown.RELEASED_FIRMWARE)
    if is_simulated:
        reasons.append(Reason.SIMULATED_CHIP)
        unshown.append(Unshown.GENUINE_CHIP)
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
