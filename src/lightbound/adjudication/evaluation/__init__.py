"""How good verdicts are where the truth is known: kept, decided, wrong, refuted. Statistics, and proof of nothing."""
