"""The other contenders: each a program of its own, with the same messages and the same users."""
