"""What the parties of a session tell one another, statement by statement."""
