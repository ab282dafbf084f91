"""Which worker of pytest-xdist runs which tests, and in which order: so that none has a long file left at the end."""

from xdist.scheduler import LoadFileScheduling

ONE_SERVER = (
    "published",
    "night",
    "blocks",
    "command",
    "end_of_night",
    "not_begun",
    "closed_pipe",
    "deployments",
)
"""Of the tests of flows, those that share a Prefect server, or its import: either takes longer than they do."""

SERVERS_OF_ITS_OWN = "tests/flows/test_flows_server.py"

FLOWS = "tests/flows/"
"""What is left of them shares another."""

LONGEST_FIRST = (
    *(f"tests/flows/test_flows_{name}.py" for name in ONE_SERVER),
    SERVERS_OF_ITS_OWN,
    FLOWS,
    "tests/endtoend/",
    "tests/reference/test_reference_lifecycle.py",
    "tests/database/",
    "tests/alerts/test_alerts_faults.py",
    "tests/alerts/test_alerts_week.py",
    "tests/websocket/",
    "tests/reference/",
    "tests/load/",
)
"""Beginnings of paths. What is not named comes last: it takes a few seconds a file at the most."""


def rank(nodeid):
    """The place of a test in the order: the least comes first."""
    named = (place for place, beginning in enumerate(LONGEST_FIRST) if nodeid.startswith(beginning))
    return next(named, len(LONGEST_FIRST))


class Scheduling(LoadFileScheduling):
    """A file, or all files that share a Prefect server, as a whole to one worker, in the order of collection."""

    def __init__(self, config, log=None):
        # it would put files with few tests last, however long they take
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid):
        if rank(nodeid) < len(ONE_SERVER):
            return "one server"
        if rank(nodeid) == LONGEST_FIRST.index(FLOWS):
            return "another server"
        return super()._split_scope(nodeid)
