"""What the verifier says, lot by lot: fetched as anybody may, by GET /v1/standings."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self

from lightbound.errors import ErrorCode, Fault, Unavailable

WITHIN_S: Final = 30.0
"""On a machine that has much else to do."""
MOST_BYTES: Final = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """To one question about a chip."""

    verdict: str
    proof: str | None
    margin_km: float | None

    @classmethod
    def of(cls, told: Mapping[str, Any] | None) -> "Answer | None":
        """What a verdict says of one question; None where it was not asked, or nothing is decided yet."""
        if not told:
            return None
        margin_m = told.get("margin_m")
        return cls(
            verdict=str(told["verdict"]),
            proof=told.get("proof"),
            margin_km=None if margin_m is None else float(margin_m) / 1_000,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LotStanding:
    """What is said of each chip of a lot."""

    lot: str
    agent: str
    chips: tuple[str, ...]
    standing: str | None
    """None: nothing is decided yet; the word that all its chips have, else `mixed`."""
    lead: str | None
    licensed: Answer | None
    excluded: Answer | None
    asked_at: datetime | None
    answered_at: datetime | None
    decided_at: datetime | None
    silent_since: datetime | None
    issued_at: datetime | None
    """When the newest session that is over began."""
    error: str | None
    """What its agent said went wrong last."""

    @property
    def is_between_sessions(self) -> bool:
        """Whether whatever it was asked is answered."""
        return self.answered_at is not None and self.asked_at is not None and self.answered_at > self.asked_at

    @classmethod
    def of(cls, told: list[dict[str, Any]]) -> Self:
        """What is said of the chips of one site."""
        first = told[0]
        newest, verdict = first.get("newest_session") or {}, first.get("verdict") or {}
        decided = _instant(first["decided_at"])
        words = {one["standing"] if one["verdict"] or one["silent_since"] else None for one in told}
        return cls(
            lot=first["site"],
            agent=first["agent"],
            chips=tuple(one["chip_id"] for one in told),
            standing=words.pop() if len(words) == 1 else "mixed",
            lead=first["lead"],
            licensed=Answer.of(verdict.get("licensed")),
            excluded=Answer.of(verdict.get("excluded")),
            asked_at=_instant(first["last_asked"]),
            answered_at=_instant(first["last_answered"]),
            decided_at=decided,
            silent_since=_instant(first["silent_since"]),
            issued_at=_instant(newest.get("issued_at")),
            error=first["agent_error"],
        )


def read_standings(url: str) -> dict[str, LotStanding]:
    """What a verifier says of each lot, by its name.

    Raises:
        Unavailable: it does not say.
    """
    # Not `net.http_client`: what it takes at most is made for statements, and these are long.
    try:
        with urllib.request.urlopen(f"{url}/v1/standings", timeout=WITHIN_S) as answer:  # noqa: S310 - our own verifier
            told = json.loads(answer.read(MOST_BYTES))
    except (OSError, ValueError) as error:
        fault = Fault(code=ErrorCode.PEER_UNREACHABLE, expected=f"standings from {url}", found=str(error))
        raise Unavailable(fault) from error
    by_lot: dict[str, list[dict[str, Any]]] = {}
    for one in told["standings"]:
        by_lot.setdefault(one["site"], []).append(one)
    return {name: LotStanding.of(chips) for name, chips in by_lot.items()}


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
