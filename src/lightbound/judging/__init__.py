"""What all that was heard and read comes to: the one way, for whoever decides and for whoever checks.

The core computes it; here is what it needs beside: borders and drawings made into areas, objects as files have them.
"""
