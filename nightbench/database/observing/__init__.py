"""Watching the server while it is loaded: statistics, probes of its isolation, and what its policies cost."""
