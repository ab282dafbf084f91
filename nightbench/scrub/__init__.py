"""One scrubber for every text that leaves the machine or is stored: logs, results, alerts, reports, terminal."""

from nightbench.scrub.addresses import scrub_address, stored_address, without_query
from nightbench.scrub.known import forget
from nightbench.scrub.learned import learn, learn_named
from nightbench.scrub.names import is_secret_name
from nightbench.scrub.spans import REDACTED
from nightbench.scrub.text import LONGEST, one_line, scrub, scrub_long, scrub_own
from nightbench.scrub.tree import scrub_own_tree, scrub_tree

__all__ = [
    "LONGEST",
    "REDACTED",
    "forget",
    "is_secret_name",
    "learn",
    "learn_named",
    "one_line",
    "scrub",
    "scrub_address",
    "scrub_long",
    "scrub_own",
    "scrub_own_tree",
    "scrub_tree",
    "stored_address",
    "without_query",
]
