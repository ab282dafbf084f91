"""The ways in which a secret is written: as it is, in a URL, in JSON, in Base64."""

from __future__ import annotations

import base64
import json
import re
from urllib.parse import quote, quote_plus

from nightbench.scrub.patterns import late

_CODE = late("%[0-9A-F]{2}")
_LEAST_OF_BASE64 = 7


def forms(value: str) -> frozenset[str]:
    """`value` as it may stand in a text; in Base64 at whatever place of a longer text it was encoded."""
    found = {value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], repr(value)[1:-1]}
    raw = value.encode("utf-8", "surrogateescape")
    for encoded in (quote(raw, safe=""), quote(raw), quote_plus(raw)):
        found |= {encoded, _CODE.sub(_in_small_letters, encoded)}
    for place in range(3):
        text = base64.b64encode(b"\0" * place + raw).decode()
        # a character has six bits: those that are shared with what stands beside it say nothing of it
        whole = text[-(-8 * place // 6) : 8 * (place + len(raw)) // 6]
        if len(whole) >= _LEAST_OF_BASE64:
            found |= {whole, whole.replace("+", "-").replace("/", "_")}
    return frozenset(found)


def _in_small_letters(code: re.Match[str]) -> str:
    return code[0].lower()
