"""The running example: a verifier, landmarks and agents as real processes, and the relay that puts distance between them."""
