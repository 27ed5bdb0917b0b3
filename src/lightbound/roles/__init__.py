"""The processes that run for long: landmark, agent, verifier, log, witness, and the sockets of devices.

Only they own sockets, threads and settings.
"""
