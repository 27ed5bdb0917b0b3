"""How databases came to be what they are: one folder for each schema, one module for each step."""
