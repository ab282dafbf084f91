"""A client that keeps what it would send, and ASGI scopes as a server makes them."""

import contextlib

import sentry_sdk
from sentry_sdk.transport import Transport

from nightbench.observability.sampling import PRODUCTION, sampler


class Kept(Transport):
    """Keeps every item of every envelope."""

    def __init__(self, options=None):
        super().__init__(options)
        self.items = []

    def capture_envelope(self, envelope):
        self.items += [(item.headers.get("type"), item.payload.json) for item in envelope.items]

    def of(self, kind):
        return [body for name, body in self.items if name == kind]


@contextlib.contextmanager
def kept(**options):
    """What a client without integrations sends inside of the block; it watches every thread."""
    everywhere = sentry_sdk.get_global_scope()
    before = everywhere.client
    client = sentry_sdk.Client(
        dsn="http://key@127.0.0.1:1/1",
        transport=Kept,
        default_integrations=False,
        auto_enabling_integrations=False,
        **{"traces_sample_rate": 1.0, **options},
    )
    everywhere.set_client(client)
    try:
        yield client.transport
    finally:
        client.close()
        everywhere.set_client(before)


@contextlib.contextmanager
def deciding(rates=PRODUCTION):
    """A client that samples as in production."""
    with kept(traces_sample_rate=None, traces_sampler=sampler(rates)) as transport:
        yield transport


def asgi(path, kind="http", **more):
    """The scope of a request."""
    return {
        "type": kind,
        "path": path,
        "headers": [],
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 5000),
        "query_string": b"",
        **more,
    }


async def ask(app, path, query=""):
    """A request as a server makes it; what the app raises ends with it."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    with contextlib.suppress(Exception):
        await app(asgi(path, method="GET", query_string=query.encode()), receive, send)
    return sent


async def connect(app, path, query="", protocols=()):
    """A connection that its app closes."""
    waiting, sent = [{"type": "websocket.connect"}], []

    async def receive():
        return waiting.pop(0) if waiting else {"type": "websocket.disconnect", "code": 1001}

    async def send(message):
        sent.append(message)

    headers = [(b"host", b"127.0.0.1:8000"), (b"sec-websocket-protocol", ", ".join(protocols).encode())]
    scope = asgi(
        path, "websocket", headers=headers, query_string=query.encode(), subprotocols=list(protocols)
    )
    await app(scope, receive, send)
    return sent
