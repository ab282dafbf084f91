"""The default subject: a FastAPI chat backend on an embedded PostgreSQL, started and stopped with a run."""
