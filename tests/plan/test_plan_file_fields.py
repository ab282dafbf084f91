"""A field of a plan file that cannot be used: the error names file, line and field, and shows no secret."""

from dataclasses import dataclass

import pytest

SECRET = "hunter2"


@dataclass
class Bad:
    """A plan file that cannot be used, and what its error has to say."""

    content: str
    says: list[str]
    name: str = "it.yaml"


BAD = {
    "unknown table": Bad("websockets: {}", ["it.yaml, line 1: websockets", "did you mean websocket?"]),
    "unknown field": Bad(
        f"websocket:\n  users: 3\n  tokn: {SECRET}",
        ["it.yaml, line 3: websocket.tokn = '***'", "did you mean"],
    ),
    "unknown field of a message": Bad(
        "websocket:\n  messages:\n  - name: a\n    text: x\n    weigth: 3",
        ["it.yaml, line 5: websocket.messages[0].weigth", "did you mean weight?"],
    ),
    "unknown field of the reply": Bad(
        "websocket:\n  reply: {mach: id}", ["line 2: websocket.reply.mach", "did you mean match?"]
    ),
    "field of the other suite": Bad(
        "database:\n  users: 3", ["line 2: database.users", "known are", "queries", "workers"]
    ),
    "number out of bounds": Bad(
        "websocket:\n  messages:\n  - name: a\n    text: x\n    weight: -1",
        ["it.yaml, line 5: websocket.messages[0].weight = '-1'", "greater than 0"],
    ),
    "number that is none": Bad("websocket:\n  users: many", ["line 2: websocket.users = 'many'"]),
    "word for a table": Bad("websocket: 3", ["line 1: websocket = '3'", "should be a table"]),
    "table for a list": Bad(
        "websocket:\n  messages: {name: a}", ["line 2: websocket.messages = '…'", "should be a list"]
    ),
    "missing field": Bad(
        "websocket:\n  users: 3\n  messages:\n  - text: x", ["line 4: websocket.messages[0].name: is missing"]
    ),
    "message that says two things": Bad(
        "websocket:\n  messages:\n  - {name: a, text: x, binary: AAAA}",
        ["line 3: websocket.messages[0] = '…'", "not text and binary"],
    ),
    "condition that is none": Bad(
        "websocket:\n  reply:\n    done: finished",
        ["line 3: websocket.reply.done = 'finished'", "PATH == VALUE"],
    ),
    "condition without end": Bad(
        f"websocket:\n  reply:\n    done: x == {'[' * 4000}",
        ["line 3: websocket.reply.done = 'x == [[", "deeper than 32 tables and lists"],
    ),
    "long condition": Bad(
        f"websocket:\n  reply:\n    done: x == {'y' * 5000}",
        ["line 3: websocket.reply.done", "4,096 characters"],
    ),
    "deep condition as a table": Bad(
        "websocket:\n  reply:\n    expect: {path: x, op: ==, value: " + "[" * 40 + "]" * 40 + "}",
        ["line 3: websocket.reply.expect.value = '…'", "deeper than 32 tables and lists"],
    ),
    "deep body": Bad(
        f"websocket:\n  messages:\n  - name: a\n    body: {'[' * 300}{']' * 300}",
        ["line 4: websocket.messages[0].body", "is too deep"],
    ),
    "server name that is none": Bad(
        f"websocket:\n  tls:\n    server_name: {'a' * 64}.example.org",
        ["line 3: websocket.tls.server_name = 'aaaa", "no host name", "63"],
    ),
    "subprotocol that cannot be offered": Bad(
        'websocket:\n  subprotocols: [chat, "bearer ${token}"]',
        ["line 2: websocket.subprotocols[1]", "pattern"],
    ),
    "corner out of bounds": Bad(
        "websocket:\n  rate_profile:\n  - {at: 0, rate: 1}\n  - {at: 3, rate: -1}",
        ["line 4: websocket.rate_profile[1].rate = '-1'"],
    ),
    "infinite number deep in a body": Bad(
        "websocket:\n  messages:\n  - name: a\n    body:\n      a: {b: [1, .inf]}",
        ["line 5: websocket.messages[0].body.a.b[1] = 'inf'", "finite"],
    ),
    "target of the other suite": Bad(
        "websocket:\n  targets: [query.leaked_rows == 0]",
        ["line 2: websocket.targets[0]", "measures no 'query'"],
    ),
    "header that is no text": Bad(
        f"websocket:\n  headers:\n    X: [{SECRET}]", ["line 3: websocket.headers.X = '***'"]
    ),
    "header with an impossible name": Bad(
        f"websocket:\n  headers:\n    'a b': {SECRET}",
        ["line 3: websocket.headers.a b = '***'", "name of a header"],
    ),
    "header where its name is due": Bad(
        f"websocket:\n  headers:\n    'Authorization: Bearer {SECRET}': x", ["line 3", "name of a header"]
    ),
    "header of the handshake": Bad(
        f"websocket:\n  headers: {{Sec-WebSocket-Protocol: {SECRET}}}",
        [
            "line 2: websocket.headers = '***'",
            "sec-websocket-protocol belongs to the handshake",
            "subprotocols",
        ],
    ),
    "header twice": Bad(
        f"websocket:\n  headers: {{X-Key: {SECRET}, x-key: b}}",
        ["websocket.headers = '***'", "x-key is there twice"],
    ),
    "tokens of two sources": Bad(
        f"websocket:\n  tokens:\n    file: x\n    template: {SECRET}",
        ["websocket.tokens = '***'", "not file and template"],
    ),
    "token template that is no text": Bad(
        f"websocket:\n  tokens: {{template: [{SECRET}]}}", ["line 2: websocket.tokens.template = '***'"]
    ),
    "field of TOML": Bad(
        "[websocket]\nusers = 3\n\n[websocket.reply]\ndone = 'x'",
        ["it.toml, line 5: websocket.reply.done = 'x'"],
        "it.toml",
    ),
    "list of TOML": Bad(
        "[[websocket.messages]]\nname = 'a'\ntext = 'x'\n[[websocket.messages]]\nname = 'b'\ntext = 'x'\nweight = 0",
        ["it.toml, line 7: websocket.messages[1].weight = '0'"],
        "it.toml",
    ),
    "dotted key of TOML": Bad("websocket.users = 0", ["it.toml, line 1: websocket.users = '0'"], "it.toml"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_told_with_file_line_and_field(case, refused):
    bad = BAD[case]
    refused(bad.name, bad.content, bad.says)
