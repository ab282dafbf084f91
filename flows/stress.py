"""The stress flow."""

from flows.tier_flow import tier_flow

stress = tier_flow("stress", "Past the usual: 200 users for 10 minutes, 50,000 queries on 50 workers.")
