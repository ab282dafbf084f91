"""How far a value without quotes of its own goes, by whose value it is."""

from __future__ import annotations

import re
from collections.abc import Callable

from nightbench.scrub.patterns import late
from nightbench.scrub.spans import Span

_KIND = late(
    r"(?:bearer|basic|negotiate|ntlm|token|sentry|api-?key|key|jwt|dpop|ssws|splunk|gnap|vapid)\s+",
    re.IGNORECASE,
)
_MANY = late(
    r"(?:digest|oauth|signature|hawk|aws4-[\w-]+|sharedkey(?:lite)?|scram-[\w-]+|hmac[\w-]*|mac|sentry)[^\S\n]+(?=\w[\w-]*=|[\w:])",
    re.IGNORECASE,
)
_PARAMETERS = late(
    r"(?:[\w-]++=(?:\\*\"[^\"\n]*+\"|[^\s,;\"]*+)|[\w:+/=.-]++)(?:\s*+,\s*+[\w-]++=(?:\\*\"[^\"\n]*+\"|[^\s,;\"]*+))*+"
)
_COOKIES = late(
    r"[^\s=;,\"'\]})]++=(?:\"[^\"\n]*+\"|[^\s;,\"'\]})]*+)"
    r"(?:;\s*+(?:[\w-]++=(?:\w{3}, )?[^;\n\"'\]})]*+|secure|httponly|partitioned)(?=[;\n\"'\]})]|$))*+",
    re.IGNORECASE,
)
_PROTOCOLS = late(r"[\w!#$%&'*+.^`|~=/-]++(?:\s*+,\s*+[\w!#$%&'*+.^`|~=/-]++(?!\s*[:=]))*+")
_LIST = late(r"[\[({]\s*+[bu]?(?=\\*[\"'])")
_WORD = late(r"(?:\\.|\S)*+")
_QUERY_WORD = late(r"[^\s&;\"'<>]*")
_AFTER_A_VALUE = "\"'`)]}>,;."
_BRACKET = late(r"[\[\](){}]")
_LONGEST_LIST = 4096


def extent(key: str, line: str, start: int, end_of: Callable[[str, int], int]) -> Span:
    """Where the value of `key` (in small letters) begins and ends in `line`, that has no quotes around it.

    Args:
        key: Whose value it is: headers of credentials, cookies and protocols have a grammar of their own.
        line: One line.
        start: Where the value begins, or the name of a scheme before it.
        end_of: Says where any other value ends.
    """
    if key.endswith("authorization"):
        return _credentials(line, start, end_of)
    if key.endswith("cookie") and (cookies := _COOKIES.match(line, start)):
        return start, cookies.end()
    if key.endswith("protocol") and (protocols := _PROTOCOLS.match(line, start)):
        return start, protocols.end()
    if opening := _LIST.match(line, start):
        return opening.end(), _closing_bracket(line, start)
    return start, end_of(line, start)


def end_of_word(line: str, start: int) -> int:
    """Where the word at `start` ends, without the marks of a sentence or of code behind it."""
    return _end(_WORD, line, start)


def end_of_parameter(line: str, start: int) -> int:
    """The same of a parameter of a query."""
    return _end(_QUERY_WORD, line, start)


def _credentials(line: str, start: int, end_of: Callable[[str, int], int]) -> Span:
    """RFC 9110, section 11.4: a scheme, and behind it a token or parameters."""
    if many := _MANY.match(line, start):
        parameters = _PARAMETERS.match(line, many.end())
        return many.end(), parameters.end() if parameters else len(line)
    kind = _KIND.match(line, start)
    start = kind.end() if kind else start
    return start, end_of(line, start)


def _closing_bracket(line: str, start: int) -> int:
    """Index of the bracket that closes the one at `start`; of the end of what is looked at where none does."""
    depth = 0
    most = min(len(line), start + _LONGEST_LIST)
    for bracket in _BRACKET.finditer(line, start, most):
        depth += 1 if bracket[0] in "[({" else -1
        if depth == 0:
            return bracket.start()
    return most


def _end(pattern: re.Pattern[str], line: str, start: int) -> int:
    match = pattern.match(line, start)
    word = match[0] if match else ""
    return start + (len(word.rstrip(_AFTER_A_VALUE)) or len(word))
