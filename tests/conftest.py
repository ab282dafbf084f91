"""What holds for every test."""

import gc
import os
import shutil
import signal
import tempfile
from pathlib import Path

import pytest

# In the project, wherever a test stands when Hypothesis comes to it first.
os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(Path(__file__).parents[1] / ".hypothesis"))

from hypothesis import HealthCheck, settings
from scheduling import Scheduling, rank

from nightbench.scrub import forget

# What is imported and collected stays: to look through all of it again and again takes a third of the time.
gc.disable()

settings.register_profile(
    "nightbench",
    deadline=None,  # a wall time says nothing on a busy machine
    suppress_health_check=[HealthCheck.too_slow],  # nor does how long it takes to draw
    derandomize=True,  # what passed passes again; new examples are looked for with --hypothesis-profile=search
)
settings.register_profile(
    "search", settings.get_profile("nightbench"), derandomize=False, max_examples=3000, print_blob=True
)
settings.load_profile("nightbench")

# Under nohup or in the background of a shell some signals are ignored, and every process that a test starts
# would inherit that.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGTERM, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)

# The settings of whoever runs the tests are not theirs: an exported DSN would be sent the alerts of the tests,
# a proxy asked for what lies on loopback, a database of PGHOST loaded, and a terminal's wishes coloured or
# wrapped what tests read.
_SETTINGS = ("NIGHTBENCH_", "PREFECT_", "SENTRY_", "PG", "CLICOLOR")
_OF_THE_TERMINAL = {
    "NO_COLOR",
    "FORCE_COLOR",
    "COLORTERM",
    "COLUMNS",
    "LINES",
    "TTY_COMPATIBLE",
    "TTY_INTERACTIVE",
}
for name in list(os.environ):
    is_setting = name.startswith(_SETTINGS) and name != "NIGHTBENCH_CACHE"
    if is_setting or name in _OF_THE_TERMINAL or name.lower().endswith("_proxy"):
        del os.environ[name]

# Runs of tests that go on side by side load subjects of their own, whatever their addresses, and wait for nobody's.
_slots = tempfile.TemporaryDirectory(prefix="slots-", ignore_cleanup_errors=True)
os.environ["NIGHTBENCH_RUN__SLOTS"] = _slots.name

if "NIGHTBENCH_CACHE" in os.environ:
    os.environ["NIGHTBENCH_CACHE"] = str(Path(os.environ["NIGHTBENCH_CACHE"]).absolute())

# Prefect keeps what a flow run raised in its home, and reads where that is when it is imported: by a test.
PREFECT_HOME = (
    Path(os.environ.get("NIGHTBENCH_CACHE") or Path(__file__).parents[1] / ".cache").absolute()
    / f"prefect-home-{os.getpid()}"
)
os.environ["PREFECT_HOME"] = str(PREFECT_HOME)
os.environ["PREFECT_LOCAL_STORAGE_PATH"] = str(PREFECT_HOME / "storage")


@pytest.fixture(autouse=True, scope="session")
def _elsewhere(tmp_path_factory):
    """Tests stand in an empty folder: a ``nightbench.toml`` that lies where they were started is not theirs."""
    before = Path.cwd()
    os.chdir(tmp_path_factory.mktemp("elsewhere"))
    yield
    os.chdir(before)


@pytest.fixture(autouse=True, scope="session")
def _prefect_home():
    PREFECT_HOME.mkdir(parents=True, exist_ok=True)
    yield
    shutil.rmtree(PREFECT_HOME)


@pytest.fixture(autouse=True)
def out_of_sight():
    """What was collected stays out of the garbage collector's sight, unless a test undoes it.

    A load generator that runs in this process would give it back at its end, and each one after it look through
    all of it again.
    """
    freeze = gc.freeze
    with pytest.MonkeyPatch.context() as patch:
        for name in ("freeze", "unfreeze"):
            patch.setattr(gc, name, lambda: None)
        yield patch
        if gc.freeze is freeze:
            freeze()


@pytest.fixture(autouse=True)
def _strangers():
    """No test knows the secrets of another's settings."""
    yield
    forget()


def pytest_configure(config):
    config.addinivalue_line(
        "markers",
        "greedy: takes a core or two from whatever runs beside it, and does not mind what does (part of make test)",
    )


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection():
    result = yield
    gc.freeze()
    gc.enable()
    return result


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: rank(item.nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return Scheduling(config, log) if config.getoption("dist") == "loadfile" else None
