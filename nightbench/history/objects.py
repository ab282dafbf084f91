"""The dataset in an object store, by URL, through fsspec: ``s3://bucket/prefix`` and its kind."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, TypeVar

from nightbench.errors import ConfigurationError
from nightbench.files import reason
from nightbench.history.reach import unanswered
from nightbench.history.storage import Entry, Failed, OutOfReachError, is_hidden
from nightbench.scrub import REDACTED, scrub, scrub_address

_AT_ONCE = 256
"""Objects that are asked for together; they are small, and each answer takes its time."""

_SECRETS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_ADDRESSES = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3")

CONNECT_TIMEOUT = 5
READ_TIMEOUT = 30
ATTEMPTS = 2
"""Seconds and attempts for each request: an address where nobody answers is told within about a minute."""

_UNANSWERED = frozenset(
    {
        *("ConnectionError", "TimeoutError"),  # of Python, aiohttp's and those of botocore
        *("HTTPClientError", "ClientConnectionError", "ServiceRequestError", "ServiceResponseError"),
    }
)
"""Names of exceptions of botocore, aiohttp and azure-core that say that nobody answered."""

_KINDS = (FileNotFoundError, PermissionError, OutOfReachError)

_T = TypeVar("_T")


class ObjectStore:
    """Objects below a URL; one is written in one piece, so that it is there whole or not at all."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._scheme = url.partition("://")[0]
        self._has_bucket = False

    @property
    def name(self) -> str:
        """The URL; it holds no credentials."""
        return scrub(self._url)

    @property
    def way_out(self) -> str:
        """See `Storage`."""
        return "check the bucket, the credentials and, beside AWS, AWS_ENDPOINT_URL"

    def location(self, path: str) -> str:
        """The URL of an object."""
        return f"{self.name}/{path}"

    def entries(self, folder: str) -> list[Entry]:
        """See `Storage`."""
        found = self._tried(lambda: self._listed(folder))
        return [Entry(path, kind == "directory") for path, kind in found if path != folder]

    def below(self, folder: str, failed: Failed) -> list[Entry]:
        """See `Storage`."""
        try:
            found = self._tried(lambda: self._found(folder))
        except OSError as error:
            failed(folder, error)
            return []
        paths = sorted(self._relative(path) for path in found if not path.endswith("/"))
        names = ((path, path[len(folder) + 1 :].split("/")) for path in paths if path != folder)
        return [Entry(path, is_folder=False) for path, parts in names if not any(map(is_hidden, parts))]

    def read(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes | OSError]]:
        """See `Storage`."""
        wanted = list(paths)
        for first in range(0, len(wanted), _AT_ONCE):
            yield from self._read_together(wanted[first : first + _AT_ONCE])

    def looks_whole(self, path: str) -> bool:  # noqa: ARG002  # as `Storage` has it
        """See `Storage`; what was written in part is no object."""
        return True

    def stamp(self, path: str) -> str:  # noqa: ARG002  # as `Storage` has it
        """See `Storage`; it would be a request for each, as to read them is."""
        return ""

    def exists(self, path: str) -> bool:
        """See `Storage`."""
        return self._tried(lambda: bool(self._files.exists(self._path(path))))

    def write(self, path: str, content: bytes) -> None:
        """See `Storage`."""
        self._tried(lambda: self._files.pipe_file(self._path(path), content, **self._patience))

    def remove(self, path: str) -> None:
        """See `Storage`."""
        with suppress(FileNotFoundError):
            self._tried(lambda: self._files.rm_file(self._path(path)))

    def half_written(self, folder: str) -> list[str]:  # noqa: ARG002  # as `Storage` has it
        """See `Storage`; what was written in part is no object."""
        return []

    def written_at(self, path: str) -> datetime | None:
        """See `Storage`."""
        try:
            found = self._tried(lambda: self._files.modified(self._path(path)))
        except FileNotFoundError:
            return None
        written = found if isinstance(found, datetime) else datetime.fromtimestamp(float(found), UTC)
        return written if written.tzinfo else written.replace(tzinfo=UTC)

    def check_writable(self, folders: Iterable[str]) -> None:  # noqa: ARG002  # as `Storage` has it
        """See `Storage`; an object store has no folders, and may give no answer: `UnreachableError`."""
        probe = f".writable-{os.getpid()}-{secrets.token_hex(4)}"
        try:
            self.write(probe, b"nightbench\n")
            self.remove(probe)
        except OutOfReachError as error:
            raise unanswered(self, f"cannot be written to: {reason(error)}") from None
        except OSError as error:
            problem = f"cannot be written to: {reason(error)}"
            raise ConfigurationError("results", self.name, problem, self.way_out) from None

    @cached_property
    def _opened(self) -> tuple[Any, str]:
        """The file system and the root's path in it."""
        from fsspec.core import url_to_fs  # type: ignore[import-untyped]  # noqa: PLC0415  # for few

        try:
            # other machines write too: what was listed once is no answer
            files, path = url_to_fs(self._url, use_listings_cache=False, **self._options)
        except ImportError as error:
            ours = "pip install --editable '.[s3]' in the project's folder"
            missing = ours if self._scheme == "s3" else str(error)
            raise ConfigurationError(
                "results", self.name, "needs a package that is missing", missing
            ) from None
        except ValueError:
            problem = f"there is no kind of store {self._scheme!r}"
            raise ConfigurationError(
                "results", self.name, problem, "a folder, or s3://bucket/prefix"
            ) from None
        if self._is_s3:
            files.retries = 1  # those of botocore are enough: they would be multiplied
        return files, str(path).rstrip("/")

    @property
    def _is_s3(self) -> bool:
        return self._scheme in ("s3", "s3a")

    @property
    def _patience(self) -> dict[str, float]:
        """The end of one request that writes.

        With ``Expect: 100-continue``, which S3 is sent, aiohttp waits without the time-outs above.
        """
        is_async = getattr(self._files, "async_impl", False)
        return {"timeout": (CONNECT_TIMEOUT + READ_TIMEOUT) * ATTEMPTS} if is_async else {}

    @property
    def _options(self) -> dict[str, Any]:
        """What the store needs beside its own environment variables."""
        if not self._is_s3:
            return {}
        retries = {"total_max_attempts": ATTEMPTS, "mode": "standard"}
        timeouts = {"connect_timeout": CONNECT_TIMEOUT, "read_timeout": READ_TIMEOUT}
        return {"config_kwargs": {**timeouts, "retries": retries}}

    @property
    def _files(self) -> Any:
        return self._opened[0]

    def _path(self, path: str) -> str:
        return f"{self._opened[1]}/{path}"

    def _relative(self, path: str) -> str:
        return path.removeprefix(f"{self._opened[1]}/").rstrip("/")

    def _listed(self, folder: str) -> Sequence[tuple[str, str]]:
        try:
            found = self._files.ls(self._path(folder), detail=True)
        except FileNotFoundError:
            found = []
        if not found:
            self._check_bucket()
        return sorted((self._relative(each["name"]), each["type"]) for each in found)

    def _found(self, folder: str) -> Sequence[str]:
        try:
            found = list(self._files.find(self._path(folder), detail=False))
        except FileNotFoundError:
            found = []
        if not found:
            self._check_bucket()
        return found

    def _check_bucket(self) -> None:
        """See, once, that the bucket is there: an empty answer is none when there is nothing to ask.

        Of other stores than S3 nothing is known: some have no buckets, and a prefix is there with its first object.

        Raises:
            FileNotFoundError, PermissionError, OSError: when it is not, or nobody knows.
        """
        if self._has_bucket or not self._is_s3:
            return
        bucket = self._opened[1].partition("/")[0]
        try:
            self._files.call_s3("head_bucket", Bucket=bucket)
        except FileNotFoundError:
            msg = f"there is no bucket {bucket}"
            raise FileNotFoundError(msg) from None
        self._has_bucket = True

    def _read_together(self, paths: Sequence[str]) -> Iterator[tuple[str, bytes | OSError]]:
        try:
            found = self._tried(
                lambda: self._files.cat([self._path(path) for path in paths], on_error="return")
            )
        except OSError as error:
            found = dict.fromkeys((self._path(path) for path in paths), error)
        for path in paths:
            content = found.get(self._path(path), FileNotFoundError("no such object"))
            yield path, content if isinstance(content, bytes) else _as_os_error(content)

    def _tried(self, operation: Callable[[], _T]) -> _T:
        try:
            return operation()
        except ConfigurationError:
            raise
        except Exception as error:  # noqa: BLE001  # every store has exceptions of its own
            raise _as_os_error(error) from None


def _as_os_error(error: BaseException) -> OSError:
    """The same in words that hold no secret."""
    unanswered = any(each.__name__ in _UNANSWERED for each in type(error).__mro__)
    text = _without_addresses(str(error) or ("no answer in time" if unanswered else type(error).__name__))
    for name in _SECRETS:
        if value := os.environ.get(name):
            text = text.replace(value, REDACTED)
    kind = next((kind for kind in _KINDS if isinstance(error, kind)), OSError)
    return (OutOfReachError if unanswered else kind)(scrub(text))


def _without_addresses(text: str) -> str:
    """`text` with each address of a store as it may be shown, even when it is no address at all."""
    for name in _ADDRESSES:
        value = os.environ.get(name, "").strip().rstrip("/")
        if value:
            shown = scrub_address(value) if "://" in value else "its address"
            text = text.replace(value, shown)
    return text
