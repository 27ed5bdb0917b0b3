"""The three acts of the running example: all is well; a lot is smuggled, one says nothing; one hides where it went.

What is said here is what whoever holds the chips does. What follows from it nobody says: the verifier finds it, and it
is waited for. A machine that is busy delays answers, which can lose a proof and never makes one, so that what is waited
for comes a session later there.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from lightbound.demo.stage import EVERY_S, Stage
from lightbound.demo.standings import LotStanding
from lightbound.demo.story import (
    DELAY_NS,
    DELAYING,
    HONEST,
    MS_NS,
    PLACES,
    SILENCED,
    SMUGGLED,
    SMUGGLED_TO,
    Truth,
    lot,
)
from lightbound.errors import ErrorCode, Fault, Unavailable

LOOK_S: Final = 0.5
"""How often the verifier is asked what it says."""

ACT_WITHIN_S: Final = 240.0
"""An act that has not come to its end by then does not come to it. 90 were too few for two cores with a load of 20."""

SOON_S: Final = 2.0 * EVERY_S
"""For lots on which nothing else hangs to show what they are expected to; and for a lot to be between two sessions."""

LOST_PROOF: Final = "lost_proof"
"""The verifier's name of the lead."""

Standings = Mapping[str, LotStanding]


class Audience(Protocol):
    """Whom the example is shown to."""

    def said(self, text: str) -> None:
        """A sentence of the story."""

    def shown(self, standings: Standings, truths: Mapping[str, Truth]) -> None:
        """What the verifier says now, and what is true of each lot, which it does not know."""


@dataclass(slots=True, kw_only=True)
class Play:
    """The acts, one after the other."""

    stage: Stage
    audience: Audience

    def play(self) -> Standings:
        """Play all acts; what the verifier says in the end.

        Raises:
            Unavailable: a process has ended, or what should follow did not.
        """
        self._all_is_well()
        self._smuggled()
        return self._hidden()

    def _all_is_well(self) -> None:
        self.audience.said("Act one: every lot is where its licence says, and answers.")
        leading = (SMUGGLED, DELAYING, SILENCED)
        self._until(
            lambda now: (
                len(now) == len(HONEST)
                and all(one.standing for one in now.values())
                and all(now[name].standing == HONEST[name] for name in leading)
            ),
            "every lot to have a standing",
        )
        now = self._until(_is_honest, "", within_s=SOON_S)
        self.audience.said(honest(now))

    def _smuggled(self) -> None:
        self._between_sessions(SMUGGLED)
        self.stage.move(lot(SMUGGLED), SMUGGLED_TO)
        self.audience.said(
            f"Act two: the lot of {SMUGGLED} is smuggled to {PLACES[SMUGGLED_TO]}, from where its agent answers as "
            f"quickly as it can. The agent of {SILENCED} is switched off."
        )
        self.stage.switch_off(lot(SILENCED))
        self._until(lambda now: now[SMUGGLED].standing == "misplaced", "", within_s=SOON_S)

    def _hidden(self) -> Standings:
        self._between_sessions(DELAYING)
        self.stage.move(lot(DELAYING), SMUGGLED_TO, later_ns=DELAY_NS)
        self.audience.said(
            f"Act three: the lot of {DELAYING} follows it to {PLACES[SMUGGLED_TO]}, and its holder delays every answer "
            f"by {DELAY_NS // MS_NS} ms to hide that."
        )
        return self._until(
            lambda now: (
                now[SMUGGLED].standing == "misplaced"
                and now[DELAYING].standing == "undetermined"
                and now[DELAYING].lead == LOST_PROOF
                and now[SILENCED].standing == "silent"
            ),
            f"{SMUGGLED} to be misplaced, {DELAYING} to have lost its proof, {SILENCED} to be silent",
        )

    def _between_sessions(self, name: str) -> None:
        """Wait until a lot has answered what it was asked, so that no session sees it in two places."""
        self._until(lambda now: now[name].is_between_sessions, "", within_s=SOON_S)

    def _until(self, holds: Callable[[Standings], bool], expected: str, *, within_s: float = ACT_WITHIN_S) -> Standings:
        """What the verifier says once it holds; without `expected`, also when time is up."""
        give_up = time.monotonic() + within_s
        while True:
            now = self.stage.standings()
            self.audience.shown(now, self.stage.truths)
            if holds(now):
                return now
            if time.monotonic() > give_up:
                if not expected:
                    return now
                found = ", ".join(f"{name} {one.standing}" for name, one in now.items())
                next_ = "where much else runs on this machine, try again without it; the logs are in world/logs"
                raise Unavailable(Fault(code=ErrorCode.PEER_UNREACHABLE, expected=expected, found=found, next=next_))
            time.sleep(LOOK_S)


def honest(standings: Standings) -> str:
    """What the first act came to, and why not all are verified."""
    counts = Counter(one.standing for one in standings.values())
    words = [word for word in ("verified", "cleared", "undetermined", *sorted(map(str, counts))) if counts[word]]
    found = ", ".join(f"{counts[word]} {word}" for word in dict.fromkeys(words))
    busy = "" if _is_honest(standings) else " This machine is busy, which delays answers and costs proofs."
    return (
        f"All {len(standings)} are honest: {found}. Those that are not verified are too far from the landmarks for a "
        f"proof, which is held against nobody.{busy}"
    )


def _is_honest(standings: Standings) -> bool:
    return all(standings[name].standing == word for name, word in HONEST.items())
