"""The processes that run for long: landmark, agent, verifier. Only they own sockets, threads and settings."""
