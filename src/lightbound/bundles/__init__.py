"""Evidence about one chip in one file, from which a stranger recomputes what was concluded, without asking anybody."""
