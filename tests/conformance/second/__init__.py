"""A second landmark, written from docs/spec/clp1.md alone. It imports nothing of the package, nor its CBOR library."""
