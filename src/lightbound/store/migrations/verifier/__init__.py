"""The steps of a verifier's database."""
