"""What a Sentry server said to one envelope, and how long it wants to be left alone."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from typing import Final

from nightbench.scrub import REDACTED, scrub
from nightbench.visible import visible

UNSAID_SECONDS: Final = 60.0
"""The wait after a 429 that names none, as in Sentry's protocol for SDKs."""
LONGEST_SECONDS: Final = 86_400.0
"""A server that asks for a longer wait is asked again after this one."""
TOO_LARGE: Final = 413
_TOO_MANY = 429
_NOT_FOR_US = (401, 403, 404)
_WRONG_DSN = "; are key, host and project of NIGHTBENCH_SENTRY_DSN right?"
_WORDS = 200  # characters of the server's own that are repeated
_NAMES = ("detail", "message")
"""Under which Sentry and Bugsink have them."""


class AnswerKind(Enum):
    """What to do with an envelope."""

    TAKEN = auto()
    """The server has it."""
    REFUSED = auto()
    """The server will never take it."""
    LATER = auto()
    """This one failed; the next may not."""
    BUSY = auto()
    """Nothing else would get through now."""


@dataclass(frozen=True)
class Answer:
    """What came of one POST.

    Attributes:
        kind: What to do with the envelope.
        why: One sentence without secrets; empty when it was taken.
        retry_after: Seconds for which the server wants to hear no more of this kind; None when it did not say.
        status: Of HTTP; None when there was no answer.
    """

    kind: AnswerKind
    why: str = ""
    retry_after: float | None = None
    status: int | None = None


def answer_of(
    host: str,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    categories: Iterable[str],
    now: datetime,
    secrets: Iterable[str] = (),
) -> Answer:
    """What an HTTP answer means.

    Args:
        host: Of whom, for people.
        status: Of HTTP.
        headers: By their names in small letters.
        body: Of the answer, or the beginning of it.
        categories: Of Sentry's rate limits, that the envelope's items belong to.
        now: When it arrived.
        secrets: What the request had, and the server may repeat.
    """
    wait = _wait(status, headers, frozenset(categories), now)
    if 200 <= status < 300:
        page = f"no Sentry server answers at {host}: it sent a page" if _is_page(body) else ""
        return Answer(AnswerKind.LATER if page else AnswerKind.TAKEN, page, wait, status)
    if status == _TOO_MANY:
        why = f"{host} takes no more for now (HTTP 429)"
        return Answer(AnswerKind.BUSY, why, wait, status)
    said = _said(headers, body, tuple(secrets))
    if status == TOO_LARGE:
        return Answer(AnswerKind.REFUSED, f"{host} found it too large (HTTP 413){said}", wait, status)
    if 400 <= status < 500:
        way_out = _WRONG_DSN if status in _NOT_FOR_US else ""
        return Answer(AnswerKind.REFUSED, f"{host} refused it (HTTP {status}){said}{way_out}", wait, status)
    if 300 <= status < 400:
        why = f"{host} points elsewhere (HTTP {status}), which is not followed: set the DSN of the server itself"
        return Answer(AnswerKind.LATER, why, wait, status)
    return Answer(AnswerKind.LATER, f"{host} could not take it (HTTP {status}){said}", wait, status)


def _wait(status: int, headers: Mapping[str, str], categories: frozenset[str], now: datetime) -> float | None:
    """Seconds, from ``X-Sentry-Rate-Limits``, else ``Retry-After``, else what stands for a 429."""
    limited = [
        seconds
        for seconds, of in _rate_limits(headers.get("x-sentry-rate-limits", ""))
        if not of or of & categories
    ]
    wait = max(limited, default=None)
    if wait is None and status >= 300:
        wait = _retry_after(headers.get("retry-after", ""), now)
    if wait is None and status == _TOO_MANY:
        wait = UNSAID_SECONDS
    return None if wait is None else min(max(wait, 0.0), LONGEST_SECONDS)


def _rate_limits(header: str) -> Iterator[tuple[float, frozenset[str]]]:
    """The quotas of ``SECONDS:CATEGORY;CATEGORY:SCOPE…, …``; without a category one is about all."""
    for quota in header.split(","):
        parts = quota.strip().split(":")
        seconds = _number(parts[0])
        if seconds is not None and len(parts) > 1:
            yield seconds, frozenset(filter(None, parts[1].split(";")))


def _retry_after(text: str, now: datetime) -> float | None:
    """Seconds of a ``Retry-After``, which is a number or an HTTP date; None when it is neither."""
    seconds = _number(text)
    if seconds is not None:
        return seconds
    try:
        instant = parsedate_to_datetime(text)
        return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp() - now.timestamp()
    except (TypeError, ValueError, OverflowError):
        return None


def _number(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) else None


def _is_page(body: bytes) -> bool:
    # by its content: some Sentry servers call their empty answer text/html
    return body.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<")


def _said(headers: Mapping[str, str], body: bytes, secrets: Iterable[str]) -> str:
    """The server's own words, if there are any: in a header or as JSON."""
    words = headers.get("x-sentry-error", "")
    if not words:
        try:
            document = json.loads(body)
        except (ValueError, RecursionError):
            document = None
        found = document if isinstance(document, Mapping) else {}
        words = next((text for name in _NAMES if isinstance(text := found.get(name), str)), "")
    plain = " ".join(visible(words).split())
    for secret in filter(None, secrets):
        plain = re.sub(re.escape(secret), REDACTED, plain, flags=re.IGNORECASE)
    shown = scrub(plain)[:_WORDS]  # cut last: a piece of a secret is not known for one
    return f": {shown}" if shown else ""
