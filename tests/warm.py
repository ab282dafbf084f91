"""Programs that begin with all imported that takes long: each is a fork of one process that has imported it.

To start an interpreter and import nightbench takes two seconds of CPU, which is more than most programs that tests
start do then. A fork has its own memory, environment, files and end, as any process has. What has to be imported in the
environment of a program (Prefect) is not imported before.
"""

import json
import os
import runpy
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

SUITE = (
    *("nightbench.cli.suite", "nightbench.cli.websocket", "nightbench.cli.terminal", "nightbench.night"),
    *("nightbench.history.store", "nightbench.report.summary", "nightbench.report.progress"),
)
"""What the command of one suite imports."""

_MOST = 2**16
"""Bytes of a program's arguments and environment."""


class Warm:
    """Runs programs, one after the other."""

    def __init__(self, line):
        self._line = line

    def run(self, *arguments, cwd, env, stdout=None, stderr=None):
        """Run a program, a file of Python, with its arguments until it ends; its exit code.

        `stdout` and `stderr` are file descriptors, or None for nowhere.
        """
        with Path(os.devnull).open("r+b") as nowhere:
            files = [nowhere.fileno(), *(nowhere.fileno() if fd is None else fd for fd in (stdout, stderr))]
            asked = json.dumps([list(map(str, arguments)), str(cwd), dict(env)]).encode()
            assert len(asked) < _MOST
            socket.send_fds(self._line, [asked], files)
        code = self._line.recv(_MOST)
        assert code, "the warm process has ended"
        return int(code)


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
            pass_fds=[theirs.fileno()],
        ) as process,
    ):
        theirs.close()
        yield Warm(ours)
        ours.close()  # which ends it
        assert process.wait(60) == 0


def _serve(line):
    """Fork for each program that is asked for; returns in the fork with the program's arguments, else when all is done."""
    while True:
        asked, files, _, _ = socket.recv_fds(line, _MOST, 3)
        if not asked:
            return None
        child = os.fork()
        if not child:
            line.close()
            arguments, folder, environment = json.loads(asked)
            for ours, given in enumerate(files):
                os.dup2(given, ours)
                os.close(given)
            os.chdir(folder)
            os.environ.clear()
            os.environ.update(environment)
            return arguments
        for file in files:
            os.close(file)
        _, status = os.waitpid(child, 0)
        line.send(str(os.waitstatus_to_exitcode(status)).encode())


if __name__ == "__main__":
    for module in sys.argv[2:]:
        __import__(module)
    if program := _serve(socket.socket(fileno=int(sys.argv[1]))):
        sys.argv = program
        runpy.run_path(program[0], run_name="__main__")  # its end is the end of the fork, by the interpreter
