"""A drawing without what no eye sees, for pages that carry many."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

_SVG = "http://www.w3.org/2000/svg"
_GROUP = f"{{{_SVG}}}g"
_UNSEEN = re.compile(r"aria-.*|role|class|pointer-events")
_PLAIN = {"opacity": "1", "stroke-opacity": "1", "fill-opacity": "1"}
_NUMBER = re.compile(r"\d+\.\d{3,}")
_DRAWN = ("d", "transform", "x", "y", "x2", "y2", "width", "height", "cx", "cy")


def small(svg: str) -> str:
    """The same picture in fewer characters: no attributes for programs, no empty groups, numbers to a hundredth of a point.

    Raises:
        xml.etree.ElementTree.ParseError: when it is no XML.
    """
    ET.register_namespace("", _SVG)
    root = ET.fromstring(svg)  # noqa: S314  # of our own child
    for element in root.iter():
        for name, value in list(element.attrib.items()):
            if _UNSEEN.fullmatch(name) or _PLAIN.get(name) == value:
                del element.attrib[name]
            elif name in _DRAWN:
                element.set(name, _NUMBER.sub(lambda found: f"{float(found[0]):.2f}", value))
    _prune(root)
    return ET.tostring(root, encoding="unicode")


def _prune(element: ET.Element) -> None:
    for child in list(element):
        _prune(child)
        empty = child.tag == _GROUP and not len(child)
        if empty or child.get("display") == "none" or child.get("d") == "M0,0h0v0h0Z":
            element.remove(child)
