"""What frameworks, drivers and pools of connections write, line for line: the secret goes, the rest can be read."""

import pytest

from nightbench.scrub import scrub, scrub_own_tree, scrub_tree

# text with the secret, what of it is gone, what stays
LINES = [
    ('DEBUG hooks.slack.com:443 "POST /services/T02AB3CD4/B05EF6GH7/{} HTTP/1.1" 200', ["x9Yz8Wv7Ut6Sr5Qp4On3Ml2K"], ["/services/T02AB3CD4/", "200"]),
    ('"POST /api/webhooks/123456789012345678/{} HTTP/1.1" 204', ["x9Yz8Wv7Ut6Sr5Qp4On3Ml2K-_"], ["/api/webhooks/", "204"]),
    ("Engine [generated in 0.00021s] ('{}', 7)", ["Klara Fall"], ["[generated in 0.00021s]"]),
    ("Engine [cached since 12.3s ago] {{'nickname': '{}'}}", ["Klara"], ["[cached since 12.3s ago]"]),
    ("Engine [raw sql] ('{}',)", ["Klara"], ["[raw sql]"]),
    ("[{{'type': 'string_too_short', 'loc': ('body', 'n'), 'msg': 'Too short', 'input': '{}', 'ctx': {{'min_length': 12}}}}]", ["Kurz"], ["string_too_short", "min_length"]),
    ("[{{'loc': ('a',), 'msg': 'm', 'input': '{}'}}, {{'type': 'missing', 'loc': ('b',)}}]", ["Kurz"], ["'missing'", "('b',)"]),
    ('{{"detail":[{{"type":"missing","loc":["body"],"msg":"Field required","input":{{"a":"{}"}}}}]}}', ["Kurz"], ["Field required"]),
    ("AUTH default {}", ["pinguin"], ["AUTH default"]),
    ("sqlalchemy.engine.Engine [insertmanyvalues 1/1 (unordered)] ('{}',)", ["Klara"], ["[insertmanyvalues 1/1 (unordered)]"]),
    ("INFO sqlalchemy.engine.Engine ('{}', 12)", ["Klara"], ["sqlalchemy.engine.Engine"]),
    ("websockets.client:> GET /chat?room={}&k=1 HTTP/1.1", ["pinguin"], ["GET /chat?room=", "HTTP/1.1"]),
    ("GET /chat?room={} HTTP/1.1\nHost: h\nSec-WebSocket-Version: 13", ["pinguin"], ["GET /chat?room=", "Version: 13"]),
    ("code_verifier={} n=7", ["pinguin"], ["n=7"]),
    ("{{'device_code': '{}', 'n': 7}}", ["pinguin"], ["'n': 7"]),
    ("nats://{}@h:4222 failed", ["pinguin"], ["h:4222 failed"]),
    ("'AUTH default {}'", ["pinguin"], ["AUTH default"]),
    ("SET session:9912 '{{\"user\":\"{}\"}}' EX 60", ["Klara"], ["SET session:"]),
    ("hash {} stored", ["$2b$12$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW"], ["stored"]),
    ("hash {} stored", ["$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$aGFzaGhhc2g"], ["stored"]),
    ("hash {} stored", ["$6$rounds=5000$saltsalt$hashhashhashhashhash"], ["stored"]),
    ("hash {} stored", ["pbkdf2_sha256$600000$abcSALT$hashHASHhash="], ["stored"]),
    ("hash {} stored", ["scrypt:32768:8:1$salt$0123456789abcdef0123456789abcdef"], ["stored"]),
    ("hash {} stored", ["SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7B=:wfPLwcE6nTWhTAmQ7tl2"], ["stored"]),
    ("hash {} stored", ["{SSHA}W22ZaJ0SNY7soEsUEjb6gQ=="], ["stored"]),
    ("hash {} stored", ["md5a3556571e93b0d20722ba62be61e8c2d"], ["stored"]),
    ("peer ipv6:%5B{}%5D:443", ["2001:db8::9"], ["peer ipv6:", ":443"]),
    ("open /root/../home/{}/x", ["jmeier"], ["/root/..~/x"]),
    ("'form-data; name=\"password\"\\r\\n\\r\\n{}\\r\\n--b'", ["pinguin"], ["form-data"]),
    ("'\\'form-data; name=\"password\"\\\\r\\\\n\\\\r\\\\n{}\\\\r\\\\n--b\\''", ["pinguin"], ["form-data"]),
    ("{{'passwords': {{'jane': '{}', 'john': 'other'}}}}", ["pinguin"], ["'passwords'"]),
]  # fmt: skip


@pytest.mark.parametrize(("line", "gone", "kept"), LINES)
def test_the_secret_of_a_line_is_gone(line, gone, kept):
    scrubbed = scrub(line.format(*gone))
    assert [each for each in gone if each in scrubbed] == []
    assert [each for each in kept if each not in scrubbed] == []
    assert scrub(scrubbed) == scrubbed


STAYS = [
    *("AUTH default user is missing", "SET x", "[generated in 0.2s]", "finished [cached since 3 days]", "md5 of the file: 12", "$1$ and $2"),
    *("pbkdf2 takes 600000 rounds", "GET /services/list/all 200", "POST /webhooks/7/retry 202", "input: 7, loc: 3, msg: none", "{'tokens': {'prompt': 5}}"),
    *("sqlalchemy.engine.Engine COMMIT", "sqlalchemy.engine.Engine [raw sql] SELECT 1", "GET /items?page=2 HTTP/1.1"),
    *("/srv/../share/data", "bcrypt cost 12", "SCRAM-SHA-256 authentication", "{SHA} is no scheme", "'input': 3 of 7"),
]  # fmt: skip


@pytest.mark.parametrize("text", STAYS)
def test_what_only_looks_like_it_stays(text):
    assert scrub(text) == text


TREES = [
    ({"loc": ("body",), "msg": "m", "input": "zz11"}, {"loc": ["body"], "msg": "m", "input": "***"}),
    ({"passwords": {"jane": "zz11"}}, {"passwords": {"jane": "***"}}),
    ({"sql": "SELECT $1", "params": ["zz11"]}, {"sql": "SELECT $1", "params": ["***"]}),
    (["mysql", "-pzz11", "-u", "root"], ["mysql", "***", "-u", "root"]),
    (["/usr/bin/sshpass", "-p", "zz11", "ssh"], ["/usr/bin/sshpass", "-p", "***", "ssh"]),
    (["redis-cli", "-a", "zz11", "PING"], ["redis-cli", "-a", "***", "PING"]),
    (["nightbench", "run", "--api-key", "zz11"], ["nightbench", "run", "--api-key", "***"]),
]


@pytest.mark.parametrize(("tree", "expected"), TREES)
def test_the_secret_of_a_structure_is_gone(tree, expected):
    assert scrub_tree(tree) == expected


KEPT_TREES = [
    {"tokens": {"prompt": 5, "answer": 7}},
    {"input": "full", "params": ["a"]},
    {"query": "dashboard", "values": [1.5, 2.5]},
    ["mkdir", "-p", "results"],
    ["nightbench", "--tier", "full"],
]


@pytest.mark.parametrize("tree", KEPT_TREES)
def test_other_structures_stay(tree):
    assert scrub_tree(tree) == tree


def test_parameters_of_ones_own_plan_stay():
    plan = {"sql": "SELECT $1", "params": ["Berlin"]}
    assert scrub_own_tree(plan) == plan
