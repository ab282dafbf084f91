"""The child of `nightbench.report.charts.drawing`: a spec on stdin, the picture on stdout."""

from __future__ import annotations

import json
import sys

import vl_convert

SCALE = 2.0
"""Pixels a point."""
_NO_ADDRESS: list[str] = []
"""Where data or images may be fetched from."""


def main(medium: str) -> None:
    """Draw what is on stdin as ``png`` or ``svg``."""
    spec = json.load(sys.stdin.buffer)
    if medium == "svg":
        picture = vl_convert.vegalite_to_svg(spec, allowed_base_urls=_NO_ADDRESS).encode()
    else:
        picture = vl_convert.vegalite_to_png(spec, scale=SCALE, allowed_base_urls=_NO_ADDRESS)
    sys.stdout.buffer.write(picture)


if __name__ == "__main__":
    main(*sys.argv[1:])
