"""The full flow."""

from flows.tier_flow import tier_flow

full = tier_flow("full", "The load that the promises are about: 100 users for 5 minutes, 10,000 queries.")
