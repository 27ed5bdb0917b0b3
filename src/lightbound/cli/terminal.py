"""Text from files, made fit for a terminal."""


def printable(text: str) -> str:
    """The text with its control characters and line breaks escaped: a file cannot write to whoever reads about it."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)
