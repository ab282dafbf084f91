"""What hangs on spans, breadcrumbs, contexts and logs under well-known names: each by the kind its name tells."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any

from nightbench.observability.privacy.request import address, addresses, header, headers, names_of_query
from nightbench.observability.privacy.statement import command, key_of_cache, without_values
from nightbench.observability.privacy.text import (
    external_identifier,
    identifier,
    is_secret_name,
    member,
    path,
    sendable,
    thread_identifier,
)
from nightbench.scrub import REDACTED

_HEADER = re.compile(r"http\.(?:request|response)\.header\.(?P<name>.+)")
_SECRET = re.compile(
    r"(?:client|net\.(?:sock\.)?peer|net\.sock\.host|network\.(?:peer|local)|source|destination)[._](?:address|ip|addr|name)"
    r"|(?:http\.)?client_?ip|remote_addr|user\.(?!id$).*|enduser\..*|ip_address|sys\.argv|argv|process\.command(?:_.*)?"
    r"|(?:db\.)?redis\.(?:args?|arguments|parameters?|values?)|db\.(?:params|parameters|cursor|query\.parameter.*|operation\.parameter.*|connection_string|user)"
    r"|(?:http\.)?(?:request\.|response\.)?(?:body|cookies?)(?:\..*)?|http\.request\.body\.data"
    r"|(?:url\.|http\.)?fragment|graphql\.(?:document|variables)|messaging\.message\.(?:body|payload)|rpc\.grpc\..*metadata.*"
    r"|(?:gen_)?ai\.(?:.*\.)?(?:input.*|messages.*|prompt.*|completion.*|responses?|text|response\.(?:text|tool_calls).*"
    r"|output.*|system_instructions?|tool\.(?:call\.)?(?:arguments|input|output|result)|documents|embeddings.*|texts|preamble)"
    r"|mcp\.(?:request\.argument.*|tool\.result\.content|prompt\.result.*)|subprocess\.environ.*",
    re.IGNORECASE,
)
"""Who called, with what, and what was said: names of OpenTelemetry's and Sentry's conventions."""
_STATEMENT = re.compile(r"db\.(?:statement|query\.text|sql|query)|sql|query_text|statement", re.IGNORECASE)
_ADDRESS = re.compile(
    r"(?:.*[._])?(?:url|uri|href)(?:\.full|\.original)?|url\.path|http\.target|referr?er|location",
    re.IGNORECASE,
)
_QUERY = re.compile(r"(?:http\.|url\.)?query(?:_string|_params)?|http\.query|url\.query", re.IGNORECASE)
_PATH = re.compile(
    r"code\.file_?path|code\.file\.path|subprocess\.cwd|filename|pathname|abs_path|cwd|code\.filepath",
    re.IGNORECASE,
)
_QUOTE_TEXTS = ("mysql", "mariadb", "sqlite")
_CACHE_KEY = re.compile(r"(?:redis|cache|db\.redis)\.key", re.IGNORECASE)
_IDENTIFIER = re.compile(
    r"(?:.*[._])?(?:trace|span|event|profile|profiler|replay|parent_span|segment|chunk|check_in)[._]?id",
    re.IGNORECASE,
)
_EXTERNAL = re.compile(r"(?:.*[._])?(?:transaction|request)[._]?id", re.IGNORECASE)
_THREAD = re.compile(r"(?:.*[._])?thread[._]?id", re.IGNORECASE)
_HEADERS = re.compile(r"(?:request_|response_)?headers", re.IGNORECASE)
_CONFIGURATION = re.compile(r"sentry\.(?:sdk\..*|severity_.*|op|origin|release|environment)", re.IGNORECASE)


def attributes(value: Any) -> Any:
    """A mapping of names to values as it may be sent; what is no mapping is scrubbed as it is."""
    if not isinstance(value, Mapping):
        return sendable(value)
    sent: dict[str, Any] = {}
    for key, each in value.items():
        sent.update(attribute(str(key), each))
    return sent


def attribute(key: str, value: Any) -> dict[str, Any]:
    """One name with its value; the name is scrubbed too."""
    rule = _rule_of(key)
    return member(key, value) if rule is None or value is None else {key: rule(value)}


@lru_cache(maxsize=4096)
def _rule_of(key: str) -> Callable[[Any], Any] | None:
    """What the name tells of its value; remembered, since programs use the same few hundred names."""
    if _SECRET.fullmatch(key):
        return _redacted
    if named := _HEADER.fullmatch(key):
        return partial(header, named["name"])
    return next((rule for name, rule in _RULES if name.fullmatch(key)), None)


def is_secret(key: str) -> bool:
    """Whether all that stands under a name is a secret or personal, whatever it looks like."""
    return _SECRET.fullmatch(key) is not None or is_secret_name(key)


def _redacted(value: Any) -> Any:
    return value if isinstance(value, bool) else REDACTED


def _each(rule: Callable[[str], str]) -> Callable[[Any], Any]:
    """`rule` for a text or each text of a list; a value of another kind is redacted."""

    def kept(value: Any) -> Any:
        if isinstance(value, list):
            return [kept(each) for each in value]
        return rule(value) if isinstance(value, str) else REDACTED

    return kept


def _redis(value: Any) -> Any:
    first = value.get("first_ten") if isinstance(value, Mapping) else None
    if not isinstance(first, list):
        return REDACTED
    return {"count": value.get("count"), "first_ten": [command(str(each)) for each in first]}


_RULES: tuple[tuple[re.Pattern[str], Callable[[Any], Any]], ...] = (
    (_STATEMENT, _each(without_values)),
    (_QUERY, names_of_query),
    (_ADDRESS, _each(address)),
    (_PATH, _each(path)),
    (_CACHE_KEY, _each(key_of_cache)),
    (_IDENTIFIER, identifier),
    (_EXTERNAL, external_identifier),
    (_THREAD, thread_identifier),
    (_CONFIGURATION, lambda value: value),
    (_HEADERS, headers),
    (re.compile(r"redis\.commands"), _redis),
)


def described(op: Any, text: Any, system: Any = None) -> Any:
    """The description of a span by its operation: a statement of a database's `system`, a command, an address, words."""
    if not isinstance(text, str):
        return sendable(text)
    op = op.lower() if isinstance(op, str) else ""
    if op.startswith(("db.redis", "cache")):
        return command(text)
    if op.startswith("db"):
        return without_values(text, quotes_texts=system in _QUOTE_TEXTS)
    if op.startswith("subprocess"):
        return " ".join(sendable(text).split()[:1])
    if op.startswith(("http", "websocket", "resource", "navigation", "pageload")):
        return addresses(text)
    return sendable(text)
