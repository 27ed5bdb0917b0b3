"""The timed phase: packets, clocks, and what is concluded from round trips."""
