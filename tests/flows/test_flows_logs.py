"""What is logged and raised in flows and tasks, read back from a Prefect server: no secret."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest

from nightbench.errors import ConfigurationError
from nightbench.scrubbed_logs import ScrubbingFilter

SECRET = "hunter2secret"
DSN = f"postgresql://app:{SECRET}@db.example.org/app"


class Chatty:
    def __str__(self) -> str:
        return f"password={SECRET}"

    __repr__ = __str__


def fail_with_cause():
    try:
        raise ValueError(DSN)  # noqa: TRY301  # the cause of the next
    except ValueError as error:
        raise RuntimeError("it broke") from error


def fail_in_a_group():
    raise ExceptionGroup("many", [OSError(DSN), ValueError(f"token={SECRET}")])


def fail_with_a_note():
    error = KeyError("plain")
    error.add_note(f"Authorization: Bearer {SECRET}")
    raise error


def fail_by_a_setting():
    raise ConfigurationError("--dsn", DSN, f"cannot be used: password={SECRET}")


def exit_with_a_word():
    raise SystemExit(f"api_key={SECRET}")


FAILURES = [fail_with_cause, fail_in_a_group, fail_with_a_note, fail_by_a_setting]


async def told(prefect_server):
    """Run a flow that says and raises it in every way; return the ids of its runs."""
    from prefect import flow, get_run_logger, task
    from prefect.settings import temporary_settings

    from tasks.scrubbed import scrubbed
    from tasks.scrubbed_logs import scrub_logs

    @task
    @scrubbed
    async def step(fail):
        fail()

    @flow(log_prints=True)
    @scrubbed
    async def leaky():
        logger = get_run_logger()
        logger.info(f"plain {DSN}")  # noqa: G004  # as others write it
        logger.warning("lazy %s and %s", DSN, Chatty())
        logger.error("named %(dsn)s", {"dsn": DSN})
        logger.info("stack", stack_info=True, extra={"dsn": DSN})
        logger.info(Chatty())
        logging.getLogger("prefect.flow_runs").warning("of a library: %s", DSN)
        print(f"printed {DSN}")  # noqa: T201  # Prefect logs it
        try:
            fail_with_cause()
        except RuntimeError:
            logger.exception("caught, at %s", DSN)
        for fail in FAILURES:
            await step(fail, return_state=True)
        fail_with_cause()

    scrub_logs()
    with temporary_settings(updates={"api.url": prefect_server.api_url, "logging.to_api.enabled": True}):
        state = await leaky(return_state=True)
        from prefect.logging.handlers import APILogWorker

        await asyncio.to_thread(APILogWorker.drain_all)
    return state.state_details.flow_run_id


@pytest.fixture
def _everything_is_logged():
    logger = logging.getLogger("prefect")  # which an earlier flow of a terminal may have made quiet
    before = logger.level
    logger.setLevel(logging.INFO)
    yield
    logger.setLevel(before)


@pytest.mark.usefixtures("_everything_is_logged")
def test_nothing_that_is_logged_or_raised_is_secret_on_the_server(api, prefect_server):
    run = str(asyncio.run(told(prefect_server)))

    logs = api("logs/filter", logs={"flow_run_id": {"any_": [run]}}, limit=200)
    kept = {
        "logs": logs,
        "flow runs": api("flow_runs/filter", flow_runs={"id": {"any_": [run]}}),
        "task runs": api("task_runs/filter", flow_runs={"id": {"any_": [run]}}),
    }
    text = json.dumps(logs)
    for said in ("plain", "lazy", "named", "of a library", "printed", "caught", "stack"):
        assert said in text
    assert "it broke" in json.dumps(kept["flow runs"])
    for what, each in kept.items():
        assert SECRET not in json.dumps(each), what


@pytest.mark.parametrize("fail", [*FAILURES, exit_with_a_word], ids=lambda each: each.__name__)
def test_what_a_step_raises_holds_no_secret(fail):
    import traceback

    from tasks.scrubbed import scrubbed

    @scrubbed
    async def step():
        fail()

    with pytest.raises(BaseException) as raised:  # noqa: PT011  # whatever it is
        asyncio.run(step())
    error = raised.value
    assert SECRET not in "".join(traceback.format_exception(error))
    assert SECRET not in repr((vars(error), error.args, getattr(error, "code", None)))


def record(message: object, *args: object, **more: object) -> logging.LogRecord:
    made = logging.LogRecord("any", logging.INFO, __file__, 1, message, args, None)
    vars(made).update(more)
    return made


class Unreadable:
    def __str__(self) -> str:
        raise RuntimeError(SECRET)


@pytest.mark.parametrize(
    "made",
    [
        record("at %s", DSN),
        record(DSN),
        record("a", exc_text=f"Traceback: {DSN}"),
        record("a", stack_info=f"Stack: {DSN}"),
        record("a", dsn=DSN, more={"token": SECRET}),
        record("a", error=ValueError(DSN), raw=DSN.encode(), some={DSN}),
        record("%d", DSN),
        record(Unreadable()),
    ],
)
def test_a_record_comes_out_without_secrets_and_is_never_lost(made):
    assert ScrubbingFilter().filter(made)
    assert SECRET not in json.dumps({name: repr(value) for name, value in vars(made).items()})
    assert logging.Formatter().format(made)


def test_a_harmless_record_stays_as_it_was():
    made = record("all is well", night="20260101T031500Z-nightly-abc123", number=3)
    assert ScrubbingFilter().filter(made)
    assert made.getMessage() == "all is well"
    assert (made.night, made.number) == ("20260101T031500Z-nightly-abc123", 3)
