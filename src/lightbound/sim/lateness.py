"""How late a valid round is: the distribution that the packets of the timed phase make, in closed form.

Each packet is carried once, or with probability d twice; each copy is lost with probability l, or else late by an
exponential amount of mean 1, the jitter. The agent answers every copy of a challenge that arrives. So with

    R(u) = (1 - d) s + d s^2,   s = l + (1 - l) exp(-u)          no copy of a reply is there after u
    H(u) = (1 - l) * integral over x from 0 to u of exp(-x) (1 - R(u - x))    a copy of a challenge brought a reply by u
    F(u) = 1 - (1 - d) (1 - H) - d (1 - H)^2                    the round was answered by u

and without loss and copies F(u) = 1 - exp(-u) (1 + u): the sum of two exponential delays.
"""

import functools
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_AT: Final = np.concatenate(([0.0], np.geomspace(1e-5, 60.0, 8_191)))
"""Where the distribution is tabled: 0.2 % from one to the next, so that what lies between is right to 10^-6 of itself.
One round in 10^10 is quicker than the second, and one in 10^24 later than the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lateness:
    """The distribution of one path's rounds, over the floor and in multiples of the jitter."""

    answered: float
    """Probability that a round is answered at all."""
    _by: Floats
    """Probability of a round that is answered to be so by each of the tabled times."""

    def by(self, late: Floats) -> Floats:
        """Probability that an answered round is no later than this."""
        found: Floats = np.interp(late, _AT, self._by)
        return found

    def at(self, uniform: Floats) -> Floats:
        """The inverse: how late the round is that stands at this share of them all."""
        found: Floats = np.interp(uniform, self._by, _AT)
        return found


@functools.lru_cache(maxsize=64)
def lateness(*, loss: float, duplicate: float) -> Lateness:
    """The distribution for a share of packets lost, and one of packets carried twice."""
    kept = 1 - loss
    # R(u) = never + once exp(-u) + twice exp(-2 u)
    never = (1 - duplicate) * loss + duplicate * loss**2
    once = (1 - duplicate) * kept + 2 * duplicate * loss * kept
    twice = duplicate * kept**2
    late, later = np.exp(-_AT), np.exp(-2 * _AT)
    copy = kept * ((1 - never) * -np.expm1(-_AT) - once * _AT * late - twice * (late - later))
    unanswered = 1 - kept * (1 - never)
    answered = 1 - (1 - duplicate) * unanswered - duplicate * unanswered**2
    by = 1 - (1 - duplicate) * (1 - copy) - duplicate * (1 - copy) ** 2
    return Lateness(answered=answered, _by=np.maximum.accumulate(by / answered))
