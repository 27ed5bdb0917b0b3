"""The steps of a log's database."""
