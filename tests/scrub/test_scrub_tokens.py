"""Keys of vendors, credentials of the wire and private keys are gone wherever they stand."""

import json
import random
import string

import pytest

from nightbench.scrub import scrub

_HEX, _WORD, _UPPER = (
    string.hexdigits.lower()[:16],
    string.ascii_letters + string.digits,
    string.ascii_uppercase + "234567",
)

# how a key begins, what it goes on with and how much of that
VENDORS = [
    *(("sk-", _WORD, 48), ("sk-proj-", _WORD, 64), ("sk-ant-" + "api03-", _WORD, 93), ("gsk_", _WORD, 52), ("hf_", _WORD, 34)),
    *(("ghp_", _WORD, 36), ("gho_", _WORD, 36), ("ghs_", _WORD, 36), ("github_pat_", _WORD, 82), ("glpat-", _WORD, 20)),
    *(("npm_", _WORD, 36), ("pypi-" + "AgEIcHlwaS5vcmc", _WORD, 60), ("dckr_pat_", _WORD, 27), ("xoxb-" + "123-456-", _WORD, 24)),
    *(("AKIA", _UPPER, 16), ("ASIA", _UPPER, 16), ("AIza", _WORD, 35), ("ya29.", _WORD, 60), ("GOCSPX-", _WORD, 28)),
    *(("sk_" + "live_", _WORD, 24), ("rk_" + "test_", _WORD, 24), ("whsec_", _WORD, 32), ("SK", _HEX, 32), ("key-", _HEX, 32)),
    *(("sbp_", _HEX, 40), ("sb_" + "secret_", _WORD, 31), ("sntrys_", _WORD, 60), ("sntryu_", _HEX, 64), ("shpat_", _HEX, 32)),
    *(("dop_v1_", _HEX, 64), ("dapi", _HEX, 32), ("hvs.", _WORD, 95), ("AGE-SECRET-KEY-1", _UPPER, 58), ("sq0atp-", _WORD, 22)),
    *(("1234567890:A", _WORD, 34), ("glsa_", _WORD, 32), ("ATATT3", _WORD, 186), ("acme_live_", _WORD, 24), ("lin_api_", _WORD, 40)),
]  # fmt: skip


