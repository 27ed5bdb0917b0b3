"""What the conformance vectors are made of, subject by subject; `make_vectors.py` puts them together."""
