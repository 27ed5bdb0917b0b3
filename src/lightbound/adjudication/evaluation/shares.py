"""How many of how many, and between which shares the true one lies."""

from dataclasses import dataclass

from scipy.special import betaincinv


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A count out of a number of cases."""

    count: int
    of: int

    def interval(self, *, confidence: float) -> tuple[float, float]:
        """The exact binomial interval (Clopper and Pearson, 1934) for the share; 0 to 1 without cases.

        Assumes that cases are independent and equally likely to be counted. It then holds the true share with at
        least this confidence, often more. Cases that share landmarks are less than independent, so that it is too
        narrow rather than too wide.
        """
        tail = (1.0 - confidence) / 2.0
        low = float(betaincinv(self.count, self.of - self.count + 1, tail)) if self.count else 0.0
        high = float(betaincinv(self.count + 1, self.of - self.count, 1.0 - tail)) if self.count < self.of else 1.0
        return low, high

    def told(self, *, confidence: float) -> str:
        """The share as a person reads it: count, cases, percent and interval."""
        if not self.of:
            return "none asked"
        low, high = self.interval(confidence=confidence)
        percent = 100.0 * self.count / self.of
        return f"{self.count}/{self.of} = {percent:.1f} % ({100 * low:.1f}-{100 * high:.1f})"
