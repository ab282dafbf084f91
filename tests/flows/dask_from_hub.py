"""Run inside a network namespace: two shards on the cluster at ADDRESS, and COMMAND once both are at it.

``python dask_from_hub.py ADDRESS COMMAND``; prints what came of them as JSON.
"""

import asyncio
import json
import subprocess
import sys

from dask_cluster import Spec, steady

from flows.fleet.choice import fleet_of
from nightbench.load.shards import run_parts


async def main(address: str, command: str) -> dict[str, object]:
    begun = []

    def heard(progress):
        if progress.active == 2 and not begun:
            begun.append(True)
            subprocess.run(command.split(), check=True)

    async with fleet_of(address).crew("websocket", 2, lead=0.0) as crew:
        parts = await run_parts(
            steady,
            [Spec("secret"), Spec("secret")],
            crew=crew,
            on_progress=heard,
            stop=asyncio.Event(),
            grace=5.0,
            patience=20.0,
        )
    return {"lost": list(parts.lost.values()), "others": [each.given_up for each in parts.results]}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(main(*sys.argv[1:]))))
