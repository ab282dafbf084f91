"""Programs that begin with all imported that takes long: each is a fork of one process that has imported it.

To start an interpreter and import nightbench takes two seconds of CPU, which is more than most programs that tests
start do then. A fork has its own memory, environment, files and end, as any process has. What has to be imported in the
environment of a program (Prefect) is not imported before.
"""

import atexit
import gc
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path

SUITE = (
    *("nightbench.cli.suite", "nightbench.cli.websocket", "nightbench.cli.terminal", "nightbench.night"),
    *("nightbench.history.store", "nightbench.report.summary", "nightbench.report.progress"),
)
"""What the command of one suite imports."""

REFERENCE = ("nightbench.cli.reference", "nightbench.reference.supervisor")
"""What the reference backend imports."""

NIGHTBENCH = ("-m", "nightbench")
"""The command line, as an interpreter is asked for it."""

_MOST = 2**16
"""Bytes of a program's arguments and environment."""
_STREAMS = ("stdin", "stdout", "stderr")


class Program:
    """A program that was started, with what tests need of a `subprocess.Popen`.

    Attributes:
        pid: Of its process.
        stdin: The writing end of its standard input, where that is a pipe; `stdout` and `stderr` are the reading ends.
    """

    def __init__(self, pid, code_of, ends, *, text):
        self.pid = pid
        self._end = os.pidfd_open(pid)
        self._code_of = code_of
        self.returncode = None
        kind = "" if text else "b"
        opened = {name: open(end, ("w" if name == "stdin" else "r") + kind) for name, end in ends.items()}  # noqa: SIM115, PTH123
        self.stdin, self.stdout, self.stderr = (opened.get(name) for name in _STREAMS)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for stream in (self.stdin, self.stdout, self.stderr):
            if stream:
                stream.close()
        self.wait()

    def poll(self):
        """Its exit code, less than nothing for a signal; None while it runs."""
        if self.returncode is None and select.select([self._end], [], [], 0)[0]:
            self._collect()
        return self.returncode

    def wait(self, timeout=None):
        """Its exit code, once it has ended."""
        if self.returncode is None:
            if not select.select([self._end], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout)
            self._collect()
        return self.returncode

    def send_signal(self, number):
        """Send it a signal, if it has not ended."""
        if self.poll() is None:
            signal.pidfd_send_signal(self._end, number)

    def kill(self):
        """End it, if it has not ended."""
        self.send_signal(signal.SIGKILL)

    def communicate(self, timeout=None):
        """What it says on its standard output and error, once it has ended."""
        streams = (self.stdout, self.stderr)
        with ThreadPoolExecutor(2) as pool:
            said = [stream and not stream.closed and pool.submit(stream.read) for stream in streams]
            self.wait(timeout)
        return tuple(each and each.result() for each in said)

    def _collect(self):
        self.returncode = self._code_of(self.pid)
        os.close(self._end)


class Warm:
    """Starts programs."""

    def __init__(self, line):
        self._line = line
        self._codes = {}

    def start(self, *arguments, cwd=None, env=None, text=False, start_new_session=False, **streams):
        """Start a program, a file of Python or ``-m`` and a module, with its arguments: a `Program`.

        `stdin`, `stdout` and `stderr` are file descriptors, `subprocess.PIPE`, or None for nowhere.
        """
        env = dict(os.environ if env is None else env)
        asked = json.dumps(
            [list(map(str, arguments)), str(cwd or Path.cwd()), env, start_new_session]
        ).encode()
        assert len(asked) < _MOST
        given, ours, theirs = [], {}, []
        with Path(os.devnull).open("r+b") as nowhere:
            for name in _STREAMS:
                stream = streams.get(name)
                if stream == subprocess.PIPE:
                    ends = os.pipe() if name == "stdin" else os.pipe()[::-1]
                    stream, ours[name] = ends
                    theirs.append(stream)
                given.append(nowhere.fileno() if stream is None else stream)
            socket.send_fds(self._line, [asked], given)
        for end in theirs:
            os.close(end)
        while isinstance(pid := self._heard(), tuple):
            pass
        return Program(pid, self._code_of, ours, text=text)

    def run(self, *arguments, **how):
        """Run a program until it ends, as `start` has it; its exit code."""
        with self.start(*arguments, **how) as program:
            return program.wait()

    def _code_of(self, pid):
        while pid not in self._codes:
            self._heard()
        return self._codes.pop(pid)

    def _heard(self):
        """The number of a process that was started, or number and code of one that has ended."""
        heard = self._line.recv(_MOST)
        assert heard, "the warm process has ended"
        pid, *code = json.loads(heard)
        if not code:
            return pid
        self._codes[pid] = code[0]
        return pid, code[0]


@contextmanager
def warm(*modules):
    """A process that has imported `modules`."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with (
        ours,
        theirs,
        subprocess.Popen(
            [sys.executable, __file__, str(theirs.fileno()), *modules],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # else it would be a terminal's to what is forked, now and then
            pass_fds=[theirs.fileno()],
        ) as process,
    ):
        theirs.close()
        yield Warm(ours)
        ours.close()  # which ends it
        assert process.wait(60) == 0


@cache
def nightbench():
    """The process that has imported what nightbench's commands do; it lives as long as this one."""
    context = warm(*SUITE, *REFERENCE, "builders")
    atexit.register(partial(context.__exit__, None, None, None))
    return context.__enter__()


def _serve(line):
    """Fork for each program that is asked for; returns in the fork with the program's arguments, else when all is done."""
    running = {}
    while True:
        for ready in select.select([line, *running], [], [])[0]:
            if ready is line:
                asked, files, _, _ = socket.recv_fds(line, _MOST, len(_STREAMS))
                if not asked:
                    return None
                child = os.fork()
                if not child:
                    for ours in (line.fileno(), *running):
                        os.close(ours)
                    return _become(files, *json.loads(asked))
                for file in files:
                    os.close(file)
                running[os.pidfd_open(child)] = child
                line.send(json.dumps([child]).encode())
            else:
                child = running.pop(ready)
                os.close(ready)
                _, status = os.waitpid(child, 0)
                line.send(json.dumps([child, os.waitstatus_to_exitcode(status)]).encode())


def _become(files, arguments, folder, environment, new_session):
    """Stand where the program would; its arguments."""
    for ours, given in enumerate(files):
        os.dup2(given, ours)
        os.close(given)
    if new_session:
        os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    return arguments


if __name__ == "__main__":
    gc.disable()
    for module in sys.argv[2:]:
        __import__(module)
    gc.freeze()
    gc.enable()
    if program := _serve(socket.socket(fileno=int(sys.argv[1]))):
        # its end is the end of the fork, by the interpreter
        if program[0] == "-m":
            sys.argv = program[1:]
            runpy.run_module(program[1], run_name="__main__", alter_sys=True)
        else:
            sys.argv = program
            runpy.run_path(program[0], run_name="__main__")
