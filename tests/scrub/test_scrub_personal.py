"""Personal data and addresses of machines are gone; what only looks like them stays."""

import pytest

from nightbench.scrub import scrub, scrub_own

GONE = [
    *("alice@example.com", "a.b+tag@sub.example.co.uk", "jürgen@müller.de", "用户@例子.公司", "иван@пример.рф", "u@xn--mller-kva.de"),
    *("alice%40example.com", "alice%2540example.com", "o'brien@example.ie", '"john doe"@example.com', "संपर्क@डाटामेल.भारत"),
    *("alice\uff20example.com", "al\u200bice@example.com", "al\\u200bice@example.com", "alice\\u0040example.com", "alice&#64;example.com"),
    *("+14155552671", "+1 (415) 555-2671", "(415) 555-2671", "415-555-2671", "415.555.2671", "1-800-555-0199"),
    *("+49 30 1234567", "+49 (0)171 1234567", "030 12345678", "0171/1234567", "0049 171 1234567"),
    *("+33 6 12 34 56 78", "06 12 34 56 78", "06.12.34.56.78", "020 7946 0958"),
    *("203.0.113.7", "10.1.2.3", "2001:db8::1", "2001:0db8:85a3:0000:0000:8a2e:0370:7334", "fe80::1ff:fe23:4567:890a%eth0"),
    *("::ffff:203.0.113.7", "aa:bb:cc:dd:ee:01"),
    *("4111111111111111", "4111 1111 1111 1111", "5555-5555-5555-4444", "378282246310005", "3782 822463 10005", "6011111111111117"),
    *("4111.1111.1111.1111", "4111\xa01111\xa01111\xa01111", "4111%201111%201111%201111", "4111%2D1111%2D1111%2D1111", "4111\u20131111\u20131111\u20131111"),
    *("4111_1111_1111_1111", "4111\t1111\t1111\t1111", "4111+1111+1111+1111", "203%2E0%2E113%2E77", "2001%3Adb8%3A%3A17", "203.000.113.077"),
    *("(415)5550132", "+1\xa0415\xa0555\xa02671", "+1\u2011415\u2011555\u20112671", "bob(at)example.com", "bob [at] example [dot] com"),
    *("078-05-1120", "DE89 3704 0044 0532 0130 00"),
]  # fmt: skip

STAYS = [
    *("20261124T094720Z-quick-websocket-8b711a", "2026-11-24 09:47:20,123", "27.11.2026 10:30", "1764208800123456789", "1764208800.123456"),
    *("550e8400-e29b-41d4-a716-446655440000", "439a451ec55eab5d033ec2fa1b6a7043ef1c5aa0", "127.0.0.1:5432", "[::1]:5432", "0.0.0.0:8000"),
    *("4111111111111112", "1234567890123456", "100 200 3000", "555 666 7777 rows", "120 340 1200 ms", "05 10 15", "+12.5 % [+3.1 %, +21.9 %]"),
    *("version 1.2.3.4", "pkg==1.2.3.4", "Chrome/120.0.6099.71", "x[1::2]", "std::vector", "'x'::text", "10:30:20", "+00:00", "29,870"),
    *("@task and @flow", "n@50", "git@github.com:org/repo.git", "GET /home HTTP/1.1", "https://h/Users/list", "12345678901234567890"),
]  # fmt: skip


@pytest.mark.parametrize("value", GONE)
def test_it_is_gone_and_what_stands_beside_it_stays(value):
    assert scrub(f"client {value} refused") == "client *** refused"
    assert value not in scrub(f'{{"contact":"{value}","n":1}}')


@pytest.mark.parametrize("text", STAYS)
def test_what_only_looks_like_it_stays(text):
    assert scrub(text) == text
    assert scrub(f"at {text}, again") == f"at {text}, again"


HOMES = [
    ("/home/anna/app/main.py", "~/app/main.py"),
    ("/Users/anna/app/main.py", "~/app/main.py"),
    ("file:///home/anna/x", "file://~/x"),
    ("C:\\Users\\Anna B\\x", "~\\x"),
    ("C:\\\\Users\\\\anna\\\\x", "~\\\\x"),
    ("c:/Users/anna/x", "~/x"),
    ("/mnt/c/Users/anna/x", "~/x"),
    ("%2Fhome%2Fanna%2Fx", "~%2Fx"),
    ("C%3A%5CUsers%5CAnna%5Cx", "~%5Cx"),
    ("/home2/anna/x", "~/x"),
    ("\\\\srv\\home\\anna\\x", "\\\\srv\\home\\~\\x"),
]


@pytest.mark.parametrize(("path", "shown"), HOMES)
def test_a_home_is_a_tilde(path, shown):
    assert scrub(f'File "{path}", line 3') == f'File "{shown}", line 3'


def test_what_a_user_configured_keeps_its_hosts_and_literals():
    text = "SELECT 1 FROM t WHERE a = 'open' on 10.0.0.1"
    assert scrub_own(text) == text
    assert scrub_own("10.0.0.1 password=hunter2 a@example.com") == "10.0.0.1 password=*** ***"


def test_what_stands_beside_a_number_does_not_hide_it():
    for text, shown in (
        ("id-4111111111111111", "id-***"),
        ("n4111111111111111x", "n***x"),
        (";4111111111111111=2512", ";***=2512"),
        ("v203.0.113.77", "v***"),
        ("203.0.113.77_eth", "***_eth"),
    ):
        assert scrub(text) == shown
