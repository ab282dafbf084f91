"""Passwords that commands, sentences and structures over several lines tell, with no sign between name and value."""

from __future__ import annotations

import re

from nightbench.scrub.names import Trust, trust
from nightbench.scrub.patterns import late
from nightbench.scrub.spans import Span, spans_of, unredacted, without

_WORD = r"passw(?:or)?d|passwd|passphrase|passcode|pwd|passwort|kennwort|mot de passe|contraseña|senha|hasło|пароль|wachtwoord|secret key|api key"
_SAID = late(
    rf"\b(?:{_WORD})\b(?:[^\S\n]+(?:is|was|were|to|are|ist|war|lautet|est|es|é|è|used|of|as|from|given|entered|value))*(?:[^\S\n]*:)?[^\S\n]+(?:now[^\S\n]+)?"
    r"(?P<open>\\*[\"'`«»„“]?)(?P<secret>(?=[^\s\"'`]*(?:[A-Za-z][^\s\"'`.,;:/=()-]*\d|\d[^\s\"'`.,;:/=()-]*[A-Za-z]|(?-i:[a-z][A-Z])|[A-Za-z][!@#$%^&*+?][A-Za-z0-9])|(?<=is )\d{4,}(?![\w.-]))"
    r"(?![\w.]+[=:(/\[])(?!SCRAM|SHA|MD5|scram|sha|md5|\d+[a-z]{1,8}\b)[^\s\"'`»“”,;)\]}]{4,})",
    re.IGNORECASE,
)
"""What follows is a value where it has digits among letters, or the like, as no word of a sentence has."""
_CODE = late(
    r"\b(?:verification|confirmation|security|one-?time|login|access|auth(?:entication|orization)?|recovery|backup|2fa|mfa|sms|reset|invite|invitation)[ _-](?:code|pin|token|key)s?\b[\"']?"
    r"(?:[^\S\n]*[:=]|[^\S\n]+(?:is|was))?[^\S\n]*[\"']?(?P<secret>(?=[A-Za-z-]*\d)(?![\d.]+ ?(?:ms|s|%|KiB|MiB)\b)[\w-]{4,})",
    re.IGNORECASE,
)
_ARGUMENT = r"\\*[\"']?(?P<secret>[^\s\"'\\,;|&]++)"
_COMMANDS = (
    ("mysql", late(rf"\bmysql(?:dump|admin|import|sh|show)?\b[^\n|;]{{0,200}}?[\s\"']-p{_ARGUMENT}")),
    ("mariadb", late(rf"\bmariadb(?:-dump|-admin)?\b[^\n|;]{{0,200}}?[\s\"']-p{_ARGUMENT}")),
    ("sshpass", late(rf"\bsshpass\b[\"',\s]{{1,5}}-p[\"',\s]{{0,5}}{_ARGUMENT}")),
    ("redis-cli", late(rf"\bredis-cli\b[^\n|;]{{0,200}}?[\s\"'](?:-a|--pass)[\"',\s]{{1,5}}{_ARGUMENT}")),
    (
        "docker",
        late(rf"\b(?:docker|podman|nerdctl|helm registry) login\b[^\n|;]{{0,200}}?\s-p\s?{_ARGUMENT}"),
    ),
    (
        "mongo",
        late(rf"\bmongo(?:sh|dump|restore|export)?\b[^\n|;]{{0,200}}?[\s\"']-p[\"',\s]{{0,5}}{_ARGUMENT}"),
    ),
    (
        "ldap",
        late(
            rf"\bldap(?:search|modify|add|whoami|delete|passwd)\b[^\n|;]{{0,200}}?[\s\"']-w[\"',\s]{{0,5}}{_ARGUMENT}"
        ),
    ),
    ("sqlcmd", late(rf"\b(?:sqlcmd|bcp)\b[^\n|;]{{0,200}}?[\s\"']-P[\"',\s]{{0,5}}{_ARGUMENT}")),
    ("pass:", late(r"\bpass:(?P<secret>[^\s\"',]++)")),
    ("sqlplus", late(r"\bsqlplus\s[^\s/@]{1,60}/(?P<secret>[^\s@/]++)@")),
    ("jdbc:oracle", late(r"\bjdbc:oracle:\w{1,10}:[^\s/@]{1,60}/(?P<secret>[^\s@]++)@")),
    (
        "-u",
        late(r"[\"'](?:-u|--user|--proxy-user)[\"'],\s{0,3}[bu]?[\"'][^\s:\"']{0,80}:(?P<secret>[^\"'\n]++)"),
    ),
    ("Secret", late(r"\b(?:\w{0,40}Secret\w{0,20}|Password\w{0,20})\([bu]?\\*[\"'](?P<secret>[^\"'\n\\]++)")),
)
"""What a text must have in it, and where the value then stands."""

