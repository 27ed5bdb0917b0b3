"""A verifier: asks agents for sessions, collects what came of them, and judges."""
