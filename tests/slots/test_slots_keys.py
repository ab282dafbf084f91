"""One subject has one key, however its address is written; and no key shows a secret."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightbench.errors import ConfigurationError
from nightbench.settings import Settings
from nightbench.slots.keys import keys_of

MACHINE = "Builder"


def key(*, url=None, dsn=None):
    settings = Settings(websocket_url=url, database_dsn=dsn)
    (only,) = keys_of(settings, ["websocket" if url else "database"], machine=MACHINE)
    return only


SAME_SOCKETS = [
    ("ws://example.org/chat", "ws://example.org:80/chat"),
    ("wss://example.org/chat", "wss://example.org:443/chat"),
    ("ws://example.org:443/chat", "wss://example.org/chat"),
    ("ws://EXAMPLE.org/chat", "ws://example.org./chat/"),
    ("ws://example.org", "ws://example.org/"),
    ("ws://pam:secret@example.org/chat?token=abc", "ws://example.org/chat?token=def"),
    ("ws://example.org/ch%61t", "ws://example.org/chat"),
    ("ws://bücher.example/chat", "ws://xn--bcher-kva.example/chat"),
    ("ws://localhost:8000/chat", "ws://127.0.0.1:8000/chat"),
    ("ws://localhost:8000/chat", "ws://[::1]:8000/chat"),
    ("ws://127.0.0.2:8000/chat", "ws://0.0.0.0:8000/chat"),
    ("ws://[::ffff:127.0.0.1]:8000/chat", "ws://127.1:8000/chat"),
    ("ws://api.localhost:8000/chat", "ws://localhost:8000/chat"),
    ("ws://builder:8000/chat", "ws://localhost:8000/chat"),
    ("ws://[2001:DB8:0::1]/chat", "ws://[2001:db8::1]/chat"),
    ("ws://127。0。0。1:8000/chat", "ws://127.0.0.1:8000/chat"),
    ("ws://\N{FULLWIDTH DIGIT ONE}92.0.2.1。/chat", "ws://192.0.2.1/chat"),
    ("ws://\N{FULLWIDTH LATIN SMALL LETTER L}ocalhost:8000/chat", "ws://localhost:8000/chat"),
]


@pytest.mark.parametrize(("one", "other"), SAME_SOCKETS)
def test_a_websocket_is_the_same_however_it_is_written(one, other):
    assert key(url=one) == key(url=other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ws://example.org/chat", "ws://example.org/feed"),
        ("ws://example.org/chat", "ws://example.org:8080/chat"),
        ("ws://example.org/chat", "ws://example.com/chat"),
        ("ws://builder.example.org/chat", "ws://localhost/chat"),
        ("ws://example.org/Chat", "ws://example.org/chat"),
    ],
)
def test_another_websocket_is_another_subject(one, other):
    assert key(url=one).digest != key(url=other).digest


SAME_DATABASES = [
    (
        "postgresql://app@db.example.org/app",
        "postgresql://other:secret@db.example.org:5432/app?sslmode=require",
    ),
    ("postgresql://db.example.org/app", "postgresql+psycopg://DB.example.org./app"),
    ("postgresql://localhost/app", "postgresql://127.0.0.1:5432/app"),
    ("postgresql://localhost/app", "postgresql://[::1]/app"),
    ("postgresql://localhost/app", "postgresql:///app"),
    ("postgresql://localhost/app", "postgresql:///app?host=/var/run/postgresql"),
    ("postgresql://localhost/app", "postgresql://db.example.org/app?hostaddr=127.0.0.1"),
    ("postgresql://app@localhost", "postgresql://localhost/app"),
    ("postgresql://db.example.org:05432/app", "postgresql://db.example.org/app"),
    ("postgresql://db.example.org/app?port=%205432%09", "postgresql://db.example.org/app"),
    ("postgresql://db.example.org/app?port=%2B5432", "postgresql://db.example.org/app"),
    ("postgresql://db.example.org/app?port=", "postgresql://db.example.org/app"),
]


@pytest.mark.parametrize(("one", "other"), SAME_DATABASES)
def test_a_database_is_the_same_however_it_is_written(one, other):
    assert key(dsn=one) == key(dsn=other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("postgresql://localhost/app", "postgresql://localhost/App"),
        ("postgresql://localhost/app", "postgresql://localhost:5433/app"),
        ("postgresql://localhost/app", "postgresql:///app?host=/srv/one"),
        ("postgresql:///app?host=/srv/two", "postgresql:///app?host=/srv/one"),
        ("postgresql://localhost/app", "postgresql://db.example.org/app"),
    ],
)
def test_another_database_is_another_subject(one, other):
    assert key(dsn=one).digest != key(dsn=other).digest


def test_what_libpq_adds_from_the_environment_counts(monkeypatch):
    monkeypatch.setenv("PGHOST", "db.example.org")
    assert key(dsn="postgresql:///app") == key(dsn="postgresql://db.example.org/app")


def test_what_a_service_says_counts(monkeypatch, tmp_path):
    (tmp_path / "services").write_text("[one]\nhost=db.example.org\nport=05433\ndbname=app\n")
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    there = key(dsn="postgresql://db.example.org:5433/app")
    assert key(dsn="postgresql:///?service=one") == there
    monkeypatch.setenv("PGSERVICE", "one")
    assert key(dsn="postgresql://") == there


@pytest.mark.parametrize("port", ["0", "-1", "65536", "9" * 5000, "5_4", "0x1538", "٥٤٣٢", "http"])
def test_a_port_that_libpq_refuses_is_refused_without_a_piece_of_the_password(monkeypatch, port):
    monkeypatch.setenv("PGPORT", port)
    with pytest.raises(ConfigurationError, match=r"its port, .* is not a number from 1 to 65535") as refused:
        key(dsn="postgresql://pam:hunter2@h/app")
    assert "hunter2" not in str(refused.value)


def test_what_is_not_set_is_the_embedded_subject_of_the_machine_once_for_both_suites():
    both = ["websocket", "database"]
    (one,) = keys_of(Settings(), both, machine="one")
    (other,) = keys_of(Settings(), both, machine="other")
    assert one.kind == "embedded"
    assert one.digest != other.digest


def test_keys_have_the_order_in_which_all_take_them():
    settings = Settings(websocket_url="ws://h/chat", database_dsn="postgresql://h/app")
    keys = keys_of(settings, ["websocket", "database"], machine=MACHINE)
    assert list(keys) == sorted(keys)
    assert keys == keys_of(settings, ["database", "websocket"], machine=MACHINE)


def test_a_loopback_subject_is_another_one_on_another_machine_and_names_none():
    settings = Settings(database_dsn="postgresql://localhost/app")
    (one,), (other,) = (keys_of(settings, ["database"], machine=name) for name in ("secret-host", "other"))
    assert one.shared_name != other.shared_name
    assert "secret-host" not in f"{one.label} {one.shared_name} {one!r}"
    assert one.label == "the database 127.0.0.1:5432/app"


@pytest.mark.parametrize(
    "address",
    [
        {"url": "ws://pam:hunter2@example.org/chat?ticket=hunter2"},
        {"dsn": "postgresql://pam:hunter2@example.org/app?password=hunter2"},
    ],
)
def test_no_secret_is_in_what_is_told(address):
    made = key(**address)
    assert "hunter2" not in f"{made.label} {made.shared_name} {made!r} {made.digest}"


def test_a_shared_name_is_one_that_prefect_takes():
    name = key(url="ws://example.org:8000/a/b%25c&d").shared_name
    assert name.startswith("nightbench-websocket-example-org-8000")
    assert not set(name) & set("/%&<>\"' ")


def test_a_dsn_that_is_none_is_refused_without_a_piece_of_it():
    with pytest.raises(ConfigurationError) as refused:
        key(dsn="postgresql://pam:hunter2@h1,h2/app")
    assert "hunter2" not in str(refused.value)


@settings(max_examples=30)
@given(
    host=st.from_regex(r"[a-z]{1,8}(\.[a-z]{1,8}){0,2}", fullmatch=True),
    port=st.integers(1, 65_535),
    user=st.sampled_from(["", "pam:hunter2@"]),
    upper=st.booleans(),
)
def test_neither_case_nor_user_makes_another_subject(host, port, user, upper):
    plain = key(url=f"ws://{host}:{port}/chat")
    assert key(url=f"ws://{user}{host.upper() if upper else host}:{port}/chat?t=1") == plain
