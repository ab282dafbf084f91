"""The message of a log record, made anew of its template, so that the template tells which argument is a secret."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from nightbench.observability.privacy.bounds import BAG, bounded, whole_text
from nightbench.observability.privacy.text import is_secret_name
from nightbench.observability.privacy.wording import message_of_error
from nightbench.scrub import REDACTED, scrub_tree

_PLACE = re.compile(
    r"%(?:\((?P<name>[^()%]{1,100})\))?(?P<how>[#0\- +]{0,8}\d{0,4}(?:\.\d{0,4})?)[hlL]?(?P<kind>[diouxXeEfFgGcrsa%])"
)
_LAST_WORD = re.compile(
    r"(?P<word>[A-Za-z][\w.-]{1,60})[\"']?\s*(?:is|was|are|[:=(<\[]|[:=]>)?\s*[\"'<(\[]?$"
)
_MOST_BEFORE = 80
_GOES_ON = re.compile(r"[^\w;\r\n]{0,20}")
"""Between a secret and what still is one: ``Authorization: %s %s`` has its scheme first."""


def filled(template: Any, arguments: Any) -> str | None:
    """`template` with its %-`arguments`, those after a secret's name redacted; None where they do not fit.

    Objects that are no plain values are told by their type alone: their text is somebody's code. The
    result is not scrubbed.
    """
    if not isinstance(template, str) or not arguments:
        return None
    try:
        return "".join(_parts(whole_text(template, BAG.text), arguments))
    except Exception:  # noqa: BLE001  # logging itself tells of arguments that do not fit
        return None


def _parts(template: str, arguments: Any) -> Iterator[str]:
    named = arguments if isinstance(arguments, Mapping) else None
    positional = iter(arguments) if isinstance(arguments, tuple | list) else iter((arguments,))
    done, after_secret = 0, False
    for place in _PLACE.finditer(template):
        before = template[done : place.start()]
        if "%" in before:
            raise ValueError(before)
        yield before
        done = place.end()
        if place["kind"] == "%":
            yield "%"
            continue
        name = place["name"]
        value = next(positional) if name is None or named is None else named[name]
        after_secret = (
            is_secret_name(name or "")
            or is_secret_name(_named_before(before))
            or (after_secret and _GOES_ON.fullmatch(before) is not None)
        )
        yield REDACTED if after_secret else _shown(f"%{place['how']}{place['kind']}", value)
    if "%" in template[done:]:
        raise ValueError(template)
    yield template[done:]


def _named_before(before: str) -> str:
    word = _LAST_WORD.search(before[-_MOST_BEFORE:])
    return word["word"] if word else ""


def _shown(place: str, value: Any) -> str:
    if isinstance(value, BaseException):
        value = message_of_error(value)
    plain = bounded(value)
    if isinstance(plain, dict | list):
        plain = scrub_tree(plain)
    if isinstance(plain, str) and place[-1] not in "sra":
        return plain
    return place % (plain,)
