"""What is kept: a rate for each kind of request, decided by its ASGI path and type."""

import random
from math import sqrt

import pytest
import sentry_sdk
from hypothesis import given
from hypothesis import strategies as st
from sentry_sdk.tracing import Transaction
from watched import asgi, deciding

from nightbench.observability.sampling import DEVELOPMENT, PRODUCTION, is_development, rates_in, sampler

HEALTH, WEBSOCKET, API, OTHER = 0.01, 0.5, 0.2, 0.1

PATHS = [
    *((path, HEALTH) for path in ("/health", "/healthz", "/livez", "/readyz", "/ready", "/ping", "/status")),
    *(
        (path, HEALTH)
        for path in ("/health/", "/api/health", "/api/v1/health", "/api/v12/ping", "/v2/status")
    ),
    *(
        (path, HEALTH)
        for path in ("/Health", "/_health", "/__heartbeat__", "/health/ready", "/api/health/live")
    ),
    *((path, HEALTH) for path in ("/pam/health", "/api/v1/pam/health", "/a/b/healthz", "/health-check")),
    *(
        (path, API)
        for path in ("/api", "/api/", "/api/v1/pam", "/api/v1/users/42/health", "/api/orders/7/status")
    ),
    *((path, API) for path in ("/api/v1/healthy", "/api/v1/health/records", "/api/v1/users/ping")),
    *((path, OTHER) for path in ("", "/", "/apis", "/v1/pam", "/home", "/counters", "/docs/health-of-teams")),
]


def rate(scope, rates=PRODUCTION, **context):
    return sampler(rates)({"asgi_scope": scope, "parent_sampled": None, **context})


@pytest.mark.parametrize(("path", "expected"), PATHS)
def test_a_request_is_kept_at_the_rate_of_its_path(path, expected):
    assert rate(asgi(path)) == expected


@pytest.mark.parametrize("path", ["/api/v1/pam", "/ws", "/", "/api/v1/users/42/health"])
def test_a_connection_is_kept_at_the_rate_of_connections(path):
    assert rate(asgi(path, "websocket")) == WEBSOCKET


def test_a_health_check_over_a_websocket_is_a_health_check():
    assert rate(asgi("/health", "websocket")) == HEALTH


@pytest.mark.parametrize(
    ("path", "root", "expected"),
    [
        ("/app/api/v1/pam", "/app", API),
        ("/api/v1/pam", "/app", API),
        ("/long/way/health", "/long/way", HEALTH),
        ("/users", "/api", API),
        ("/api/users", "/api", API),
        ("/api/v1/health", "/api/v1", HEALTH),
        ("/appendix", "/app", OTHER),
    ],
)
def test_a_prefix_that_a_proxy_adds_is_no_part_of_the_path(path, root, expected):
    assert rate(asgi(path, root_path=root)) == expected


@pytest.mark.parametrize(
    ("name", "op", "expected"),
    [
        ("GET /health", "http.server", HEALTH),
        ("http://127.0.0.1/api/v1/pam?token=x", "http.server", API),
        ("wss://127.0.0.1/api/v1/pam", "websocket.server", WEBSOCKET),
        ("rebuild index", "queue.task", OTHER),
        ("http://[", "http.server", OTHER),
        (None, None, OTHER),
    ],
)
def test_without_a_scope_the_name_is_looked_at(name, op, expected):
    context = {"transaction_context": {"name": name, "op": op}, "parent_sampled": None}
    assert sampler(PRODUCTION)(context) == expected


@pytest.mark.parametrize("path", ["/health", "/api/v1/pam", "/"])
@pytest.mark.parametrize("parent", [True, False])
def test_a_decision_of_the_caller_holds(path, parent):
    assert rate(asgi(path), parent_sampled=parent) == float(parent)


@pytest.mark.parametrize("path", ["/", "/api/v1/pam", "/ws"])
def test_at_a_desk_all_is_kept(path):
    assert rate(asgi(path), DEVELOPMENT) == rate(asgi(path, "websocket"), DEVELOPMENT) == 1.0


def test_at_a_desk_health_checks_are_still_too_many():
    assert rate(asgi("/health"), DEVELOPMENT) == HEALTH


@pytest.mark.parametrize("name", ["development", "dev", "local", "test", "Development", " dev "])
def test_environments_of_a_desk(name):
    assert is_development(name)
    assert rates_in(name) is DEVELOPMENT


@pytest.mark.parametrize("name", ["production", "prod", "staging", "devil", "preview-7", ""])
def test_every_other_environment_is_production(name):
    assert not is_development(name)
    assert rates_in(name) is PRODUCTION


@given(
    path=st.text() | st.none() | st.binary(),
    kind=st.sampled_from(["http", "websocket", None, 7]),
    root=st.text(),
)
def test_whatever_a_client_asks_for_there_is_a_rate(path, kind, root):
    assert rate(asgi(path, kind, root_path=root)) in {HEALTH, WEBSOCKET, API, OTHER}


@pytest.mark.parametrize(
    "context", [{}, {"asgi_scope": None}, {"asgi_scope": {}}, {"transaction_context": None}]
)
def test_a_context_without_what_is_looked_at_has_a_rate(context):
    assert sampler(PRODUCTION)(context) == OTHER


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (asgi("/health"), HEALTH),
        (asgi("/api/v1/pam", "websocket"), WEBSOCKET),
        (asgi("/api/v1/users"), API),
        (asgi("/"), OTHER),
    ],
    ids=["health", "websocket", "api", "other"],
)
def test_the_sdk_keeps_that_share(scope, expected):
    """`benchmarks/observability.py` has 100,000 of each."""
    draws, count = random.Random(6), 1000
    kept = 0
    with deciding():
        for _ in range(count):
            begun = Transaction(name="http://127.0.0.1:8000/", trace_id=f"{draws.getrandbits(128):032x}")
            sentry_sdk.start_transaction(begun, custom_sampling_context={"asgi_scope": scope})
            kept += begun.sampled
    assert kept / count == pytest.approx(expected, abs=4 * sqrt(expected * (1 - expected) / count))
