"""Running a flow in this process, on the user's Prefect server or an embedded one: what ``nightbench run`` does."""
