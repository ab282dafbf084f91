"""The process that `fork_server` starts: ``python -m nightbench.load.forking SERVER ASKING MODULE…``.

`SERVER` and `ASKING` are the descriptors of both ends of the socket on which it is asked; what it forks asks at the
second. It has one thread and no event loop, so that a fork of it is as good as a new process. It ends when its
standard input does: whoever began the night is gone, and the generators see that for themselves.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn

from nightbench.load.child_side import import_quickly, main, raise_file_limit
from nightbench.load.fork_server import NUMBER, ORDER_BYTES, adopt

_MOST_DESCRIPTORS = 64
_OF_THE_PROCESS = 3
"""Standard input, output and errors; the next is where its parent hears of it, the rest are slots that it holds."""


class ForkServer:
    """Forks what it is asked for, one process after the other."""

    def __init__(self, server: socket.socket, asking: socket.socket) -> None:
        self._server = server
        self._asking = asking
        self._children: dict[int, socket.socket] = {}
        self._selector = selectors.DefaultSelector()
        self._woken, self._waker = os.pipe()

    def serve(self) -> None:
        """Fork until standard input ends."""
        os.set_blocking(self._waker, False)
        signal.set_wakeup_fd(self._waker)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._selector.register(sys.stdin.fileno(), selectors.EVENT_READ)
        self._selector.register(self._woken, selectors.EVENT_READ, self._collect)
        self._selector.register(self._server, selectors.EVENT_READ, self._fork)
        while True:
            for key, _ in self._selector.select():
                if key.data is None:
                    return
                key.data()

    def _fork(self) -> None:
        order, descriptors, flags, _ = socket.recv_fds(self._server, ORDER_BYTES, _MOST_DESCRIPTORS)
        # some are missing where too many files are open
        if len(descriptors) > _OF_THE_PROCESS and not flags & socket.MSG_CTRUNC:
            control = socket.socket(fileno=descriptors[_OF_THE_PROCESS])
            if not (pid := _forked()):
                control.close()  # its end tells of the server's
                self._become(order.decode().strip(), descriptors[:_OF_THE_PROCESS])
            self._tell_of(pid, control)
            del descriptors[_OF_THE_PROCESS]
        for descriptor in descriptors:
            os.close(descriptor)

    def _tell_of(self, pid: int, control: socket.socket) -> None:
        """Tell who asked of the new process; of none where there is none, and one is started there."""
        try:
            descriptor = os.pidfd_open(pid)
        except OSError:
            control.close()
            return
        self._children[pid] = control
        with contextlib.suppress(OSError):
            socket.send_fds(control, [NUMBER.pack(pid)], [descriptor])
        os.close(descriptor)

    def _become(self, generator: str, standard: Sequence[int]) -> NoReturn:
        """Be the generator from now on."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.setsid()
            self._let_go()
            for number, descriptor in enumerate(standard):
                os.dup2(descriptor, number)
                os.close(descriptor)
            adopt(self._asking)
            main(generator)
            code = 0
        except BaseException:  # noqa: BLE001  # it may not return into the server
            traceback.print_exc()
        finally:
            with contextlib.suppress(OSError):
                sys.stderr.flush()
            os._exit(code)

    def _let_go(self) -> None:
        """Close what is the server's: each child would keep the others' alive."""
        self._selector.close()
        self._server.close()
        os.close(self._woken)
        os.close(self._waker)
        for control in self._children.values():
            control.close()

    def _collect(self) -> None:
        """Tell of those that have ended."""
        os.read(self._woken, 4096)
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                pid, status = ended
                if control := self._children.pop(pid, None):
                    with control, contextlib.suppress(OSError):  # who does not listen any more does not mind
                        control.send(NUMBER.pack(os.waitstatus_to_exitcode(status)))


def _forked() -> int:
    """As `os.fork` has it; -1 where there can be no process."""
    try:
        return os.fork()
    except OSError:
        return -1


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise_file_limit()
    for module in sys.argv[3:]:
        import_quickly(module)
    ForkServer(socket.socket(fileno=int(sys.argv[1])), socket.socket(fileno=int(sys.argv[2]))).serve()
    os._exit(0)
