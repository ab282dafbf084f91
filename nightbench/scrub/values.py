"""The values of keywords, parameters, headers, members, attributes and elements that have the name of a secret."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nightbench.scrub.extents import end_of_parameter, end_of_word, extent
from nightbench.scrub.names import Trust, names_secret_texts, trust
from nightbench.scrub.patterns import late
from nightbench.scrub.quotes import Quotes
from nightbench.scrub.spans import REDACTED, Span

_QUOTE = r"(?:\\*[\"'`]|&quot;|&#(?:34|39|x27|x22);|%(?:25)*2[27]|\\u002[27])"
_KEY = late(
    r"(?<![\w.-])-{0,2}+(?P<key>\w[\w.-]*+)(?P<close>\]*" + _QUOTE + r"[\])]*|[\])]*)[^\S\n]*+"
    r"(?P<sign>={1,3}>?|:{1,2}=?>?|!=|~=|<>|%(?:25)*3[DdAa]|\\u003[dD]|,|->)[^\S\n]*+"
    r"(?:[bBrRuUfF]{1,2}(?=\\*[\"'`]))?(?P<mark>\\*[\"'`])?"
)
"""A name, a sign and where its value begins, in quotes or not."""
_SAID = late(
    r"(?:(?<!\S)(?:-u|--user|--proxy-user)[^\S\n=]*+(?=\\*[\"']?[^\s:\"']++:[^\s/])|(?<![\w-])--(?P<key>[\w-]++)[^\S\n]++(?=[^\s-])|(?i:passw(?:or)?d|passphrase|identified by)[^\S\n]++(?=\\*[\"'`])"
    r"|(?<=login )\S++[^\S\n]++password[^\S\n]++|(?<!\S)(?:-u|--user)[ \t=]*+(?=\\*[\"']?[^\s:\"']++:[^\s/]))(?P<mark>\\*[\"'`])?"
)
"""Where a value follows behind nothing but blanks: a flag's, SQL's ``PASSWORD '…'``, netrc's, curl's."""
_MAY_BE_SAID = late(r"--|-u|[Pp]ass|PASS|identified|IDENTIFIED")
_NO_SECRET = late(
    r"none|null|nil|true|false|undefined|required|optional|missing|\$\d+|%s|%\(\w+\)s|\?|\$\{\w*(?::\w*)?\}|<\w*>|\[filtered\]|…|\.\.\.|[|>][-+\d]{0,2}(?:\\+[rn])*",
    re.IGNORECASE,
)
"""What stands where a secret is due and is none: nothing, a placeholder of a statement or of a template."""
_ELEMENT = late(r"<(?P<key>[A-Za-z][\w:.-]*+)[^<>\n]*+>(?P<secret>[^<]++)")
_SAYS_SO = late(r"\d|\[[\"']")
_OF_TEXTS = late(r"\[[bu]?\\*[\"']|\{\\*[\"'][^\"'\n]{0,60}[\"']\s?:\s?[bu]?\\*[\"']")
_MIXED = late(r"(?=[^\s,}]{0,64}\d)(?=[^\s,}]{0,64}[A-Za-z])[^\s,}]{6}")
_NAMED = late(
    r"\b(?:key|name|header|id)[\"']?\s?[=:]\s?\\*[\"'](?P<key>[\w.-]{1,60})\\*[\"'][^<>\n\"']{0,20}[\"']?\bvalue\\*[\"']?\s?[=:]\s?b?(?P<mark>\\*[\"'])"
)
"""A name and a value as members of their own: ``name="csrf_token" value="…"``."""
_OBJECT = late(r"<(?P<key>\w[\w.]{1,60})[ (][^<>\n]{0,120}?\bvalue=[bu]?(?P<mark>\\*[\"'])")
"""A value that says what it is by the name of its class: ``<Token value='…'>``."""
_DIGITS = late(r"\d[\d -]*+")


def values(line: str, quotes: Quotes, passwords: set[int]) -> Iterator[Span]:
    """The values of secrets' names in a line, but where one begins that is the password of a URL."""
    done = 0
    place = 0
    while match := _KEY.search(line, place):
        place = max(match.end("key"), place + 1)
        if match.end() <= done or match.end() in passwords or not _counts(line, match):
            continue
        start, end = _extent(line, match, quotes)
        if end > start and not _is_no_secret(line, start, end):
            place = done = end
            yield start, end
    yield from _elsewhere(line, quotes)


