"""What an issuer answered about a certificate that it made: good, or revoked. Read and verified, and never acted on."""
