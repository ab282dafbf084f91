"""A Prefect server, its deployments and a worker as one: what ``nightbench serve`` does."""
