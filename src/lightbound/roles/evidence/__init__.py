"""Giving evidence of a host's devices over unix sockets, for an agent that has no rights and starts nothing."""
