"""Credentials: of URLs, of secrets' names, of the wire, and private keys."""

from __future__ import annotations

import re

from nightbench.scrub.names import Trust, trust
from nightbench.scrub.passwords import passwords
from nightbench.scrub.patterns import late
from nightbench.scrub.quotes import Quotes
from nightbench.scrub.spans import REDACTED, Span, spans_of, without
from nightbench.scrub.values import values

_MOST_PASSES = 8

_WORTH_A_LOOK = late(r"[=:,<-]|%(?:25)*3|\\u003|[Pp]assw|PASSW|identified by|IDENTIFIED BY")
_SCHEME = late(
    r"\b(?:bearer(?:\s|%20|\+)++(?!(?:tokens?|auth[a-z]*|credentials?|schemes?|headers?|of|or|and|is|was|in|for|from|with|to)[.,;:)]?(?:\s|$))"
    r"(?P<secret>[a-z0-9._~+/=%-]{4,})|basic\s+(?-i:(?=[a-z0-9+/_-]*[A-Z0-9=]))(?P<basic>[a-z0-9+/_-]{6,}={0,2}))",
    re.IGNORECASE,
)
_DIGEST = late(r"\bdigest[^\S\n]+(?P<secret>(?:username|realm|nonce|qop|uri|response)=[^\n]*)", re.IGNORECASE)
_JWT = late(
    r"(?<![A-Za-z0-9])(?:eyJ|(?=(?:eyAi|ewo|ew0K|eyAg)[\w-]{6,}(?:\.|%(?:25)*2[Ee])[\w-]{8})e[yw])[\w-]++"
    r"(?:(?:(?:\.|%(?:25)*2[Ee])[\w-]++|\.?[^\S\n]*+\r?\n[\s>]*+[\w-]{20,}+|\s*+\.\s*+(?=eyJ)[\w-]++)(?:(?:\.|%(?:25)*2[Ee])[\w-]*+|\.?[^\S\n]*+\r?\n[\s>]*+[\w-]{20,}+){0,24}|(?<=[\w-]{24}))"
)
_TOKEN = late(
    r"(?<![A-Za-z])(?:token|ssws|apikey|api-key|access[_-]token|credential)[^\S\n]++(?:(?:is|was)[^\S\n]++)?[\"'`]?(?P<secret>[0-9a-f]{32,}+(?![\w-])|(?=[A-Za-z_.-]*\d)(?=[a-z0-9_.-]*(?-i:[A-Z]))(?-i:(?=[^a-z\s]*[a-z]))[\w.-]{20,})",
    re.IGNORECASE,
)
_STEP = late(
    r"/(?:reset|password|verify|verification|confirm|confirmation|activate|activation|invite|invitation|invites|magic|unsubscribe|join|sso|set)[\w-]{0,30}/(?P<secret>(?=[A-Za-z_-]*\d)[\w.~-]{20,})"
)
"""A link that lets in whoever has it."""
_SESSION = late(
    r"(?<![\w.-])(?:session|sess|sid|sessionid|connect\.sid|(?:php|j|asp\.net_)session_?id|__(?:secure|host)-[\w.-]{1,40}"
    r"|sb-[\w-]{1,40}-auth-token(?:\.\d)?|remember_[\w-]{1,40})=(?P<secret>[^\s;,&\"'<>)\]}]{4,})",
    re.IGNORECASE,
)

_WEBSOCKET = late(
    r"(?i:\bwss?(?:%(?:25)*3a|:)(?:%(?:25)*2f|/){2}|\bwebsocket\b(?:[^\S\n]+[\w\"':=]{1,20}){0,3}?[^\S\n]+[\"']?(?=/))[^\s?\"'`<>]*+"
)
_HANDSHAKE = late(r"\bGET[^\S\n]+(?=/)[^\s?\"'`<>]*+")
_RAW = late(r"\?(?P<query>[^\s\"'`<>#)\]}]*+)")
_ENCODED = late(r"%(?:25)*3[fF](?P<secret>[^\s\"'`<>#&?)\]},;]++)")
_PARAMETER = late(r"(?<![^?&;])(?:[^=&;]*+=)?(?P<secret>[^&;]++)")

_ENCODED_PASSWORD = late(
    r"%(?:25)*3[Aa](?:%(?:25)*2[Ff]){2}[^%\s]{0,60}%(?:25)*3[Aa](?P<secret>[^\s&]{1,200})%(?:25)*40"
)

