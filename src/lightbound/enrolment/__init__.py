"""How an agent becomes known to a verifier, and what the two say to each other outside of the protocol."""
