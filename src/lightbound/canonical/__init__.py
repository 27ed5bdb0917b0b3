"""One way to write a statement, and a strict way to read it back."""
