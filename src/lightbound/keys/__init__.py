"""Keys, what each is for, and what they sign."""
