"""The opening handshake of RFC 6455 as a client does it; sans-I/O.

The request is put together from bytes that are the same for all users; what the response must hold is
checked by websockets.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Sequence

from websockets.client import ClientProtocol
from websockets.datastructures import Headers
from websockets.exceptions import InvalidHandshake
from websockets.extensions import ClientExtensionFactory
from websockets.extensions.permessage_deflate import enable_client_permessage_deflate
from websockets.headers import build_authorization_basic, build_extension, build_host
from websockets.http11 import Response
from websockets.streams import StreamReader
from websockets.typing import Subprotocol
from websockets.uri import WebSocketURI
from websockets.utils import accept_key

from nightbench.websocket.deflate import Deflate
from nightbench.websocket.error_classes import ConnectionFailedError

_LONGEST_HEAD = 64 * 1024
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5]\d\d)(?: [^\r\n]*)?\r\n")
_START = b"HTTP/1."
_LONGEST_LINE = 8 * 1024
_KEY = "Sec-WebSocket-Key"
SUBPROTOCOL = "Sec-WebSocket-Protocol"
_BETWEEN = ", "
_TAKEN = re.compile(rb"\r\nsec-websocket-protocol: *([^\r\n ]+)(?=\r\n)", re.IGNORECASE)
_RIGHT_VALUE = b"\0"
"""In the place of what differs between the responses to two users; no header can hold it."""
INVALID = "handshake_invalid"

HeaderItems = Sequence[tuple[str, str]]


class Offer:
    """What every user of an endpoint asks for, beside the headers of its own.

    Args:
        uri: Where to.
        subprotocols: Offered in this order by users who offer none of their own; the server must take one of them.
        compression: Whether to offer permessage-deflate, which the server may decline.
    """

    def __init__(
        self, uri: WebSocketURI, *, subprotocols: Sequence[str] = (), compression: bool = False
    ) -> None:
        self.subprotocols = tuple(subprotocols)
        self.extensions = list(enable_client_permessage_deflate(None)) if compression else None
        self._defaults = [("Host", build_host(uri.host, uri.port, uri.secure))]
        if uri.user_info:
            self._defaults.append(("Authorization", build_authorization_basic(*uri.user_info)))
        if self.subprotocols:
            self._defaults.append((SUBPROTOCOL, _BETWEEN.join(self.subprotocols)))
        self._first_line = f"GET {uri.resource_name} HTTP/1.1\r\n"
        fixed = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
        if self.extensions is not None:
            fixed["Sec-WebSocket-Extensions"] = build_extension(
                [(factory.name, list(factory.get_request_params())) for factory in self.extensions]
            )
        self._fixed = _lines(list(fixed.items()))
        self._approved: bytes | None = None

    def approve(self, head: bytes, key: str, subprotocols: Sequence[str]) -> Deflate | None:
        """The compression that the server took, if any.

        Responses of a server mostly differ in nothing but the accept value, and the subprotocol where users offer
        their own: one that is the same as the last one for the rest, and holds a right value at each place, is as
        good as that one.

        Args:
            head: The response with status 101, to its blank line.
            key: As it was sent.
            subprotocols: As they were offered.

        Raises:
            ConnectionFailedError: It is no answer to our request.
        """
        rest = _without_values(head, accept_key(key).encode(), subprotocols)
        if rest is not None and rest == self._approved:
            return None
        try:
            negotiation = _Negotiation(key, self.extensions, subprotocols)
            negotiation.process_response(_response(head))
        except (InvalidHandshake, EOFError, LookupError, ValueError, NotImplementedError) as error:
            raise ConnectionFailedError(INVALID) from error
        if negotiation.extensions:  # which remember what they have seen: each connection has its own
            return Deflate(negotiation.extensions[0])
        self._approved = rest
        return None

    def request(self, key: str, headers: HeaderItems) -> bytes:
        """The request of one user, whose own headers take the place of ours of the same name."""
        own = {name.lower() for name, _ in headers}
        defaults = [(name, value) for name, value in self._defaults if name.lower() not in own]
        return "".join(
            (self._first_line, _lines(defaults), self._fixed, _lines([(_KEY, key), *headers]), "\r\n")
        ).encode("latin-1")


class Handshake:
    """The handshake of one connection.

    Attributes:
        deflate: The compression that was negotiated, once the response is there.
    """

    __slots__ = ("_head", "_key", "_offer", "_subprotocols", "deflate")

    def __init__(self, offer: Offer) -> None:
        self._offer = offer
        self._key = base64.b64encode(os.urandom(16)).decode()
        self._head = b""
        self._subprotocols: Sequence[str] = offer.subprotocols
        self.deflate: Deflate | None = None

    def request(self, headers: HeaderItems) -> bytes:
        """What to send, with these headers of the user's own, one of which may be the subprotocols that it offers."""
        for name, value in headers:
            if name == SUBPROTOCOL:
                self._subprotocols = value.split(_BETWEEN)
        return self._offer.request(self._key, headers)

    def feed(self, data: bytes) -> bytes | None:
        """What came behind the response, which are frames; None as long as the response is not whole.

        Raises:
            ConnectionFailedError: ``handshake_STATUS``, ``handshake_subprotocol`` or ``handshake_invalid``.
        """
        head = self._head = self._head + data
        _check_status(head)
        end = head.find(b"\r\n\r\n") + 4
        if end < 4:
            if len(head) > _LONGEST_HEAD:
                raise ConnectionFailedError(INVALID)
            return None
        self.deflate = self._offer.approve(head[:end], self._key, self._subprotocols)
        return head[end:]


