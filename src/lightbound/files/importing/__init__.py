"""Measurements as other tools write them, read strictly item by item; what cannot be used is counted and located."""
