"""The processes that run for long: landmark, agent, verifier, log, witness, the socket of a device. Only they own sockets, threads and settings."""
