"""Addresses of machines in free text: IPv4, IPv6 and MAC; loopback and unspecified ones stay."""

from __future__ import annotations

import ipaddress
import re

from nightbench.scrub.spans import Span, without

_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_IPV4 = re.compile(rf"(?<![\w.])(?:{_OCTET}\.){{3}}{_OCTET}(?![\w]|\.\d|-?(?:rc|alpha|beta|dev|post)\d?)")
_A_VERSION = re.compile(r"(?i:version|release|[=~<>!]=|\bv)\s?[:=]?\s?[\"']?$")
_IPV6 = re.compile(
    r"(?<![\w:.])(?:[0-9A-Fa-f]{1,4}(?=:)|(?=::))(?::[0-9A-Fa-f]{0,4}){2,8}+(?:(?<=:)\d{1,3}(?:\.\d{1,3}){3}|(?:\.\d{1,3}){3})?(?P<zone>%(?:25)?\w{1,15})?(?![\w:])"
)
_LEAST_DIGITS = 4
"""Of IPv6 without leading zeros: ``[1::2]`` is a slice."""
_MAC = re.compile(
    r"(?<![\w:.-])[0-9A-Fa-f]{2}(?P<sep>[:-])(?:[0-9A-Fa-f]{2}(?P=sep)){4}[0-9A-Fa-f]{2}(?![\w:-])"
)
_AWS = re.compile(r"(?<![\w-])ip-\d{1,3}-\d{1,3}-\d{1,3}-\d{1,3}(?![\w-])")


def network_addresses(text: str) -> str:
    """`text` without addresses of machines."""
    spans: list[Span] = []
    if text.count(".") >= 3:  # as IPv4 has
        spans += [
            match.span()
            for match in _IPV4.finditer(text)
            if _is_foreign(match[0]) and not _of_version(text, match)
        ]
    if "::" in text or text.count(":") >= 6:  # as IPv6 has, which ends in IPv4
        spans += [match.span() for match in _IPV6.finditer(text) if _is_ipv6(match)]
    if text.count(":") >= 5 or text.count("-") >= 5:  # as a MAC address has
        spans += [match.span() for match in _MAC.finditer(text)]
    if "ip-" in text:
        spans += [match.span() for match in _AWS.finditer(text)]
    return without(text, spans)


def _of_version(text: str, match: re.Match[str]) -> bool:
    return _A_VERSION.search(text, max(0, match.start() - 12), match.start()) is not None


def _is_ipv6(match: re.Match[str]) -> bool:
    address = match[0].removesuffix(match["zone"] or "")
    digits = sum(character.isalnum() for character in address)
    return digits >= _LEAST_DIGITS and any(map(str.isdigit, address)) and _is_foreign(address)


def _is_foreign(address: str) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    found = found if mapped is None else mapped
    return not (found.is_loopback or found.is_unspecified)
