"""What an append-only log is made of."""
