"""What must not arrive: a text for each class of secret and personal data, and each place where one can stand.

``<<…>>`` marks what must not arrive, ``[[…]]`` what must. Every value is made up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_MARKED = re.compile(r"<<(?P<secret>.*?)>>|\[\[(?P<stays>.*?)\]\]", re.DOTALL)


@dataclass(frozen=True)
class Case:
    """A text with its marks, and the place that it is sent from."""

    place: str
    name: str
    marked: str

    @property
    def text(self) -> str:
        return _MARKED.sub(lambda match: match["secret"] or match["stays"] or "", self.marked)

    @property
    def secrets(self) -> list[str]:
        return [match["secret"] for match in _MARKED.finditer(self.marked) if match["secret"]]

    @property
    def stays(self) -> list[str]:
        return [match["stays"] for match in _MARKED.finditer(self.marked) if match["stays"]]

    def __str__(self) -> str:
        return f"{self.place}: {self.name}"


_JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm5hIn0.c2lnbmF0dXJlLW9mLWl0"

CLASSES: dict[str, str] = {
    "password in a DSN": "[[cannot connect]] to postgresql://app:<<hunter2-dsn>>@db.internal/[[shop]]",
    "password with an at sign": "[[cannot connect]] to postgresql://app:<<hun@ter2-at>>@db.internal/shop",
    "password in a redis URL": "[[no route]] to redis://:<<hunter2-redis>>@cache:6379/0",
    "libpq keyword": "[[connecting]] with host=db user=app password=<<hunter2-libpq>> dbname=[[shop]]",
    "JWT": f"[[rejected]] <<{_JWT}>> [[as expired]]",
    "bearer": "[[sent]] Authorization: Bearer <<bearer-0a1b2c3d4e5f>>",
    "basic": "[[sent]] Authorization: Basic <<YW5uYTpodW50ZXIyLWJhc2lj>>",
    "cookie": "[[request]] had Cookie: sessionid=<<cookie-91ab77f0>>; csrftoken=<<csrf-5cd1e2aa>>",
    "vendor key, AI": "[[the model refused]] sk-ant-api03-<<Zx81kd0aQpLmN4rT6vYw2sBc>>",
    "vendor key, AI, other": "[[the model refused]] sk-proj-<<Ab12Cd34Ef56Gh78Ij90Kl12Mn34Op56>>",
    "vendor key, GitHub": "[[push]] with ghp_<<16C7e42F292c6912E7710c838347Ae178B4a>> [[failed]]",
    "vendor key, AWS": "[[upload]] as <<AKIAIOSFODNN7EXAMPLE>> [[failed]]",
    "vendor key, Slack": "[[post]] with xoxb-<<123456789012-1234567890123-AbCdEfGhIjKlMnOpQrStUvWx>>",
    "vendor key, Stripe": "[[charge]] with sk_live_<<4eC39HqLyjWDarjtT1zdp7dc>>",
    "private key": "[[loading]] -----BEGIN PRIVATE KEY-----\n<<MIIEvQIBADANBgkqhkiG9w0BAQEFAASC>>\n-----END PRIVATE KEY-----",
    "private key on one line": r"[[loading]] -----BEGIN RSA PRIVATE KEY-----\n<<MIIEowIBAAKCAQEAvQIBADAN>>\n-----END RSA",
    "e-mail": "[[mail to]] <<anna.blum@example.org>> [[bounced]]",
    "e-mail, international": "[[mail to]] <<jörg@münchen-müller.de>> [[bounced]]",
    "e-mail, percent-encoded": "[[no user]] <<anna%40example.org>>",
    "phone": "[[call]] <<+49 171 5551234>> [[back]]",
    "phone, other": "[[call]] <<+1 (415) 555-0132>> [[back]]",
    "IPv4": "[[peer]] <<203.0.113.77>> [[hung up]]",
    "IPv6": "[[peer]] <<2001:db8:85a3::8a2e:370:7334>> [[hung up]]",
    "card": "[[paid]] with <<4111 1111 1111 1111>>",
    "card, undivided": "[[paid]] with <<5555555555554444>>",
    "SQL literal": "[[failed]]: SELECT id FROM users WHERE name = '<<Anna Blum SQL>>' LIMIT 5",
    "DETAIL": 'duplicate key value violates unique constraint "[[users_email_key]]"\nDETAIL:  Key (nick)=(<<annablum77>>) already exists.',
    "DETAIL, a row": "violates check constraint\nDETAIL:  Failing row contains (<<7, Anna Blum>>, null).",
    "home path": "[[cannot open]] /home/<<annablum>>/app/[[settings.py]]",
    "home path, mac": "[[cannot open]] /Users/<<annablum>>/app/[[settings.py]]",
    "WebSocket URL": "[[closed]] wss://pam.example/api/v1/[[pam]]?token=<<wsq-8f7e6d5c4b>>",
    "WebSocket URL, encoded": "[[closed]] /api/v1/pam%3Ftoken%3D<<wsq-9f7e6d5c4b>>",
    "key and value": "[[refused]] api_key=<<key-value-3344>> for [[pam]]",
    "JSON in a text": '[[refused]] {"user": "[[pam]]", "password": "<<json-hunter2>>"}',
    "object repr": "[[refused]] <User id=[[42]] password='<<repr-hunter2>>'>",
}
"""For places where any text can stand."""

HARMLESS = (
    "[[nightly-20261127T021500-3fa9c1d2]] missed [[message.response_time.p95]]: [[1234.5]] ms > [[2000]] ms at"
    " [[2026-11-27T02:15:00Z]], [[query[expense_listing].execute_time.p95]], SQLSTATE [[40001]], port [[:5432]]"
)

ONLY_THERE: list[Case] = [
    Case(place, name, marked)
    for place, name, marked in [
        ("log argument", "after a secret's name", "[[login]] with token <<arg-token-77aa>> of [[pam]]"),
        ("log argument, named", "of a secret's name", "<<named-hunter2>>"),
        ("log argument, object", "its text", "<<object-hunter2>>"),
        ("log argument, dict", "under a secret's key", "<<dict-hunter2>>"),
        ("log extra", "under a secret's key", "<<extra-hunter2>>"),
        ("log extra, object", "its text", "<<extra-object-hunter2>>"),
        ("extra", "under a secret's key", "<<extra-secret-55>>"),
        ("extra, in a list", "under a secret's key", "<<extra-deep-55>>"),
        ("extra, deeper than is told", "anything", "<<extra-deeper-55>>"),
        ("extra, bytes", "anything", "<<bytes-55aa66>>"),
        ("extra, object", "its text", "<<repr-of-object-55>>"),
        ("extra, a number", "of a card", "<<4111111111111111>>"),
        ("extra, a number", "of a count", "[[1234567]]"),
        ("context, a secret", "under a secret's key", "<<context-secret-55>>"),
        ("context, pairs of headers", "authorization", "<<context-pair-55>>"),
        ("tag, a secret", "under a secret's key", "<<tag-secret-55>>"),
        ("breadcrumb data", "under a secret's key", "<<crumb-secret-55>>"),
        ("breadcrumb, query", "its literals", "[[SELECT]] 1 FROM [[t]] WHERE nick = '<<crumbsql55>>'"),
        ("breadcrumb, address", "its query", "https://api.example/[[v1/items]]?q=<<crumb-query-55>>"),
        ("breadcrumb, process", "its arguments", "[[backup]] --login <<crumb-argv-55>>"),
        ("user e-mail", "as it is", "<<anna.user@example.org>>"),
        ("user name", "as it is", "<<anna-blum-user>>"),
        ("user address", "as it is", "<<198.51.100.23>>"),
        ("user, other field", "as it is", "<<anna-blum-field>>"),
        ("user id", "an e-mail address", "<<anna.id@example.org>>"),
        ("user id", "a number", "[[4711]]"),
        ("header", "authorization", "Bearer <<header-auth-55>>"),
        ("header, unknown", "its value", "<<header-unknown-55>>"),
        ("header, subprotocol", "a token", "bearer, <<header-protocol-55>>"),
        ("header, cookie", "its value", "theme=dark; id=<<header-cookie-55>>"),
        ("header, forwarded", "an address", "<<198.51.100.24>>"),
        ("header, referer", "its query", "https://shop.example/[[cart]]?s=<<header-referer-55>>"),
        ("header, harmless", "stays", "[[gzip, deflate]]"),
        ("query string", "its values", "[[page]]=2&token=<<query-token-55>>&q=<<query-free-55>>"),
        ("query string", "percent-encoded", "token%3D<<query-encoded-55>>"),
        ("query string", "without a name", "<<query-nameless-55>>"),
        ("request address", "its query", "ws://pam.example/api/v1/[[pam]]?token=<<address-query-55>>"),
        ("request address", "encoded twice", "ws://pam.example/[[pam]]%253Ftoken%253D<<address-encoded-55>>"),
        ("request address", "a login", "https://<<address-login-55>>@pam.example/[[pam]]"),
        ("request body", "anything", "<<body-55aa>>"),
        ("request cookies", "anything", "<<cookies-55aa>>"),
        ("request environment", "an address", "<<198.51.100.25>>"),
        ("transaction name", "its query", "/api/v1/[[pam]]?ticket=<<transaction-55>>"),
        ("frame path", "a home", "/home/<<annaframe>>/[[app_of_frames.py]]"),
        ("local variable", "anything", "<<local-hunter2>>"),
        ("source line", "anything", "<<source-hunter2>>"),
        ("thread name", "a person", "[[worker]] of <<anna.thread@example.org>>"),
        ("SQLAlchemy error", "statement and parameters", "<<sqla-anna-blum>>"),
        ("pydantic error", "its input", "<<pydantic-hunter2>>"),
        ("WebSocket of a backend", "its query and protocol", "<<asgi-token-5566>>"),
        ("fingerprint", "a person", "<<anna.print@example.org>>"),
        ("fingerprint", "stays", "[[login failed]]"),
        ("unknown part", "under a secret's key", "<<unknown-part-55>>"),
    ]
]
"""For places of a shape of their own."""

EVERYWHERE = (
    *("message", "exception", "breadcrumb", "extra, deep", "tag", "context"),
    *(
        "log argument",
        "log message",
        "log exception",
        "cause",
        "while handling",
        "group",
        "group in a group",
        "note",
    ),
)
_IN_EACH_PLACE = ("password in a DSN", "e-mail")

OF_EACH_CLASS: list[Case] = [Case("several", name, marked) for name, marked in CLASSES.items()]
CASES: list[Case] = [
    *(Case(place, name, CLASSES[name]) for place in EVERYWHERE for name in _IN_EACH_PLACE),
    *(Case(place, "what is harmless", HARMLESS) for place in ("message", "exception", "extra, deep")),
    *ONLY_THERE,
]


def texts_of(value: Any) -> Iterator[str]:
    """Every key and value of what arrived, as a text."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield key
            yield from texts_of(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts_of(each)
    else:
        yield str(value)
