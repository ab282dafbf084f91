"""The command that makes tokens: what it is told, what is no token, and nothing of it stays, however it ends."""

import asyncio
import os
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest
from bringing import SECRET, Bad, plan_of, refused
from processes import survivors

from nightbench.errors import ConfigurationError, NotBegunError
from nightbench.measurement import RunLabel
from nightbench.plan import TokenSource
from nightbench.subject import Subject
from nightbench.websocket import load_test
from nightbench.websocket.tokens import read_tokens

pytestmark = pytest.mark.usefixtures("in_a_folder")


def python(code):
    return [sys.executable, "-c", code]


def tokens_of(command, users=1, **options):
    return asyncio.run(read_tokens(TokenSource(command=command), users, (), **options))


def test_a_command_is_told_how_many_users_there_are():
    code = "import os\nfor user in range(int(os.environ['NIGHTBENCH_USERS'])): print('t', user, sep='')"
    assert tokens_of(python(code), 3) == ("t0", "t1", "t2")


def test_what_a_command_says_on_stderr_is_no_token():
    code = "import sys; print('deprecated', file=sys.stderr, flush=True); print('t')"
    assert tokens_of(python(code), 3) == ("t",)


def test_a_command_may_print_more_than_a_pipe_holds():
    assert tokens_of(python("for user in range(20_000): print('t', user, sep='')"))[19_999] == "t19999"


def bad(code, *says):
    return Bad({"tokens": {"command": python(code)}}, [f"tokens.command = '{sys.executable}'", *says])


