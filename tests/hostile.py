"""Pieces of text that, repeated, have cost a scrubber more than their length."""

PIECES = (
    *("a@", "a@b.", "://", "a://", "x://u:", "x://u:a@", "://h:1 ", ' "x://u:', "x:a://", "[[:", "@h/", "a.", "a_", "a-"),
    *("=", "'", '"', "\\", "\\'token='", '"password":', "token=", "token='", "token=a\n", "token=[", "password ", "token\\"),
    *("eyJ-", "eyJa.", "basic ", "bearer ", "Authorization: ", "\nAuthorization: a\n b", "Cookie: a=b; ", 'Digest a="b", '),
    *("-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", "secret_", "A", "1", "1 ", "1:", "+1 ", "030 ", "4111 "),
    *("%40", "%3A%2F%2F", "wss://h?", "wss://h?a=b&", "https://a@", "*:*:*:*:", "ab:", "1.1.1.", "::", "C:\\Users\\", "/home/a "),
    *("select ", "select a from b where c='", "VALUES (1),", "'a',", "$$", "$1 = '", "create index ", 'value "', "Duplicate entry '"),
    *("DETAIL: Key (a)=(", "Failing row contains (", "[parameters: [", "input_value=", "\u200b", "ü@", "<a>", "{", "\n \n"),
)  # fmt: skip

RUNS = (
    *(("SELECT '", "\n"), ("SELECT a FROM b", ";\n "), ("SELECT /*", " /* "), ("COPY t FROM stdin;\n", "1\t"), ("DO $$", "$ $")),
    *(("DETAIL: Key (a)=(", "\n"), ("DETAIL: Key (a)=(", "\n \n"), ("(", ")=("), ("ungültig: »", "« "), ('COPY t, line 1: "', "a ")),
    *(("password: |\n", " password: |\n"), ("password=", "\\n"), ("password", "\x00"), ("mysql ", "-p "), ("Password is ", "is ")),
    *(("eyJa.", "\n"), ("eyAi", "eyAi.a "), ("LS0tLS1CRUdJTi", "\n"), ("-----BEGIN ", "A "), ("~", "a."), ("/afs/", "a/"), ("a_", "aA1")),
    *(("4111", "-4111"), ("4111", "%20"), ("1", "-1"), ("1%2E", "1%2E"), ("1%3A", "1%3A"), ("a [at] ", "b [dot] "), ("\\\\", "a\\")),
)  # fmt: skip
"""Beginnings, and what has cost more than its length when it went on behind them."""
