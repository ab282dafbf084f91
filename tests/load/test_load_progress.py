"""The progress of a load test in parts."""

from nightbench.load.progress import Progress, combined


def test_progress_of_shards_adds_up():
    part = Progress("websocket", "measure", 1.0, 2.0, active=3, rate=10.0, p95_ms=5.0, failed=1, of=10)
    other = Progress("websocket", "measure", 1.1, 2.0, active=4, rate=20.0, p95_ms=None, failed=0, of=5)
    both = combined([part, other])
    assert (both.active, both.of, both.rate, both.p95_ms, both.failed) == (7, 15, 30.0, 5.0, 1)
