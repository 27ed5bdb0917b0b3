"""A witness: sees each checkpoint of a log after the one before, and says so."""
