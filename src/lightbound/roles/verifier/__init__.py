"""A verifier: lets agents in, asks them, collects what they and the landmarks bring, and decides about their chips."""
