"""Secrets that are known by their value go wherever they stand, however they are written."""

from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightbench.load.messages import message_of
from nightbench.plan import WebSocketPlan
from nightbench.scrub import LONGEST, forget, learn, scrub, scrub_long, scrub_own, scrub_own_tree, scrub_tree
from nightbench.scrub.known import MOST_KNOWN, know, without_known
from nightbench.settings import Settings, load, use
from nightbench.subject_asked import RegisteredSubject
from nightbench.websocket.provisions import Provisions
from nightbench.websocket.result import WebSocketSpec
from nightbench.websocket.templates import Place, Template

WORD = "zebrafishpond"
"""Nothing about it looks like a secret."""
TICKET = f"{WORD}-1234"
DSN = f"postgresql://app:{WORD}@127.0.0.1:5432/shop"

SAID = [
    f"FATAL: wrong key {WORD} given",
    f'relation "{WORD}" does not exist',
    f"{WORD}",
    f"unknown:{WORD}/x",
    f"first\\n{WORD}",
    f"%3A{WORD}%40",
    base64.b64encode(f"app:{WORD}".encode()).decode(),
]


@pytest.mark.parametrize("said", SAID)
def test_a_password_of_the_settings_goes_wherever_a_subject_says_it(said):
    with use(Settings(database_dsn=DSN)):
        shown = [
            scrub(said),
            scrub_own(said),
            scrub_long(said),
            *scrub_tree([said]),
            *scrub_own_tree({said: 1}),
            str(message_of(ValueError(said))),
        ]
    for text in shown:
        assert WORD not in text
        assert base64.b64encode(WORD.encode()).decode()[:8] not in text


@given(st.text(min_size=6, max_size=30), st.binary(max_size=2))
def test_no_way_of_writing_a_secret_shows_it(secret, before):
    forget()
    know([secret], beside=[])
    if secret in without_known(secret):  # of words of the field, and of nothing but stars
        return
    written = [
        quote(secret, safe="", errors="replace"),
        quote_plus(secret, errors="replace"),
        json.dumps(secret),
        repr(secret),
    ]
    for text in written if secret.isprintable() else ():
        assert "***" in without_known(f"a {text} b")
    encoded = base64.b64encode(before + secret.encode()).decode()
    assert "***" in without_known(encoded)


def test_a_long_text_shows_no_half_of_one():
    phrase = "correct horse battery staple of mine"
    know([phrase])
    for place in range(LONGEST - 4096 - 40, LONGEST - 4096 + 4):
        shown = scrub("x\n" * (place // 2) + phrase + "\ny" * 60_000 + phrase)
        assert "horse" not in shown
        assert "staple" not in shown


@pytest.mark.parametrize(
    ("dsn", "text"),
    [
        (
            "postgresql://postgres:postgres@127.0.0.1/postgres",
            'role "postgres" of the PostgreSQL "postgres" exists',
        ),
        ("postgresql://app:short@127.0.0.1/shop", "a short text"),
        ("postgresql://shopkeeper:shopkeeper@127.0.0.1/shop", "the table shopkeeper"),
        ("postgresql://app:nightly-eu@127.0.0.1/shop", "environment nightly-eu"),
        ("postgresql://app:zebrafish@127.0.0.1/shop", "two zebrafishes"),
        ("postgresql://app:123456@127.0.0.1/shop", "1234567 bytes"),
    ],
)
def test_what_is_also_a_word_or_a_name_stays(dsn, text):
    with use(Settings(database_dsn=dsn, environment="nightly-eu")):
        assert scrub_own(text) == text


def settings_with(**changes):
    return Settings(environment="x", **changes)


def plan(**changes):
    return WebSocketPlan(users=1, duration=1, **changes)


HELD = [
    settings_with(token=WORD),
    settings_with(database_dsn="postgresql://app@127.0.0.1/shop?password=" + WORD),
    settings_with(websocket_url=f"ws://127.0.0.1/chat?ticket={WORD}"),
    settings_with(websocket_url=f"ws://127.0.0.1/chat?of={TICKET}"),
    settings_with(sentry_dsn=f"https://{WORD}@127.0.0.1/1"),
    settings_with(alerts={"api_token": WORD}),
    settings_with(plan={"full": {"websocket": {"headers": {"X-Api-Key": WORD}}}}),
    RegisteredSubject("x", database_dsn=settings_with(database_dsn=DSN).database_dsn),
    plan(headers={"Authorization": f"Bearer {TICKET}"}),
    plan(headers={"Authorization": "Basic " + base64.b64encode(f"app:{WORD}".encode()).decode()}),
    plan(headers={"Cookie": f"theme=dark; of={WORD}"}),
    WebSocketSpec(plan(), "ws://127.0.0.1/", "run", Provisions(tokens=("first-token", WORD))),
    WebSocketSpec(
        plan(),
        "ws://127.0.0.1/",
        "run",
        Provisions(
            headers=(
                (
                    "Authorization",
                    Template(f"Bearer {TICKET}-${{user}}", Place("headers.Authorization", ("user",))),
                ),
            )
        ),
    ),
]


@pytest.mark.parametrize("holder", HELD, ids=range(len(HELD)))
def test_whoever_takes_settings_a_subject_or_a_spec_knows_its_secrets(holder):
    learn(holder)
    assert any("***" in scrub(f"wrong key {said} given") for said in (WORD, TICKET, f"{TICKET}-7"))


def test_a_header_that_holds_no_secret_stays():
    learn(plan(headers={"User-Agent": "zebrafish-client", "X-Tenant": "tenant-number-7"}))
    assert scrub("zebrafish-client of tenant-number-7") == "zebrafish-client of tenant-number-7"


def test_an_environment_variable_of_a_header_is_known(monkeypatch):
    monkeypatch.setenv("BACKEND_KEY_OF_MINE", WORD)
    Template("${env:BACKEND_KEY_OF_MINE}", Place("headers.Authorization", (), secret=True))
    assert WORD not in scrub(f"who is {WORD}?")


def test_loaded_settings_are_known(monkeypatch):
    monkeypatch.setenv("NIGHTBENCH_TOKEN", WORD)
    load()
    assert WORD not in scrub(f"who is {WORD}?")


def test_many_tokens_of_users_do_not_push_out_a_password():
    with use(Settings(database_dsn=DSN)):
        for run in range(20):
            know([], of_many=[f"token-{run}-{user}" for user in range(MOST_KNOWN)])
        assert WORD not in scrub(f"who is {WORD}?")


def test_what_is_known_may_change_while_others_read():
    know([WORD])
    with ThreadPoolExecutor(4) as pool:
        learning = [pool.submit(know, [f"secret-number-{number}"]) for number in range(50)]
        texts = list(pool.map(scrub, [f"who is {WORD}?"] * 50))
        for each in learning:
            each.result()
    assert set(texts) == {"who is ***?"}
