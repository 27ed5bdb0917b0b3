"""What Lightbound costs, as ratios against references that run in the same process or on the same machine."""
