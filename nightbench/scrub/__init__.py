"""One scrubber for every text that leaves the machine or is stored: logs, results, alerts, reports, terminal."""

from nightbench.scrub.addresses import scrub_address, stored_address, without_query
from nightbench.scrub.text import REDACTED, scrub
from nightbench.scrub.tree import scrub_tree

__all__ = ["REDACTED", "scrub", "scrub_address", "scrub_tree", "stored_address", "without_query"]
