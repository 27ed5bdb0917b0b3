"""From a timed answer to a bound on distance."""