def _without_values(head: bytes, accept: bytes, subprotocols: Sequence[str]) -> bytes | None:
    """`head` with a mark for what may differ between two good responses; None where a right value is missing."""
    rest = head.replace(accept, _RIGHT_VALUE, 1)
    if rest == head:
        return None
    if not subprotocols:
        return rest
    taken = _TAKEN.search(rest)
    if taken is None or taken[1].decode("latin-1") not in subprotocols:
        return None
    return rest[: taken.start(1)] + _RIGHT_VALUE + rest[taken.end(1) :]


def _check_status(head: bytes) -> None:
    """Raise as soon as it is clear that this is no response, or a refusal; its body does not matter."""
    if b"\n" in head:
        status = _STATUS.match(head)
        if status is None:
            raise ConnectionFailedError(INVALID)
        if status[1] != b"101":
            raise ConnectionFailedError(f"handshake_{status[1].decode()}")
    elif head[: len(_START)] != _START[: len(head)] or len(head) > _LONGEST_LINE:
        raise ConnectionFailedError(INVALID)


def _response(head: bytes) -> Response:
    reader = StreamReader()
    reader.feed_data(head)
    reader.feed_eof()
    parsing = Response.parse(reader.read_line, reader.read_exact, reader.read_to_eof)
    try:
        next(parsing)
    except StopIteration as end:
        response: Response = end.value
        return response
    raise EOFError


class _Negotiation(ClientProtocol):
    """What websockets checks of a response, and none of the rest of its protocol, which costs time and memory."""

    def __init__(
        self,
        key: str,
        extensions: list[ClientExtensionFactory] | None,
        subprotocols: Sequence[str],
    ) -> None:
        self.key = key
        self.available_extensions = extensions
        self.available_subprotocols = [Subprotocol(name) for name in subprotocols] or None
        self.extensions = []

    def process_subprotocol(self, headers: Headers) -> Subprotocol | None:
        """The subprotocol that was taken, one of those that were offered; None when none was."""
        try:
            taken = super().process_subprotocol(headers)
        except InvalidHandshake as error:
            raise ConnectionFailedError("handshake_subprotocol") from error
        if taken is None and self.available_subprotocols is not None:
            raise ConnectionFailedError("handshake_subprotocol")
        return taken


def _lines(headers: Sequence[tuple[str, str]]) -> str:
    return "".join([f"{name}: {value}\r\n" for name, value in headers])