@pytest.mark.parametrize(("beginning", "alphabet", "length"), VENDORS)
def test_a_vendors_key_is_gone(beginning, alphabet, length):
    rest = (
        "1a" + "".join(random.Random(length).choices(alphabet, k=length - 2))
        if alphabet is not _UPPER
        else "A2" * (length // 2)
    )
    key = beginning + rest
    for text in (f"refused {key}, again", f"k={key}", json.dumps([[key]]), f"https://h/x?a={key}&b=1"):
        assert rest not in scrub(text)
    assert scrub(f"refused {key}, again") == "refused ***, again"


# text, what must be gone, what must stay
WIRE = [
    ("tokens=['zz11', 'zz12'] n=7", ["zz11", "zz12"], ["n=7"]),
    ("os.environ['DB_PASS'] = 'zz11'", ["zz11"], ["os.environ"]),
    ('<input name="csrf_token" value="zz11">', ["zz11"], ["csrf_token"]),
    ('name="password"\r\n\r\nzz11\r\n--b', ["zz11"], ["--b"]),
    ("websocket path /ws?q=zz11 closed", ["zz11"], ["closed"]),
    ("ws%3A//h/x%3Fq%3Dzz11", ["zz11"], ["ws%3A//h/x"]),
    ('Authorization: Digest username="m", realm="r", response="6629fae4" next', ["6629fae4"], []),
    ("Authorization: Bearer\r\n  folded99\r\nHost: h", ["folded99"], ["Host: h"]),
    ("Cookie: sessionid=8f7d6a5b; csrftoken=QQww22", ["8f7d6a5b", "QQww22"], []),
    ("Set-Cookie: sid=abc123def; Path=/; HttpOnly", ["abc123def"], []),
    ("[(b'host', b'h'), (b'authorization', b'Bearer zz11')]", ["zz11"], ["b'host', b'h'"]),
    ('[["authorization","Bearer zz11"],["accept","*/*"]]', ["zz11"], ['"accept","*/*"']),
    ("Sec-WebSocket-Protocol: bearer, zz11", ["zz11"], []),
    ("{'subprotocols': ['bearer', 'zz11'], 'path': '/ws'}", ["zz11"], ["'/ws'"]),
    ("wss://h/chat?ticket=abc999&v=7x#f", ["abc999", "7x"], ["wss://h/chat?ticket="]),
    ("wss://h/chat?abc999", ["abc999"], ["wss://h/chat?"]),
    ("to=wss%3A%2F%2Fh%2Fchat%3Fticket%3Dabc999", ["abc999"], ["chat"]),
    ("to=wss%253A%252F%252Fh%252Fchat%253Fticket%253Dabc999", ["abc999"], ["chat"]),
    ('"WebSocket /pam?ticket=abc999" [accepted]', ["abc999"], ["/pam", "[accepted]"]),
    ("postgresql%3A%2F%2Fapp%3Azz11%40db%2Fprod", ["zz11"], ["db%2Fprod"]),
    ("https://0a1b2c@sentry.example/2", ["0a1b2c"], ["sentry.example/2"]),
    ("machine h login u password zz11", ["zz11"], ["login u"]),
    ("localhost:5432:app:role:zz11", ["zz11"], ["localhost:5432:app:role"]),
    ("curl -u me:zz11 http://h/x", ["zz11"], ["http://h/x"]),
    ("tool --api-key zz11 --n 5", ["zz11"], ["--n 5"]),
    ("ALTER ROLE app PASSWORD 'zz11'", ["zz11"], ["ALTER ROLE app"]),
    ("AccountName=a;AccountKey=zz11==;x=y", ["zz11"], ["AccountName=a"]),
    (
        "-----BEGIN RSA PRIVATE KEY-----\nMIIa\nzz11\n-----END RSA PRIVATE KEY-----\nafter",
        ["MIIa", "zz11"],
        ["\nafter"],
    ),
    ("k: -----BEGIN PRIVATE KEY-----\\nzz11\\n-----END PRIVATE KEY----- on", ["zz11"], [" on"]),
    ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\nzz11", ["b3Bl", "zz11"], []),
    ("b3BlbnNzaC1rZXk\nzz11\n-----END OPENSSH PRIVATE KEY-----", ["b3Bl", "zz11"], []),
]


@pytest.mark.parametrize(("text", "gone", "kept"), WIRE)
def test_credentials_of_the_wire_are_gone(text, gone, kept):
    scrubbed = scrub(text)
    assert [each for each in gone if each in scrubbed] == []
    assert [each for each in kept if each not in scrubbed] == []
    assert scrub(scrubbed) == scrubbed


_NAMES = (
    *("apiKey", "api_key", "X-API-Key", "clientSecret", "refresh_token", "refreshToken", "sessionId", "privateKey", "DB_PASSWORD"),
    *("user_pwd", "SECRET_KEY_BASE", "csrf_token", "XSRF-TOKEN", "passphrase", "credentials", "service_role_key", "totp_secret"),
    *("otp", "password_confirmation", "newPassword", "passwordHash", "JWT", "connection_string", "user[password]"),
)  # fmt: skip
_SHAPES = (
    *(
        '{{"n": 7, "{}": "v4L$x"}}',
        "{}=v4L$x n=7",
        "<u n=7 {}='v4L$x'>",
        "U(n=7, {}='v4L$x')",
        "{{b'{}': b'v4L$x', 'n': 7}}",
    ),
    *('"{{\\"{}\\": \\"v4L$x\\"}}"', "?n=7&{}=v4L$x", "{}%3Dv4L$x", "{} => 'v4L$x'"),
)


@pytest.mark.parametrize("name", _NAMES)
def test_the_value_of_a_secrets_name_is_gone_in_any_notation(name):
    assert [shape for shape in _SHAPES if "v4L" in scrub(shape.format(name))] == []


def test_what_is_no_value_stays():
    for text in (
        "token=None",
        "WHERE token = $1",
        "password = %(password)s",
        "Authorization: Bearer ${token}",
        "tokens: 7, keys: 3",
    ):
        assert scrub(text) == text