_NEXT_LINE = late(
    r"(?<![\w.-])(?P<key>\w[\w.-]*+)\\*[\"'\])]*+[^\S\n]*+(?P<sign>[=:])[^\S\n]*+(?P<block>[|>][-+\d]{0,2})?[^\S\n]*+\r?\n"
)
_ONE_WORD = late(r"[^\S\n]*+(?P<secret>[^\s=:(){}\[\]<>\"']{4,})[^\S\n]*+$")
_ONE_TEXT = late(r"[^\S\n]*+(?P<mark>[\"'])(?P<secret>[^\"'\n]+)(?P=mark),?[^\S\n]*+$")
_NAMED_ABOVE = late(
    r"\b(?:name|key):[^\S\n]*[\"']?(?P<key>[\w.-]{1,60})[\"']?[^\S\n]*\r?\n[^\S\n]*value:[^\S\n]*(?P<secret>[^\n]+)"
)
_NUL = late(
    r"(?<![\w.-])(?P<key>\w[\w.-]{1,60})(?:\x00[\x1c-\x1f\u2000-\u200a]?){1,4}(?P<secret>[^\x00\n\s\"']++)"
)
_JWK = late(r"(?<=[\"'])(?:d|p|q|dp|dq|qi|k|oth)\\*[\"']\s{0,3}:\s{0,3}\\*[\"'](?P<secret>[\w+/=-]++)")
_KTY = late(r"\bkty\\*[\"']")


def told(text: str) -> str:
    """`text` without passwords in commands, in sentences and in the lines below their names."""
    low = text.lower()
    spans: list[Span] = []
    if any(
        word in low
        for word in ("pass", "pwd", "kennwort", "contrase", "senha", "has", "пароль", "wachtwoord", "key")
    ):
        spans += spans_of(_SAID, text)
    if "code" in low or "pin" in low or "token" in low or " key" in low:
        spans += spans_of(_CODE, text)
    for word, rule in _COMMANDS:
        if word in text:
            spans += spans_of(rule, text)
    if "\n" in text:
        spans += _below(text)
    if "\x00" in text:
        spans += [found.span("secret") for found in _NUL.finditer(text) if trust(found["key"]) is Trust.SURE]
    if "kty" in text and _KTY.search(text):
        spans += spans_of(_JWK, text)
    return without(text, unredacted(text, spans))


def _below(text: str) -> list[Span]:
    """Values that stand in the lines below their name."""
    spans = []
    if "value:" in text:
        spans += [
            each.span("secret") for each in _NAMED_ABOVE.finditer(text) if trust(each["key"]) >= Trust.PERHAPS
        ]
    done = 0
    for found in _NEXT_LINE.finditer(text):
        start = found.end()
        if found.start() < done or trust(found["key"]) is not Trust.SURE:
            continue
        if found["block"]:
            done = _end_of_block(text, start)
            block = text[start:done]
            spans.append((done - len(block.lstrip()), start + len(block.rstrip())))
            continue
        end = _end_of_line(text, start)
        word = _ONE_WORD.match(text, start, end) if found["sign"] == "=" else None
        if value := word or _ONE_TEXT.match(text, start, end):
            done = value.end("secret")
            spans.append(value.span("secret"))
    return spans


def _end_of_block(text: str, start: int) -> int:
    """Of lines that stand as far in as the first one, or are empty."""
    least = 0
    while start < len(text):
        end = _end_of_line(text, start)
        line = text[start:end]
        depth = len(line) - len(line.lstrip())
        if line.strip():
            least = least or depth
            if depth < max(least, 1):
                break
        start = end + 1
    return min(start, len(text))


def _end_of_line(text: str, start: int) -> int:
    end = text.find("\n", start)
    return len(text) if end < 0 else end
