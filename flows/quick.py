"""The quick flow."""

from flows.tier_flow import tier_flow

quick = tier_flow("quick", "A smoke test: 10 users for a minute, 1,000 queries.")
