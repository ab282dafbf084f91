"""Requests by their parts: what a client sent is not ours to pass on, except for what says how it spoke."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_plus

from nightbench.observability.privacy.bounds import BAG, whole_text
from nightbench.observability.privacy.text import is_secret_name, sendable, word
from nightbench.scrub import REDACTED, scrub

_QUERY = re.compile(r"[?#]|%(?:25){0,8}(?:3f|23)", re.IGNORECASE)
"""Where a query or fragment begins, however often it was encoded."""
_LOGIN = re.compile(
    r"(?<![\w+.-])(?P<scheme>[\w+.-]++:(?://|%(?:25){0,8}2f%(?:25){0,8}2f))[^/\s]{0,500}@", re.IGNORECASE
)
_NAME = re.compile(r"[A-Za-z_][\w.\[\]-]{0,39}")
_SPLIT = re.compile(r"[&;]")
_MOST_PARAMETERS = 50
_SHORTEST_TOKEN = 20
_TOKEN = re.compile(r"(?=[^\d]*+\d)(?=[^A-Za-z]*+[A-Za-z])[\w.~%+=:@$!*,-]+")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_BETWEEN = re.compile(r"[^A-Za-z0-9]+")
_PART = re.compile(
    r"[A-Z]?[a-z]*\d{0,8}|[A-Z]{1,12}\d{0,8}|(?:[A-Z]?[a-z]{2,}+){1,6}\d{0,4}|\d{1,8}[a-z]{0,3}"
)
"""What a name of a path is made of: a word, a number, a word in camel case."""
_MOST_WORDS = 20

_TELLING_HEADERS = frozenset(
    {
        *("accept", "accept-charset", "accept-encoding", "accept-language", "access-control-request-headers"),
        *(
            "access-control-request-method",
            "cache-control",
            "connection",
            "content-encoding",
            "content-length",
        ),
        *("content-type", "date", "dnt", "expect", "host", "keep-alive", "pragma", "range", "retry-after"),
        *("sec-fetch-dest", "sec-fetch-mode", "sec-fetch-site", "sec-websocket-extensions"),
        *("sec-websocket-version", "te", "traceparent", "transfer-encoding", "upgrade", "user-agent", "vary"),
        *("server", "x-request-id", "x-correlation-id", "sentry-trace", "allow", "content-language"),
    }
)
"""Headers whose values say how a client speaks, not who it is; of every other one, only the name is told."""
_URL_HEADERS = frozenset({"referer", "origin", "location", "content-location"})
_ENVIRONMENT = frozenset(
    {"SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL", "SERVER_SOFTWARE", "REQUEST_METHOD"}
)


def address(url: Any) -> Any:
    """A URL without its login, query and fragment, whether they are percent-encoded or not; then scrubbed."""
    if not isinstance(url, str):
        return REDACTED if url else url
    plain = _QUERY.split(whole_text(url, BAG.text), maxsplit=1)[0]
    plain = _LOGIN.sub(r"\g<scheme>", plain)
    return scrub("/".join(REDACTED if _is_token(each) else each for each in plain.split("/")))


def _is_token(segment: str) -> bool:
    """Whether a segment of a path is no name: long, of letters and digits, not made of words, numbers or a UUID."""
    if len(segment) < _SHORTEST_TOKEN or _TOKEN.fullmatch(segment) is None or _UUID.fullmatch(segment):
        return False
    return not all(_PART.fullmatch(each) for each in _BETWEEN.split(segment))


def addresses(text: str) -> str:
    """A text of words and URLs, such as ``GET https://host/path?token=x``: each of them as `address` has it."""
    words = whole_text(text, BAG.text).split(maxsplit=_MOST_WORDS)
    return " ".join(address(each) if "/" in each or "%" in each else sendable(each) for each in words)


def names_of_query(query: Any) -> Any:
    """A query string, mapping or list of pairs with its parameters' names alone."""
    if not query:
        return query
    if isinstance(query, Mapping):
        names: list[Any] = list(query)
    elif isinstance(query, list | tuple):
        names = [pair[0] if isinstance(pair, list | tuple) and pair else "" for pair in query]
    elif isinstance(query, str):
        names = [_name_of(each) for each in _SPLIT.split(_decoded(query).lstrip("?"), _MOST_PARAMETERS)]
    else:
        return REDACTED
    return "&".join(f"{_known(name)}={REDACTED}" for name in names[:_MOST_PARAMETERS])


def _decoded(query: str) -> str:
    query = whole_text(query, BAG.text)
    return unquote_plus(query) if "=" not in query else query


def _name_of(parameter: str) -> str:
    name, sign, _ = parameter.partition("=")
    return unquote_plus(name) if sign else ""  # a parameter without a value may be one


def _known(name: Any) -> str:
    is_plain = isinstance(name, str) and _NAME.fullmatch(name) is not None
    return name if is_plain and scrub(name) == name else REDACTED


def headers(value: Any) -> Any:
    """Headers, a mapping or a list of pairs: the values of harmless ones, the names of all."""
    if isinstance(value, Mapping):
        return {scrub(str(name)): header(str(name), each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        pairs = [each for each in value if isinstance(each, list | tuple) and len(each) == 2]
        return [[scrub(str(name)), header(str(name), each)] for name, each in pairs]
    return REDACTED if value else value


def header(name: str, value: Any) -> Any:
    """The value of one header, redacted unless it is known to be harmless."""
    name = name.lower().replace("_", "-")
    if name in _URL_HEADERS:
        return [address(each) for each in value] if isinstance(value, list) else address(value)
    return sendable(value) if name in _TELLING_HEADERS and not is_secret_name(name) else REDACTED


def request(value: Any) -> Any:
    """The request of an event: method, address, names of parameters and headers; no cookies and no body."""
    if not isinstance(value, Mapping):
        return REDACTED if value else value
    sent: dict[str, Any] = {}
    for key, each in value.items():
        match key:
            case "method":
                sent[key] = word(each)
            case "url":
                sent[key] = address(each)
            case "query_string":
                sent[key] = names_of_query(each)
            case "headers":
                sent[key] = headers(each)
            case "env":
                sent[key] = _environment(each)
            case "api_target" | "inferred_content_type":
                sent[key] = sendable(each)
            case "data" | "cookies" | "fragment":
                sent[key] = REDACTED if each else each
    return sent


def _environment(value: Any) -> dict[str, Any]:
    known = value if isinstance(value, Mapping) else {}
    return {key: sendable(each) for key, each in known.items() if key in _ENVIRONMENT}
