"""Positions, areas, borders and regions: where something can be, and which way each answer errs."""
