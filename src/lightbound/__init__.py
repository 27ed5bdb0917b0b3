"""Lightbound shows where export-controlled AI chips are, with evidence that a stranger can check."""

from typing import Final

__version__: Final = "0.1.0"
