"""The scrubber: the CPU time of a megabyte of hostile text, and of what a night really scrubs.

Every text of the table is a piece that repeats, a megabyte of it, with and without an ending that could be what a rule
waits for. The goal is that of the privacy promise: under 100 ms for each.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

from benchmarks.table import Figure, Goal
from nightbench.scrub import LONGEST, scrub, scrub_tree

_PIECES = (
    *("a@", "a@b.", "://", "a://", "x://u:", "x://u:a@", "://h:1 ", ' "x://u:', "x:a://", "[[:", "@h/", "a.", "a_", "a-", "\n"),
    *("=", "'", '"', "\\", "\\'token='", '"password":', "token=", "token='", "token=a\n", "a=\n", "token=[", "password ", "--token "),
    *("eyJ", "eyJ-", "eyJa.", "basic ", "bearer ", "Bearer aaaa ", "Authorization: ", "\nAuthorization: a\n b", "Cookie: a=b; "),
    *("-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", "secret_", "sk-", "xoxb-", "AKIA", "A", "a", "aws ", "MII", "1", "1 "),
    *("1:", "1.", "+1 ", "030 ", "4111 ", "%", "%40", "%3A%2F%2F", "wss://h?", "wss://h?a=b&", "https://a@", "*:*:*:*:", "ab:", "::"),
    *("1.1.1.", "C:\\Users\\", "/home/a ", "select ", "select a from b where c='", "VALUES (1),", "in (1,", "'a',", "$$", "$1 = '"),
    *("create index ", 'value "', "Duplicate entry '", "DETAIL: Key (a)=(", "Failing row contains (", "[parameters: [", "input_value="),
    *("\u200b", "\uff20", "ü", "ü@", "<a>", "<password>", "{", "\n \n", " ", "-", "+", "***", "&quot;", "?a=b&"),
)  # fmt: skip
_BEGINNINGS = ("SELECT '", "password='", "DETAIL: Key (a)=(", "COPY t FROM stdin;\n", "password: |\n")
"""Behind each of them a megabyte of line breaks, blanks, backslashes and numbers."""
_FILLINGS = ("\n", " ", "\n ", "\\n", "1 ", "--\n")
_ENDINGS = ("", "@h/\"'", "\n'")
_MEGABYTE = 1_000_000
_MOST_MS = 100.0
_SHOWN = 3

_LINE = "2026-11-27 03:15:00,123 INFO message.response_time.p95 41.7 ms of 29,870, run 20261127T031500Z-full-websocket-9f2c4e"
_TRACEBACK = '  File "/srv/app/main.py", line 123, in handle\n    await self.send(message)\n' * 60


def measure(report: Callable[[str], None]) -> list[Figure]:
    """The slowest pieces of all, mixes of them, and what is usual."""
    mixes = ["".join(_PIECES[first::7]) for first in range(7)]
    times: list[tuple[float, str]] = []
    for piece in (*_PIECES, *mixes):
        report(repr(piece[:20]))
        times.append((max(_milliseconds(_megabyte(piece, ending)) for ending in _ENDINGS), piece))
    for begin, piece in itertools.product(_BEGINNINGS, _FILLINGS):
        times.append((_milliseconds(begin + _megabyte(piece, "")), begin + piece))
    times.sort(reverse=True)
    goal = Goal("<", _MOST_MS)
    slowest = [
        Figure(f"a megabyte of {piece[:24]!r}", ms, "ms", goal, note="CPU") for ms, piece in times[:_SHOWN]
    ]
    report("usual texts")
    return [
        Figure(
            "texts tried",
            float((len(_PIECES) + len(mixes)) * len(_ENDINGS) + len(_BEGINNINGS) * len(_FILLINGS)),
            note=f"cut to {LONGEST:,} characters",
        ),
        *slowest,
        Figure("a line of a log", 1000 * _milliseconds(_LINE), "µs"),
        Figure("a traceback of 60 frames", _milliseconds(_TRACEBACK), "ms"),
        Figure(
            "a tree of 10,000 texts",
            _milliseconds_of(lambda: scrub_tree([f"{_LINE} {n}" for n in range(10_000)])),
            "ms",
        ),
    ]


def _megabyte(piece: str, ending: str) -> str:
    return (piece * (_MEGABYTE // len(piece) + 1))[:_MEGABYTE] + ending


def _milliseconds(text: str) -> float:
    return _milliseconds_of(lambda: scrub(text))


def _milliseconds_of(work: Callable[[], object]) -> float:
    return min(_once(work) for _ in range(3))


def _once(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return (time.process_time() - began) * 1e3
