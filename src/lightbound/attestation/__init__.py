"""Which genuine chip, and which host, signed something: evidence of the vendors read, checked and graded."""
