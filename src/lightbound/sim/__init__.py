"""The simulated world: distance, fleets and attackers, which cannot be had for a test. It never touches a network."""
