"""Where a host is: its name is resolved once, so that opening a connection is timed without it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable


class Addresses:
    """The addresses of one host and port; the one that worked first is tried first from then on."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._known: tuple[str, ...] = ()
        self._has_worked = False
        self._resolving = asyncio.Lock()

    async def connect(self, factory: Callable[[], asyncio.Protocol], *, within: float) -> None:
        """Connect to the first address that answers.

        Args:
            factory: Makes the protocol of each attempt.
            within: Seconds for all attempts. The caller holds it; but as long as nobody knows which address
                works, each has its share, so that one that never answers does not hide the others.

        Raises:
            OSError: None of them answered; the error of the last.
        """
        loop = asyncio.get_running_loop()
        addresses = self._known or await self._look_up()
        share = None if self._has_worked or len(addresses) == 1 else within / len(addresses)
        for address in addresses:
            try:
                if share is None:
                    await loop.create_connection(factory, address, self._port)
                else:
                    async with asyncio.timeout(share):
                        await loop.create_connection(factory, address, self._port)
            except OSError:
                if address == addresses[-1]:
                    raise
                continue
            self._prefer(address)
            return

    async def resolve(self) -> None:
        """Look the name up now; whether there is such a host is told by connecting."""
        with contextlib.suppress(OSError):
            await self._look_up()

    async def _look_up(self) -> tuple[str, ...]:
        async with self._resolving:  # one look-up for all that wait
            if not self._known:
                loop = asyncio.get_running_loop()
                found = await loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
                self._known = tuple(dict.fromkeys(str(address[0]) for *_, address in found))
            return self._known

    def _prefer(self, address: str) -> None:
        if not self._has_worked:
            self._known = (address, *(other for other in self._known if other != address))
            self._has_worked = True
