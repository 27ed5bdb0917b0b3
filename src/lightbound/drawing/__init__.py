"""Maps of single chips: the region that a verdict used, the areas asked about, the bounds and the landmarks."""
