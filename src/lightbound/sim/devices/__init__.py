"""Chips that no factory made, with certificates and reports like those of real ones, under roots of their own."""
