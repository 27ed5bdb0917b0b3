"""From bounds to verdicts: within, outside or undetermined, and the standing a person sees."""
