"""The steps of a witness's database."""
