"""Where to connect and what to ask for there."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from websockets.uri import parse_uri

from nightbench.plan.conversation import TlsOptions
from nightbench.websocket.addresses import Addresses
from nightbench.websocket.backlog import Backlog
from nightbench.websocket.frames import masking_keys
from nightbench.websocket.handshake import Offer
from nightbench.websocket.tls import tls_context


@dataclass(frozen=True)
class Endpoint:
    """An address and the terms of its connections: worked out once, used by every one of one event loop."""

    url: str = field(repr=False)  # may carry a token
    addresses: Addresses = field(repr=False)
    offer: Offer = field(repr=False)
    tls: ssl.SSLContext | None
    server_name: str
    masking_keys: Iterator[bytes] = field(repr=False)
    backlog: Backlog = field(repr=False)

    @classmethod
    def of(
        cls,
        url: str,
        *,
        tls: TlsOptions | None = None,
        subprotocols: Sequence[str] = (),
        compression: bool = False,
    ) -> Endpoint:
        """An endpoint with one TLS context shared by all its connections.

        Args:
            url: A ws:// or wss:// address.
            tls: For wss://; the system's authorities when left out.
            subprotocols: Offered by users whose own headers offer none; one of them must be taken.
            compression: Whether to offer permessage-deflate.

        Raises:
            ConfigurationError: A file of the TLS options cannot be used.
        """
        uri, options = parse_uri(url), tls or TlsOptions()
        return cls(
            url,
            Addresses(uri.host, uri.port),
            Offer(uri, subprotocols=subprotocols, compression=compression),
            tls_context(options) if uri.secure else None,
            options.server_name or uri.host,
            masking_keys(),
            Backlog(),
        )
