"""Real servers that speak Sentry's protocol, on loopback, from a virtual environment of their own.

**Bugsink** keeps events and groups them to issues. It takes and ignores every other item: attachments, check-ins,
transactions, logs, sessions, profiles. It answers those with 200 as well, and every envelope with
``X-Sentry-Rate-Limits: 86400:transaction;span:organization``. An event is stored before it is answered; one whose id
it has is taken and ignored.

**Kent** keeps every item of every envelope as it came, checks no key, groups nothing, and forgets all when it stops.
It reads only what comes as ``Content-Type: application/x-sentry-envelope`` (anything but a form will do).

    with bugsink(tmp_path) as server:
        …post to server.dsn…
        [event] = server.wait_events(1)
"""

import base64
import errno
import hashlib
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from waiting import PATIENCE, until

PROJECT = Path(__file__).parents[1]
PROGRAMS = Path(__file__).parent / "servers"
PYTHON = PROJECT / ".sentry-venv" / "bin" / "python"
INSTALLED = PROJECT / ".sentry-venv" / ".installed"

_WITHOUT_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class _Server:
    """A server process on a port of its own, which it keeps, refusing every connection, while it is down."""

    def __init__(self, folder: Path, command: list[str], environment: dict[str, str], health: str) -> None:
        self.folder = folder
        self._command = command
        self._environment = environment
        self._health = health
        self._process: subprocess.Popen[bytes] | None = None
        # Bound and never listening: the port stays ours while nobody answers there.
        self._port_holder = _bound_socket(0)
        self.port: int = self._port_holder.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Up, on the same port and with what it had stored."""
        assert self._process is None, "it is up"
        with closing(_bound_socket(self.port)) as listener, (self.folder / "server.log").open("ab") as log:
            # It listens before the server runs: who comes meanwhile waits, and is not refused.
            listener.listen(128)
            command = [part.replace("SOCKET", str(listener.fileno())) for part in self._command]
            self._process = subprocess.Popen(
                [*_dies_with_parent(), str(PYTHON), *command],
                cwd=self.folder,
                env=self._environment,
                pass_fds=[listener.fileno()],
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            with _WITHOUT_PROXY.open(self.url + self._health, timeout=PATIENCE):
                pass
        except OSError as error:  # refused or cut off where it died, an HTTP status where it is ill
            self.stop()
            raise AssertionError(f"the server did not start: {error}\n{self.log()[-3000:]}") from error

    def stop(self) -> None:
        """Down: connections are refused until it is started again."""
        if self._process is None:
            return
        process, self._process = self._process, None
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)  # its process group: the server and its workers
            process.wait()
        until(self._refuses)  # its workers end a moment later

    def _refuses(self) -> bool:
        with closing(socket.socket()) as connection:
            return connection.connect_ex(("127.0.0.1", self.port)) == errno.ECONNREFUSED

    def close(self) -> None:
        """Down for good."""
        self.stop()
        self._port_holder.close()

    def log(self) -> str:
        """What it has printed."""
        return (self.folder / "server.log").read_text(errors="replace")

    def get(self, path: str, **headers: str) -> Any:
        """The JSON that it answers."""
        return self._ask(urllib.request.Request(self.url + path, headers=headers))

    def _ask(self, request: urllib.request.Request) -> Any:
        with _WITHOUT_PROXY.open(request, timeout=PATIENCE) as answer:
            return json.load(answer)


class Bugsink(_Server):
    """A Bugsink with one project."""

    def __init__(self, folder: Path, conf: dict[str, Any], names: dict[str, Any]) -> None:
        arguments = (
            "--bind fd://SOCKET --workers 1 --threads 4 --timeout 120 --no-control-socket --log-level warning"
        )
        super().__init__(folder, ["-m", "gunicorn", *arguments.split(), "bugsink.wsgi"], {}, "/health/ready")
        conf = {"BASE_URL": self.url, "INGEST_STORE_BASE_DIR": str(folder / "ingested"), **conf}
        self._environment = _bugsink_environment(folder, conf)
        self.project: int = names["project"]
        self.token: str = names["token"]
        self.dsn = f"http://{names['key']}@127.0.0.1:{self.port}/{self.project}"
        self.api_url = f"{self.url}/api/canonical/0"

    def events(self) -> list[dict[str, Any]]:
        """The data of every stored event, in the order of arrival."""
        return [
            json.loads(data) for (data,) in self._rows("SELECT data FROM events_event ORDER BY digested_at")
        ]

    def texts(self) -> list[str]:
        """As `events`, each as the text that was stored: to be searched for what must not be in it."""
        return [data for (data,) in self._rows("SELECT data FROM events_event ORDER BY digested_at")]

    def wait_events(self, count: int) -> list[dict[str, Any]]:
        """`events`, as soon as there are so many."""
        return until(lambda: len(found := self.events()) >= count and found)

    def issues(self) -> list[dict[str, Any]]:
        """What its REST API says of every issue, in the order of arrival."""
        return self._api(f"/issues/?project={self.project}")["results"]

    def resolve(self, issue: str) -> dict[str, Any]:
        """Resolve an issue, by its id, through the REST API."""
        return self._api(f"/issues/{issue}/resolve/", b"{}")

    def clear(self) -> None:
        """Forget every issue and event, for the next test of a module."""
        for issue in self.issues():
            request = self._api_request(f"/issues/{issue['id']}/", None, "DELETE")
            with _WITHOUT_PROXY.open(request, timeout=PATIENCE):
                pass

    def _api(self, path: str, body: bytes | None = None) -> Any:
        return self._ask(self._api_request(path, body, "GET" if body is None else "POST"))

    def _api_request(self, path: str, body: bytes | None, method: str) -> urllib.request.Request:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        return urllib.request.Request(self.api_url + path, data=body, headers=headers, method=method)

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(f"file:{self.folder / 'db.sqlite3'}?mode=ro", uri=True)) as connection:
            return connection.execute(query).fetchall()


@dataclass(frozen=True)
class Item:
    """One item of an envelope: its body is bytes where it is an attachment, else what its JSON says."""

    type: str
    header: dict[str, Any]
    body: Any
    envelope: dict[str, Any]


class Kent(_Server):
    """A Kent."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, [str(PROGRAMS / "kent_server.py"), "SOCKET"], _environment(), "/items")
        self.dsn = f"http://public@127.0.0.1:{self.port}/1"

    def items(self) -> list[Item]:
        """Every item it was sent, in the order of arrival."""
        return [_item(shown) for shown in self.get("/items")["items"]]

    def wait_items(self, kind: str, count: int) -> list[Item]:
        """The items of one type, as soon as there are so many."""

        def found() -> list[Item]:
            those = [item for item in self.items() if item.type == kind]
            return those if len(those) >= count else []

        return until(found)

    def clear(self) -> None:
        """Forget every item, for the next test of a module."""
        self._ask(urllib.request.Request(f"{self.url}/api/flush/", data=b"", method="POST"))


