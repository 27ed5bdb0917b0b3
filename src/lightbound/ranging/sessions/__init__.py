"""A session from both of its ends, and as somebody checks it who was not there."""
