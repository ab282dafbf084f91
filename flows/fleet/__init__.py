"""Load from a Dask cluster: each shard of a load test is a Prefect task on one of its workers.

- A **fleet** is where the load comes from: this machine, a cluster, or a cluster of this machine's.
- Its **crew** runs the shards of one load test. Each shard has a **station**: a process of the fleet, here a Dask
  worker. A station is chosen for each shard before the load begins, and no other one runs it.
- An **order** is the shard that a station is to run, sent once. While it runs, an **instruction** is sent over its link
  once a second, and the **answer** tells that it is there and how far it is.
"""