BAD = {
    "does not exist": Bad(
        {"tokens": {"command": ["no-such-program", SECRET]}},
        ["tokens.command = 'no-such-program'", "cannot be run: no such file"],
    ),
    "is a folder": Bad({"tokens": {"command": ["/"]}}, ["tokens.command = '/'", "cannot be run: permission"]),
    "fails": bad(f"print('{SECRET}'); exit(3)", "ended with exit code 3", "by hand"),
    "says why on stderr": bad(
        f"import sys; print('{SECRET}', file=sys.stderr); exit(3)", "ended with exit code 3"
    ),
    "is killed": bad("import os; print('t', flush=True); os.kill(os.getpid(), 9)", "ended with exit code -9"),
    "prints nothing": bad("pass", "gives no token"),
    "prints sentences": bad(f"print('your token: {SECRET}')", "line 1 is no token"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_command_that_gives_no_token_is_told_before_any_load(case):
    refused(BAD[case])


def test_a_command_is_not_run_for_a_plan_that_cannot_be_used():
    Path("it.csv").write_text("a\n")
    refused(Bad({"data": "it.csv", "tokens": {"command": ["touch", "was-run"]}}, ["data = 'it.csv'"]))
    assert not Path("was-run").exists()


def test_a_command_that_prints_without_end_is_ended(monkeypatch):
    monkeypatch.setattr("nightbench.websocket.token_command.MOST_BYTES", 2**20)
    code = "import sys\nwhile True: sys.stdout.write('t\\n' * 10_000)"
    with pytest.raises(ConfigurationError, match=r"tokens.command = .* prints more than 1 MiB"):
        tokens_of(python(code), command_seconds=60)


def test_a_command_that_has_said_all_and_does_not_end_is_ended():
    code = "import os, threading\nprint('t', flush=True)\nos.close(1)\nthreading.Event().wait()"
    with pytest.raises(ConfigurationError, match=r"took longer than 1 s"):
        tokens_of(python(code), command_seconds=1)


BEGUN = "open('begun', 'w').write(f'{os.getpid()} {child.pid}')\nthreading.Event().wait()\n"
CHILD = (
    "import os, subprocess, sys, threading\n"
    "command = [sys.executable, '-c', 'import threading; threading.Event().wait()']\n"
)
WITH_A_CHILD = f"{CHILD}child = subprocess.Popen(command)\n{BEGUN}"
"""The child holds its output open too. It says both pids, to a pipe in the tests that wait for them."""

COMMANDS = {
    "prints nothing": WITH_A_CHILD,
    "prints all the time": WITH_A_CHILD.replace(
        "threading.Event().wait()\n", "while True: print('t', flush=True)\n"
    ),
    "has said all": f"{CHILD}child = subprocess.Popen(command, stdout=subprocess.DEVNULL)\n"
    f"print('t', flush=True)\nos.close(1)\n{BEGUN}",
}


async def begun():
    """The processes of a command that has just begun."""
    pids = (await asyncio.to_thread(Path("begun").read_text)).split()
    return [psutil.Process(int(pid)) for pid in pids]


def load(code, stop):
    """A load test that wants tokens of such a command; nothing listens at its subject."""
    return asyncio.create_task(
        load_test.run(
            plan_of(tokens={"command": python(code)}),
            Subject(websocket_url="ws://127.0.0.1:9/chat"),
            RunLabel("full", "night", "test"),
            on_progress=lambda _: None,
            stop=stop,
        )
    )


@pytest.mark.parametrize("case", COMMANDS)
def test_a_run_that_is_stopped_while_a_command_runs_ends_with_it(case):
    async def main():
        os.mkfifo("begun")
        stop = asyncio.Event()
        run = load(COMMANDS[case], stop)
        processes = await begun()
        stop.set()
        with pytest.raises(NotBegunError):  # and not for the time that it took
            await run
        return survivors(processes)

    assert asyncio.run(main()) == []


@pytest.mark.parametrize("case", COMMANDS)
def test_a_run_that_is_cancelled_while_a_command_runs_ends_it(case):
    async def main():
        os.mkfifo("begun")
        run = load(COMMANDS[case], asyncio.Event())
        processes = await begun()
        run.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await run
        assert caught.value.__cause__ is None  # nobody asked it to end early
        return survivors(processes)  # while this loop runs, which ends nothing by itself

    assert asyncio.run(main()) == []


def test_what_a_command_left_to_others_holds_up_nothing():
    elsewhere = WITH_A_CHILD.replace("Popen(command)", "Popen(command, start_new_session=True)")

    async def main():
        os.mkfifo("begun")
        stop = asyncio.Event()
        run = load(elsewhere, stop)
        command, daemon = await begun()
        try:
            stop.set()
            with pytest.raises(NotBegunError):
                await run
            assert survivors([command]) == []
            assert daemon.is_running()  # with the output in its hands; it is no business of ours
        finally:
            daemon.kill()

    asyncio.run(main())


def test_a_run_that_is_stopped_before_it_has_begun_runs_no_command():
    async def main():
        stop = asyncio.Event()
        stop.set()
        with pytest.raises(NotBegunError):
            await load("open('was-run', 'w')", stop)

    asyncio.run(main())
    assert not Path("was-run").exists()


@pytest.mark.parametrize("case", COMMANDS)
def test_a_command_that_takes_too_long_is_ended_with_all_that_it_began(case, monkeypatch):
    async def main():
        os.mkfifo("begun")
        limit, entered = asyncio.Timeout(None), asyncio.Event()

        @asynccontextmanager
        async def limited(_seconds):
            async with limit:
                entered.set()
                yield

        monkeypatch.setattr(asyncio, "timeout", limited)
        source = TokenSource(command=python(COMMANDS[case]))
        reading = asyncio.create_task(read_tokens(source, 1, ()))
        processes = await begun()
        await entered.wait()  # it may have begun before it is known here that it has been started
        limit.reschedule(asyncio.get_running_loop().time())
        with pytest.raises(ConfigurationError, match="took longer than 30 s"):
            await reading
        return survivors(processes)

    assert asyncio.run(main()) == []


def test_of_a_command_only_the_program_is_stored():
    source = TokenSource(command=("mint", "--password", SECRET))
    assert source.model_dump(mode="json")["command"] == ["mint", "***", "***"]
    assert source.command == ("mint", "--password", SECRET)