_SPACE = r"(?:[ +]|%(?:25)*20)"
_BEGIN = late(
    rf"-----BEGIN(?:{_SPACE}[A-Z0-9]{{1,12}}){{0,3}}{_SPACE}PRIVATE{_SPACE}KEY(?:{_SPACE}BLOCK)?-----|PuTTY-User-Key-File-\d: ?|---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----"
)
_END = late(
    rf"-----END(?:{_SPACE}[A-Z0-9]{{1,12}}){{0,3}}{_SPACE}PRIVATE{_SPACE}KEY(?:{_SPACE}BLOCK)?-----|Private-MAC: ?\w*|---- END SSH2 [A-Z ]{{0,20}}PRIVATE KEY ----"
)
_IN_BASE64 = late(r"LS0tLS1CRUdJTi[A-Za-z0-9+/=\\\s]*+")
"""PEM in Base64: the text behind five dashes and ``BEGIN``."""
_BREAK = r"\r?\n[\x1c-\x1f\u2000-\u200a]?"
"""A line's, also one that was escaped."""
_PART = late(
    rf"\bname=\\*\"?(?P<key>[\w.-]{{1,60}})\\*\"?[^\n]{{0,80}}?{_BREAK}(?:[\w-]{{1,40}}:[^\n]{{0,80}}?{_BREAK})?{_BREAK}(?P<secret>[^\n]+)"
)
_FOLDED = late(
    r"(?im:^[ \t>*<]{0,4}(?:proxy-)?(?:authorization|cookie|set-cookie|x-[\w-]*(?:key|token|secret)|sec-websocket-protocol):[^\n]*)"
    r"(?P<secret>(?:\r?\n[^\S\n]+[^\n]+)+)"
)


def private_keys(text: str) -> str:
    """`text` without private keys in PEM, on one line or many, also cut off at either end."""
    if "LS0tLS1CRUdJTi" in text:
        text = _IN_BASE64.sub(REDACTED, text)
    if "-----" not in text and "---- " not in text and "PuTTY" not in text:
        return text
    spans: list[Span] = []
    ends = [match.span() for match in _END.finditer(text)]
    done, last = 0, 0
    for begin in _BEGIN.finditer(text):
        if begin.start() < done:
            continue
        while last < len(ends) and ends[last][0] < begin.end():
            last += 1
        done = ends[last][1] if last < len(ends) else len(text)
        spans.append((begin.start(), done))
    whole = without(text, spans)
    return _without_ends(whole) if "-----END" in whole else whole


def _without_ends(text: str) -> str:
    """What is left of a key whose beginning was cut off."""
    spans = []
    for end in _END.finditer(text):
        start = end.start()
        while start > 0 and (text[start - 1].isalnum() or text[start - 1] in "+/=\r\n\\"):
            start -= 1
        spans.append((start, end.end()))
    return without(text, spans)


def headers(text: str) -> str:
    """`text` without what a header of credentials goes on with on further lines, and without secret parts of forms."""
    spans = spans_of(_FOLDED, text) if "\n " in text or "\n\t" in text else []
    if "name=" in text:
        spans += [part.span("secret") for part in _PART.finditer(text) if trust(part["key"]) >= Trust.PERHAPS]
    return without(text, spans)


def credentials(text: str) -> str:
    """`text` without passwords, tokens and the values of secrets' names, line by line."""
    return "\n".join(_scrub_line(line) if _WORTH_A_LOOK.search(line) else line for line in text.split("\n"))


def _scrub_line(line: str) -> str:
    """Scrub until nothing changes: what a secret hid from the rules may be clear without it."""
    for _ in range(_MOST_PASSES):
        scrubbed = _scrub_once(line)
        if scrubbed == line:
            break
        line = scrubbed
    return line


def _scrub_once(line: str) -> str:
    quotes = Quotes(line)
    found = list(passwords(line, quotes))
    return without(line, [*found, *values(line, quotes, {start for start, _ in found})])


def tokens(text: str) -> str:
    """`text` without what is known as a token by the scheme, cookie or URL it stands in, or by its own look."""
    low = text.lower()
    spans: list[Span] = []
    if "bearer" in low or "basic" in low:
        spans += [match.span(match.lastgroup or 0) for match in _SCHEME.finditer(text)]
    if "digest" in low:
        spans += spans_of(_DIGEST, text)
    if "=" in text:
        spans += spans_of(_SESSION, text)
    if "token" in low or "ssws" in low or "key" in low or "credential" in low:
        spans += spans_of(_TOKEN, text)
    if "://" in text or "/" in text:
        spans += spans_of(_STEP, text)
    if "ey" in text or "ew" in text:
        spans += spans_of(_JWT, text)
    if "40" in text and "%" in text:
        spans += spans_of(_ENCODED_PASSWORD, text)
    if "ws" in low or "websocket" in low:
        spans += _queries(text)
    return without(text, spans)


def _queries(text: str) -> list[Span]:
    """The values of the queries of WebSocket URLs, whose tickets go by any name."""
    spans: list[Span] = []
    done = 0
    addresses = [*_WEBSOCKET.finditer(text)]
    low = text.lower()
    if "sec-websocket" in low or "websockets." in low:
        addresses = sorted([*addresses, *_HANDSHAKE.finditer(text)], key=re.Match.start)
    for address in addresses:
        if address.start() < done:
            continue
        if query := _RAW.match(text, address.end()):
            begin, done = query.span("query")
            spans += [(begin + start, begin + end) for start, end in spans_of(_PARAMETER, query["query"])]
        if encoded := _ENCODED.search(text, address.start(), address.end()):
            spans.append(encoded.span("secret"))
    return spans
