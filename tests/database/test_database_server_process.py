"""The processes of the server: found when they are surely its own, counted with those that have ended."""

import os
import socket
from types import SimpleNamespace

import psutil
import psycopg
import pytest

from nightbench.database.observing import server_process
from nightbench.database.observing.server_process import ServerOutOfSightError, ServerProcesses, Used
from nightbench.load.storage import Stored

_BURN = "SELECT count(*) FROM generate_series(1, 1000000)"


def test_figures_are_of_the_time_between():
    before, after = Used(1.0, 10, 5, Stored(100)), Used(3.5, 3 * 2**20, 2**20, Stored(350, 7))
    figures = after.since(before)
    assert (figures.cpu_seconds, figures.memory_mib) == (2.5, 4.0)
    assert (figures.read_bytes, figures.written_bytes) == (250, None)


def test_what_a_connection_used_is_not_lost_when_it_ends(postgres):
    with psycopg.connect(postgres.dsn) as watching:
        processes = ServerProcesses(watching)
        before = processes.used()
        with psycopg.connect(postgres.dsn) as working:
            working.execute(_BURN)
            backend = psutil.Process(working.info.backend_pid)
        psutil.wait_procs([backend], timeout=10)
        figures = processes.used().since(before)
    assert figures.cpu_seconds >= 0.02
    assert figures.memory_mib > 5


def test_one_that_ends_while_the_others_are_read_is_counted_once(postgres, monkeypatch):
    working = object()
    ended = iter([1.0, 4.0, 4.0, 4.0])  # before and after each reading: it ends in the first, unseen

    class Postmaster:
        children = staticmethod(iter([[], [working]]).__next__)

        def cpu_times(self):
            return SimpleNamespace(user=1.5, system=0.5, children_user=next(ended), children_system=0.0)

    monkeypatch.setattr(
        server_process, "_used", lambda of: Used(0.5 if of is working else 2.0, 0, 0, Stored())
    )
    with psycopg.connect(postgres.dsn) as connection:
        processes = ServerProcesses(connection)
        processes._postmaster = Postmaster()
        assert processes.used().cpu_seconds == 4.0 + 2.0 + 0.5


def test_another_connection_leads_to_the_same_server(postgres):
    with psycopg.connect(postgres.dsn) as one, psycopg.connect(postgres.dsn) as other:
        assert ServerProcesses(one).is_that_of(other)


class Tunnel:
    """A connection whose socket is another one than that of the server's process."""

    def __init__(self, connection, wire):
        self.info = connection.info
        self.fileno = wire.fileno


def test_a_process_with_the_same_number_is_not_taken_for_the_server(postgres):
    with psycopg.connect(postgres.dsn) as connection, socket.socket() as wire:
        wire.bind(("127.0.0.1", 0))
        with pytest.raises(ServerOutOfSightError, match="not on this machine"):
            ServerProcesses(Tunnel(connection, wire))


@pytest.mark.skipif(not hasattr(socket, "SO_PEERCRED"), reason="only Linux tells who listens")
def test_a_unix_socket_leads_to_the_server_only_when_that_listens(postgres):
    one, other = socket.socketpair(socket.AF_UNIX)
    with psycopg.connect(postgres.dsn) as connection, one, other:
        with pytest.raises(ServerOutOfSightError, match="not on this machine"):
            ServerProcesses(Tunnel(connection, one))  # this process is at its other end
        assert server_process._peer(one) == os.getpid()


@pytest.mark.parametrize("pid", [1, 2**22 + 1], ids=["something else", "nobody"])
def test_a_process_that_is_no_postgresql_is_none(pid):
    class Elsewhere:
        class info:  # noqa: N801
            backend_pid = pid

    with pytest.raises(ServerOutOfSightError):
        ServerProcesses(Elsewhere())
