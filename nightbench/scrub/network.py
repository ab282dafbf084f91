"""Addresses of machines in free text: IPv4, IPv6 and MAC; loopback and unspecified ones stay."""

from __future__ import annotations

import ipaddress
import re

from nightbench.scrub.patterns import late
from nightbench.scrub.spans import Span, without

_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|0\d\d|[1-9]?\d)"
_DOT = r"(?:\.|%(?:25)*2[eE]|\[\.\]|\(\.\)|\[dot\])"
_IPV4 = late(
    rf"(?<![^\W_Vv])(?<!\d\.)(?<!\w\w\.)(?:{_OCTET}{_DOT}){{3}}{_OCTET}(?![^\W_]|\.\d|-?(?:rc|alpha|beta|dev|post)\d?|\.(?:whl|tar|tgz|zip|exe|dll|jar|deb|rpm|msi)\b)"
)
_OCTETS = late(_DOT)
_A_VERSION = late(
    r"(?i:version|release|firmware|\bver\.?|\brev\.?|[=~<>!]=)\s?(?:is\s)?[:=]?\s?[\"'(]?v?\s?$",
    re.IGNORECASE,
)
_SMALL = late(r"[vV]\d\.")
"""A ``v`` alone stands before versions and addresses; no version counts to ten and further four times."""
_IPV6 = late(
    r"(?:(?<![\w:.])|(?<=%5[Bb]))(?:[0-9A-Fa-f]{1,4}(?=:)|(?=::))(?::[0-9A-Fa-f]{0,4}){2,8}+(?:(?<=:)\d{1,3}(?:\.\d{1,3}){3}|(?:\.\d{1,3}){3})?(?P<zone>%(?:25)?\w{1,15})?(?![\w:])"
)
_LEAST_DIGITS = 4
"""Of IPv6 without leading zeros: ``[1::2]`` is a slice."""
_IPV6_ENCODED = late(
    r"(?<![\w:.%-])(?:[0-9A-Fa-f]{1,4}|(?=%))(?:%(?:25)*3[aA][0-9A-Fa-f]{0,4}){2,8}+(?![\w%]|(?<=%)\w)"
)
_COLON = late(r"%(?:25)*3[aA]")
_MAC = late(r"(?<![\w:.-])[0-9A-Fa-f]{2}(?P<sep>[:-])(?:[0-9A-Fa-f]{2}(?P=sep)){4}[0-9A-Fa-f]{2}(?![\w:-])")
_DASHES = late(rf"\d-{_OCTET}-{_OCTET}-\d")
_DASHED = late(
    rf"(?<![\w.-])(?:[A-Za-z]{{2,8}}\d{{0,2}}-)?(?=\d\d){_OCTET}(?:-{_OCTET}){{3}}(?=\.[a-z])[\w.-]{{1,80}}"
    rf"|(?<![\w-])ip-\d{{1,3}}-\d{{1,3}}-\d{{1,3}}-\d{{1,3}}(?![\w-])"
)
"""The name of a host that is its address."""


def network_addresses(text: str) -> str:
    """`text` without addresses of machines."""
    spans: list[Span] = []
    if text.count(".") >= 3 or "%" in text or "[dot]" in text:  # as IPv4 has
        spans += [
            match.span()
            for match in _IPV4.finditer(text)
            if _is_foreign(_plain_ipv4(match[0])) and not _of_version(text, match)
        ]
    if "::" in text or text.count(":") >= 6:  # as IPv6 has, which ends in IPv4
        spans += [match.span() for match in _IPV6.finditer(text) if _is_ipv6(match)]
    if text.count(":") >= 5 or text.count("-") >= 5:  # as a MAC address has
        spans += [match.span() for match in _MAC.finditer(text)]
    if text.count("-") >= 3 and _DASHES.search(text) is not None:
        spans += [match.span() for match in _DASHED.finditer(text)]
    if "%" in text:
        spans += [match.span() for match in _IPV6_ENCODED.finditer(text) if _is_encoded_ipv6(match[0])]
    return without(text, spans)


def _plain_ipv4(address: str) -> str:
    return ".".join(str(int(octet)) for octet in _OCTETS.split(address))


def _of_version(text: str, match: re.Match[str]) -> bool:
    if text[match.start() - 1 : match.start()].lower() == "v" and _SMALL.match(text, match.start() - 1):
        return True
    before = text[max(0, match.start() - 16) : match.start()]
    return _A_VERSION.search(before) is not None


def _is_encoded_ipv6(address: str) -> bool:
    plain = _COLON.sub(":", address)
    return (
        sum(map(str.isalnum, plain)) >= _LEAST_DIGITS and any(map(str.isdigit, plain)) and _is_foreign(plain)
    )


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
