"""A landmark: a control process that answers HTTP, and a timed one that does nothing but challenge."""
