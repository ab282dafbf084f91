"""Measurements of nightbench itself, beside its peers: see README.md. Not part of the package."""
