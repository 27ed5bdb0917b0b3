"""Quotes of a host's TPM: what its attestation key signed over a nonce of ours, read and checked byte by byte."""
