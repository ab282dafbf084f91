"""Make what many tests start from: the databases of the reference backend, of both Prefect servers and of Bugsink.

Run before the tests, ``python tests/templates.py``, it saves each of their workers from waiting for them. Without
it they are made by whichever test comes first.
"""

import asyncio
import os
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from sentry_servers import bugsink_template

from flows.in_process.server import embedded_server
from nightbench.reference.postgres import postgres_instance, reference_template


def prefect_template(cache):
    """The migrated database from which a Prefect server starts; made by starting one when there is none."""
    template = cache / "prefect" / f"prefect-{version('prefect')}.db"
    if not template.exists():
        with tempfile.TemporaryDirectory() as folder, embedded_server(cache, Path(folder)) as server:
            asyncio.run(server.ready())
    return template


def postgres_template(cache):
    """The seeded database of the reference backend; an instance of it was started, and ended."""
    with postgres_instance(cache, "test-template", reference_template()):
        pass


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent / "serving"))
    from stack import make_template  # not above: who imports this file has other modules by such names

    given = Path(os.environ["NIGHTBENCH_CACHE"]).absolute()
    postgres_template(given)
    bugsink_template(given)
    make_template(given)
    sys.exit(not prefect_template(given).exists())
