"""The steps of a landmark's database."""
