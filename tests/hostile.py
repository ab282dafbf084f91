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
