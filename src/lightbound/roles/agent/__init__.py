"""An agent: dials out, answers, and can be told nothing else."""
