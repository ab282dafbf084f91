"""Flags that make no plan, and other words that the command line does not know."""

from pathlib import Path

import pytest
from cli.conftest import SECRET

# arguments, environment, settings file, and what the line has to name
CASES = {
    "unknown tier": ("run nightlly", {}, "", ["TIER", "nightlly", "known are", "nightly"]),
    "unknown command": ("benchmark", {}, "", ["benchmark", "websocket"]),
    "unknown flag": ("websocket --usrs 3", {}, "", ["--usrs", "--users"]),
    "flag of the other suite": ("database --users 3", {}, "", ["--users"]),
    "tier that is none": ("websocket --tier huge", {}, "", ["--tier", "huge"]),
    "no blocks": ("run full --blocks 0", {}, "", ["--blocks", "'0'", "greater than or equal to 1"]),
    "too many repetitions": ("run full --reruns 10", {}, "", ["--reruns", "'10'", "less than or equal to 9"]),
    "blocks in words": ("run full --blocks many", {}, "", ["--blocks", "many"]),
    "no users": ("websocket --users 0", {}, "", ["--users", "'0'", "greater than 0"]),
    "negative users": ("websocket --users -5", {}, "", ["--users", "'-5'", "greater than 0"]),
    "half a user": ("websocket --users 1.5", {}, "", ["--users", "'1.5'", "integer"]),
    "users in words": ("websocket --users many", {}, "", ["--users", "'many'", "integer"]),
    "too many users": ("websocket --users 99999999", {}, "", ["--users", "50000"]),
    "no duration": ("websocket --duration 0", {}, "", ["--duration", "'0'"]),
    "duration that is no number": ("websocket --duration nan", {}, "", ["--duration", "'nan'", "finite"]),
    "endless duration": ("websocket --duration inf", {}, "", ["--duration", "'inf'"]),
    "negative rate": ("websocket --rate -1", {}, "", ["--rate", "'-1'"]),
    "negative think time": ("websocket --think -1", {}, "", ["--think", "'-1'"]),
    "no timeout": ("websocket --timeout 0", {}, "", ["--timeout", "'0'"]),
    "model that is none": ("websocket --model opne", {}, "", ["--model", "opne", "closed"]),
    "empty message": (["websocket", "--message", ""], {}, "", ["--message"]),
    "target without a limit": (
        ["websocket", "--target", "message.p95 <"],
        {},
        "",
        ["--target", "METRIC OP LIMIT"],
    ),
    "target with a word": (["websocket", "--target", "a.b < fast"], {}, "", ["--target", "a.b < fast"]),
    "no queries": ("database --queries 0", {}, "", ["--queries", "'0'"]),
    "no workers": ("database --workers 0", {}, "", ["--workers", "'0'"]),
    "no pool": ("database --pool-size 0", {}, "", ["--pool-size", "'0'"]),
    "negative overflow": ("database --max-overflow -1", {}, "", ["--max-overflow", "'-1'"]),
    "JSON into no folder": ("websocket --json nowhere/x.json", {}, "", ["--json", "nowhere/x.json"]),
    "JSON onto a folder": ("websocket --json cache", {}, "", ["--json", "folder"]),
    "target of the other suite": (
        ["websocket", "--target", "query.leaked_rows == 0"],
        {},
        "",
        [
            "--target = 'query.leaked_rows == 0'",
            "connection, reconnection, greeting, message, message[KIND], generator",
        ],
    ),
    "misspelled quantity of a target": (
        ["websocket", "--target", "message.respons_time.p95 < 500"],
        {},
        "",
        [
            "--target = 'message.respons_time.p95 < 500'",
            "measures no message.respons_time.p95",
            "did you mean message.response_time.p95?",
        ],
    ),
    "percentile that is not kept": (
        ["run", "nightly", "--websocket-target", "message.response_time.p90 < 500"],
        {},
        "",
        ["--websocket-target = 'message.response_time.p90 < 500'", "known are", "message.response_time.p95"],
    ),
    "target of a kind of messages that there is not": (
        ["websocket", "--target", "message[ask].response_time.p95 < 500"],
        {},
        "",
        ["--target", "with this plan", "did you mean message.response_time.p95?"],
    ),
    "target of greetings that there are not": (
        ["websocket", "--target", "greeting.success_rate > 99"],
        {},
        "",
        ["--target = 'greeting.success_rate > 99'", "measures no greeting.success_rate with this plan"],
    ),
    "target of a statement that there is not": (
        ["database", "--target", "query[expense_lists].execute_time.p95 < 9"],
        {},
        "",
        ["--target", "did you mean query[expense_listing].execute_time.p95?"],
    ),
    "misspelled target of a run": (
        ["run", "quick", "--database-target", "pol.wait.p95 < 9"],
        {},
        "",
        [
            "--database-target = 'pol.wait.p95 < 9'",
            "query, query[STATEMENT], pool, isolation, policy, server, observer, generator",
        ],
    ),
    "fields that do not agree": (
        "websocket --users 10 --shards 11",
        {},
        "",
        ["--shards and --users: more shards than users: 11 > 10"],
    ),
    "condition that is none": (
        ["websocket", "--reply.done", "finished"],
        {},
        "",
        ["--reply.done = 'finished'", "PATH == VALUE"],
    ),
    "condition that is none in a run": (
        ["run", "quick", "--websocket.reply.done", "finished"],
        {},
        "",
        ["--websocket.reply.done = 'finished'", "PATH == VALUE"],
    ),
    "match that is none": ("websocket --reply.match hope", {}, "", ["--reply.match", "hope", "order"]),
    "path that is none": ("websocket --reply.id-path a..b", {}, "", ["--reply.id-path = 'a..b'"]),
    "predicate that is none": (
        "websocket --reply.match predicate --reply.predicate f",
        {},
        "",
        ["--reply.predicate = 'f'"],
    ),
    "format that does not agree": (
        "websocket --reply.format raw",
        {},
        "",
        [
            "--reply.format: format: raw needs match: order",
            "reply.match, reply.done, reply.error as in tier quick",
        ],
    ),
    "key without its certificate": (
        ["websocket", "--tls.key-file", "it.pem"],
        {},
        "",
        ["--tls.key-file: a key without its certificate"],
    ),
    "fields of a run that do not agree": (
        ["run", "nightly", "--websocket.users", "10", "--websocket.shards", "11"],
        {},
        "",
        ["--websocket.shards and --websocket.users: more shards than users: 11 > 10"],
    ),
    "server name that cannot be encoded": (
        ["websocket", "--tls.server-name", "a\udcff.example.org"],
        {},
        "",
        ["--tls.server-name", "no host name"],
    ),
    "server name with an empty label": (
        ["websocket", "--tls.server-name", "a..example.org"],
        {},
        "",
        ["--tls.server-name = 'a..example.org'", "no host name"],
    ),
    "condition without end": (
        ["websocket", "--reply.done", "x == " + "[" * 4000],
        {},
        "",
        ["--reply.done = 'x == [[", "deeper than 32 tables and lists"],
    ),
    "tokens of two sources": (
        ["websocket", "--tokens.file", "x", "--tokens.template", SECRET],
        {},
        "",
        ["--tokens = '***'", "not file and template"],
    ),
    "header without a colon": (
        ["websocket", "--header", SECRET],
        {},
        "",
        ["--header = '***'", "Name: value"],
    ),
    "header of the handshake": (
        ["websocket", "--header", f"Upgrade: {SECRET}"],
        {},
        "",
        ["--header", "'***'", "belongs to the handshake"],
    ),
    "header with an impossible name": (
        ["websocket", "--header", f"a b: {SECRET}"],
        {},
        "",
        ["--header", "'***'", "name of a header"],
    ),
    "header twice": (
        ["websocket", "--header", f"X-A: {SECRET}", "--header", "x-a: 1"],
        {},
        "",
        ["--header", "'***'", "x-a is there twice"],
    ),
    "subprotocol that is none": (["websocket", "--subprotocol", "a b"], {}, "", ["--subprotocol", "***"]),
    "what stands in a plan file alone": (
        ["websocket", "--messages", "x"],
        {},
        "",
        ["--messages"],
    ),
    "subprotocol with a long secret": (
        ["websocket", "--subprotocol", f"{'x' * 40} {SECRET}"],
        {},
        "",
        ["--subprotocol"],
    ),
    "plan file that is a device": (
        ["websocket", "--plan", "zero.yaml"],
        {},
        "",
        ["--plan = 'zero.yaml'", "it is a device and not a file"],
    ),
    "plan file that is not there": (
        "websocket --plan no.yaml",
        {},
        "",
        ["--plan = 'no.yaml'", "cannot be read: no such file"],
    ),
    "plan file of another kind": (
        "database --plan taken",
        {},
        "",
        ["--plan = 'taken'", "neither YAML nor TOML"],
    ),
    "plan file of a run that is not there": ("run quick --plan no.toml", {}, "", ["--plan = 'no.toml'"]),
    "message with an unknown placeholder": (
        ["websocket", "--message", "${prompt}"],
        {},
        "",
        ["message = '${prompt}'", "no such placeholder"],
    ),
    "target with an infinite limit": (
        ["websocket", "--target", "message.success_rate > inf"],
        {},
        "",
        ["--target = 'message.success_rate > inf'", "METRIC OP LIMIT"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_one_line_and_code_2(case, refused):
    Path("zero.yaml").symlink_to("/dev/zero")
    refused(*CASES[case])
