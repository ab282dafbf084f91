"""Load from a Dask cluster: each shard of a load test is a Prefect task on one of its workers."""
