"""The baseline flow."""

from flows.tier_flow import tier_flow

baseline = tier_flow("baseline", "A moderate load: 50 users for 2 minutes, 5,000 queries.")
