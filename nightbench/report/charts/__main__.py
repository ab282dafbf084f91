"""The child of `nightbench.report.charts.drawing`: a spec on stdin, the picture on stdout; or a list of either."""

from __future__ import annotations

import json
import sys
from typing import Any

import vl_convert

SCALE = 2.0
"""Pixels a point."""
_NO_ADDRESS: list[str] = []
"""Where data or images may be fetched from."""
_ANY = {"data": {"values": [{}]}, "mark": "point"}
"""The smallest chart."""


def main(medium: str) -> None:
    """Draw what is on stdin as ``png``, ``svg`` or, of several, ``svgs``: a list with null for what is no chart."""
    if medium == "svgs":
        _svg(_ANY)  # the first takes as long as eight; whoever calls makes the specs meanwhile
    spec = json.load(sys.stdin.buffer)
    if medium == "svgs":
        picture = json.dumps([_svg_or_none(each) for each in spec]).encode()
    elif medium == "svg":
        picture = _svg(spec).encode()
    else:
        picture = vl_convert.vegalite_to_png(spec, scale=SCALE, allowed_base_urls=_NO_ADDRESS)
    sys.stdout.buffer.write(picture)


def _svg(spec: Any) -> str:
    drawn: str = vl_convert.vegalite_to_svg(spec, allowed_base_urls=_NO_ADDRESS)
    return drawn


def _svg_or_none(spec: Any) -> str | None:
    try:
        return _svg(spec)
    except ValueError:
        return None


if __name__ == "__main__":
    main(*sys.argv[1:])
