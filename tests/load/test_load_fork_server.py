"""Load generators forked from a process that has imported what they need."""

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest
from load import child_generators
from processes import generates_load, survivors
from waiting import until

from nightbench.errors import MeasurementError
from nightbench.load import fork_server as fork_server_module
from nightbench.load.child import run_in_child, start_child
from nightbench.load.fork_server import fork_server
from nightbench.slots.inherited import inherited

TESTS = Path(__file__).parents[1]
RARE = "colorsys"
"""A module that no generator imports."""


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(TESTS))
    monkeypatch.setattr(fork_server_module, "_ENDS_WITHIN_SECONDS", 0.5)  # some are stopped, and will not


@asynccontextmanager
async def serving():
    """A server, and the process that it is."""
    before = set(psutil.Process().children())
    async with fork_server([RARE]):
        (server,) = set(psutil.Process().children()) - before
        yield server
    assert not server.is_running()


async def run(generator, spec=None, *, stop=None, heard=None, patience=60.0):
    return await run_in_child(
        generator,
        spec,
        on_progress=lambda _: heard is not None and heard.set(),
        stop=stop or asyncio.Event(),
        grace=5.0,
        patience=patience,
    )


def served(*asked, **how):
    """What becomes of a generator that is forked, and the server."""

    async def main():
        async with serving() as server:
            return server, await run(*asked, **how)

    return asyncio.run(main())


def test_it_is_a_child_of_the_server_with_a_result_of_its_own():
    server, result = served(child_generators.echo, {"users": 3})
    assert result["spec"] == {"users": 3}
    assert result["parent"] == server.pid
    assert not psutil.pid_exists(result["pid"])


def test_it_has_what_the_server_has_imported():
    assert served(child_generators.known, [RARE, "imaplib"])[1] == [RARE]


def test_what_it_starts_is_forked_too():
    server, result = served(child_generators.with_a_child, 5)
    assert (result["spec"], result["parent"]) == (5, server.pid)


def test_its_last_words_and_its_exit_code_are_heard():
    with pytest.raises(MeasurementError, match=r"exit code 7\): last words"):
        served(child_generators.killed)


def test_one_that_ends_early_has_its_result(tmp_path):
    async def main():
        async with serving():
            stop = asyncio.Event()
            running = asyncio.create_task(
                run(child_generators.until_stopped, str(tmp_path / "pid"), stop=stop)
            )
            await asyncio.to_thread(until, (tmp_path / "pid").exists)
            stop.set()
            return await running

    assert asyncio.run(main()) == "stopped early"


def test_one_that_hangs_is_killed(tmp_path):
    with pytest.raises(MeasurementError, match="said nothing"):
        served(child_generators.hanging, str(tmp_path / "pid"), patience=0.5)
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))


def test_one_that_is_never_told_anything_ends_in_silence():
    async def main():
        async with serving():
            process = await start_child("load.child_generators:echo")
            process.stdin.close()
            said = await process.stdout.read(), await process.stderr.read()
            return await process.wait(), process.returncode, said

    assert asyncio.run(main()) == (0, 0, (b"", b""))


def test_without_the_server_one_is_started():
    async def main():
        async with serving() as server:
            server.kill()
            return await run(child_generators.echo)

    assert asyncio.run(main())["parent"] == os.getpid()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_generator_goes_on_to_its_end_without_the_server(how):
    async def main():
        async with serving() as server:
            begun = asyncio.Event()
            running = asyncio.create_task(run(child_generators.steady, 10, heard=begun))
            await begun.wait()
            server.send_signal(how)
            return await running

    assert asyncio.run(main()) == "done"


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_one_that_hangs_is_killed_without_the_server(how, tmp_path):
    async def main():
        async with serving() as server:
            begun = asyncio.Event()
            asked = run(child_generators.hanging, str(tmp_path / "pid"), heard=begun, patience=0.5)
            running = asyncio.create_task(asked)
            await begun.wait()
            server.send_signal(how)
            await running

    with pytest.raises(MeasurementError, match="said nothing"):
        asyncio.run(main())
    assert not runs(int((tmp_path / "pid").read_text()))


def test_a_server_that_does_not_answer_is_none_any_more(monkeypatch):
    monkeypatch.setattr(fork_server_module, "_ANSWERS_WITHIN_SECONDS", 0.1)

    async def main():
        async with serving() as server:
            server.suspend()
            first = await run(child_generators.echo)
            server.resume()
            return [first, await run(child_generators.echo)]

    assert [result["parent"] for result in asyncio.run(main())] == [os.getpid()] * 2


def test_what_the_server_cannot_take_in_is_started_and_the_next_is_forked():
    async def main():
        async with serving() as server:
            await run(child_generators.echo)
            before = server.rlimit(psutil.RLIMIT_NOFILE)
            server.rlimit(psutil.RLIMIT_NOFILE, (3, before[1]))  # it has more already
            first = await run(child_generators.echo)
            server.rlimit(psutil.RLIMIT_NOFILE, before)
            return [first, await run(child_generators.echo)], server

    results, server = asyncio.run(main())
    assert [result["parent"] for result in results] == [os.getpid(), server.pid]


def test_a_name_that_is_too_long_for_an_order_is_started():
    async def main():
        async with serving():
            process = await start_child(f"load.child_generators:{'x' * 300}")
            await process.communicate()
            return process

    assert isinstance(asyncio.run(main()), asyncio.subprocess.Process)


def test_it_holds_the_slots_of_its_run_and_the_server_does_not(tmp_path):
    slot = tmp_path / "slot"

    async def main():
        with slot.open("w") as file, inherited([file.fileno()]):
            async with serving() as server:
                process = await start_child("load.child_generators:echo")
                until(lambda: not has_open(server, slot))  # as soon as it has handed them on
                holds = has_open(psutil.Process(process.pid), slot)
                process.stdin.close()
                await process.wait()
                return holds

    assert asyncio.run(main())


def runs(pid):
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def has_open(process, path):
    return str(path) in {file.path for file in process.open_files()}


def test_nothing_is_left_when_the_run_is_killed(tmp_path):
    code = (
        "import asyncio, sys\n"
        "from load import child_generators\n"
        "from nightbench.load.child import run_in_child\n"
        "from nightbench.load.fork_server import fork_server\n"
        "async def main():\n"
        "    async with fork_server([]):\n"
        "        await run_in_child(child_generators.until_stopped, sys.argv[1],\n"
        "            on_progress=print, stop=asyncio.Event(), grace=60)\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "pid")]) as run:
        until((tmp_path / "pid").exists)
        family = psutil.Process(run.pid).children(recursive=True)
        server_and_generator = [generates_load(process) for process in family]
        run.kill()
    assert server_and_generator == [False, True]
    assert survivors(family) == []
