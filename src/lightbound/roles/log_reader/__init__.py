"""Who reads a log from outside: an audit by anybody, and a monitor for a holder of statements."""
