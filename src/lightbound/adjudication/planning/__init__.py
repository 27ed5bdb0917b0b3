"""Where landmarks should stand: what could be proven from where, and with how few. Nothing here proves anything."""
