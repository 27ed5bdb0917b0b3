"""The running example: a verifier, landmarks and agents as real processes, with distance put in between."""