@contextmanager
def bugsink(folder: Path, *, most_events_per_5_minutes: int | None = None, **conf: Any) -> Iterator[Bugsink]:
    """A Bugsink that is up, with nothing in it.

    Args:
        folder: An empty one, of its databases and log.
        most_events_per_5_minutes: It answers 429 to what comes after.
        conf: What else goes into its ``BUGSINK`` settings (MAX_EVENT_SIZE=…).
    """
    _need_the_servers()
    template = bugsink_template(Path(os.environ.get("NIGHTBENCH_CACHE", PROJECT / ".cache")))
    folder.mkdir(parents=True, exist_ok=True)
    for path in template.iterdir():
        shutil.copy(path, folder)
    if most_events_per_5_minutes is not None:
        conf["MAX_EVENTS_PER_PROJECT_PER_5_MINUTES"] = most_events_per_5_minutes
    with closing(Bugsink(folder, conf, json.loads((folder / "names.json").read_text()))) as server:
        server.start()
        yield server


@contextmanager
def kent(folder: Path) -> Iterator[Kent]:
    """A Kent that is up, with nothing in it; its log lies in the folder."""
    _need_the_servers()
    folder.mkdir(parents=True, exist_ok=True)
    with closing(Kent(folder)) as server:
        server.start()
        yield server


def bugsink_template(cache: Path) -> Path:
    """The folder that each Bugsink starts from a copy of; made when there is none for this version."""
    made_from = [PROGRAMS / "requirements.txt", PROGRAMS / "bugsink_template.py"]
    key = hashlib.sha256(b"".join(path.read_bytes() for path in made_from)).hexdigest()[:12]
    template = cache / "bugsink" / key
    if template.exists():
        return template
    making = template.with_name(f"{key}-{os.getpid()}")
    making.mkdir(parents=True)
    command = [str(PYTHON), str(PROGRAMS / "bugsink_template.py")]
    names = subprocess.run(
        command, env=_bugsink_environment(making, {}), cwd=making, stdout=subprocess.PIPE, check=True
    )
    (making / "names.json").write_bytes(names.stdout)
    try:
        making.rename(template)
    except OSError:  # another was quicker
        shutil.rmtree(making)
    return template


def _bound_socket(port: int) -> socket.socket:
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    bound.bind(("127.0.0.1", port))
    return bound


def _need_the_servers() -> None:
    if not INSTALLED.exists():
        pytest.skip("the Sentry-compatible servers are not installed: make servers")


def _item(shown: dict[str, Any]) -> Item:
    body = base64.b64decode(shown["body"]) if shown["is_bytes"] else shown["body"]
    return Item(shown["header"]["type"], shown["header"], body, shown["envelope"])


def _environment(**more: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return kept | more


def _bugsink_environment(folder: Path, conf: dict[str, Any]) -> dict[str, str]:
    return _environment(
        PYTHONPATH=str(PROGRAMS),
        DJANGO_SETTINGS_MODULE="bugsink_conf",
        DATABASE_PATH=str(folder / "db.sqlite3"),
        SNAPPEA_DATABASE_PATH=str(folder / "snappea.sqlite3"),
        BUGSINK_CONF=json.dumps(conf),
    )


def _dies_with_parent() -> list[str]:
    """The kernel ends it with the tests, also where those are killed; without setpriv it is ended by `close` alone."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL"] if setpriv else []