def _elsewhere(line: str, quotes: Quotes) -> Iterator[Span]:
    """Values that no sign joins to their name."""
    if _MAY_BE_SAID.search(line) is not None:
        yield from _said(line, quotes)
    if "value" in line:
        for named in _NAMED.finditer(line):
            closing = quotes.end(named["mark"], named.end())
            if trust(named["key"]) >= Trust.PERHAPS and (closing is None or closing > named.end()):
                yield named.end(), len(line) if closing is None else closing
        for element in _OBJECT.finditer(line):
            if trust(element["key"]) >= Trust.PERHAPS:
                closing = quotes.end(element["mark"], element.end())
                yield element.end(), len(line) if closing is None else closing
    if "</" in line:
        for element in _ELEMENT.finditer(line):
            if trust(element["key"]) >= Trust.PERHAPS:
                yield element.span("secret")


def _counts(line: str, match: re.Match[str]) -> bool:
    sure, sign = trust(match["key"]), match["sign"]
    if sure is Trust.NONE:
        is_written_by_a_machine = sign.startswith("=") or match["close"] != ""
        is_list = _OF_TEXTS.match(line, match.end()) is not None
        return is_written_by_a_machine and is_list and names_secret_texts(match["key"])
    if sign == ",":
        # a pair, as headers are; not one of a list of names
        return sure is Trust.SURE and match["close"].endswith(("'", '"')) and match["mark"] is not None
    if (
        sign in (":", "->")
        and line[match.start("key") - 1 : match.start("key")] == "/"
        and not match["close"]
    ):
        return False  # a file's path or a host
    if sure is Trust.SURE:
        return True
    if sure is Trust.PERHAPS:
        is_written_by_a_machine = sign.startswith(("=", "%", "\\")) or match["close"] != ""
        return (
            is_written_by_a_machine
            or _is_header(match["key"])
            or _SAYS_SO.match(line, match.end()) is not None
            or _is_pass(line, match)
        )
    return sign.startswith(("=", "%")) and _begins_with(line, match.start("key")) in ("?", "&", ";")


def _is_header(key: str) -> bool:
    return key[:2].lower() == "x-"


def _is_pass(line: str, match: re.Match[str]) -> bool:
    return match["key"].lower().endswith("pass") and _MIXED.match(line, match.end()) is not None


def _said(line: str, quotes: Quotes) -> Iterator[Span]:
    for match in _SAID.finditer(line):
        if match["key"] is not None and trust(match["key"]) < Trust.PERHAPS:
            continue
        start = match.end()
        closing = quotes.end(match["mark"], start)
        end = end_of_word(line, start) if closing is None else closing
        if end > start and not _is_no_secret(line, start, end):
            yield start, end


def _extent(line: str, match: re.Match[str], quotes: Quotes) -> Span:
    start, mark = match.end(), match["mark"]
    closing = quotes.end(mark, start)
    if mark:
        return start, len(line) if closing is None else closing
    if (
        trust(match["key"]) is Trust.PERHAPS
        and match["sign"] == ":"
        and (digits := _DIGITS.match(line, start))
    ):
        return start, start + len(digits[0].rstrip())
    in_query = _begins_with(line, match.start("key")) in ("?", "&")
    return extent(match["key"].lower(), line, start, end_of_parameter if in_query else end_of_word)


def _is_no_secret(line: str, start: int, end: int) -> bool:
    """Whether nothing is there, or a placeholder, whose bracket may stand behind `end`."""
    match = _NO_SECRET.match(line, start)
    return line[start:end].lstrip("[({") == REDACTED or (match is not None and match.end() >= end)


def _begins_with(line: str, place: int) -> str:
    """The character before the word that begins at `place`."""
    return line[place - 1] if place > 0 else ""
