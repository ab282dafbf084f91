"""What tells of a person: e-mail addresses, phone and card numbers, names in the paths of homes."""

from __future__ import annotations

import re

from nightbench.scrub.patterns import BLANK, DASH, late
from nightbench.scrub.spans import Span, spans_of, without

_LETTER = r"\w\u0300-\u036f\u0900-\u0dff\u0e00-\u0eff\u200c\u200d"
_DOMAIN = rf"(?P<domain>[{_LETTER}-]++(?:[.\u3002\uff0e\uff61][{_LETTER}-]++)++)"
_LOCAL = rf"[{_LETTER}.+~#$!-]"
_EMAIL = late(
    rf"(?<![{_LETTER}.+~#$!@-])(?<!://)(?P<local>{_LOCAL}++(?:[%'/=&]{_LOCAL}++){{0,4}})(?P<at>@|=40|\\+u0040|\\+x40|&#(?:64|x40);|&commat;){_DOMAIN}"
)
_ENCODED = late(
    rf"(?<![{_LETTER}.+~-])(?P<local>(?:[{_LETTER}.+~-]|%(?:25)*2[Bb])++)(?P<at>%(?:25)*40){_DOMAIN}"
)
_QUOTED = late(rf"(?P<local>\\*\"[^\"\n@]{{1,64}}\")(?P<at>@){_DOMAIN}")
_LITERAL = late(rf"(?<![{_LETTER}.+~@-])(?<!://)(?P<secret>{_LOCAL}++@\[[\w.:]+\])")
_SAYS_AT = late(r"[\[({<] ?at ?[\])}>]", re.IGNORECASE)
_SAID_AT = late(
    r"(?<![\w.+-])[\w.+-]++ ?[\[({<] ?at ?[\])}>] ?[\w-]++(?:(?:\.| ?[\[({<] ?(?:dot|punkt|point) ?[\])}>] ?)[\w-]++)++",
    re.IGNORECASE,
)
_TOP = late(rf"(?!\d)[{_LETTER}]{{2,}}|xn--[a-z0-9-]+", re.IGNORECASE)
_DIGIT = late(r"\d")
_NOBODY = frozenset(("git", "ssh"))
"""Who stands before the host of a repository."""

_PLUS = late(
    rf"(?<![\w.+-])(?:\+|%(?:25)*2[Bb])(?P<number>(?!0)\d(?:(?:[{BLANK}().{DASH}/]{{0,3}}|%(?:25)*(?:20|2[dD]))\d){{6,16}})(?![\d:])"
)
_DECIMAL = late(r"\d+\.\d+")
_US = late(
    rf"(?<![\w.+-])(?:1[{BLANK}.{DASH}])?(?:\(\d{{3}}\)[{BLANK}.{DASH}]?\d{{3}}[{BLANK}.{DASH}]?\d{{4}}|\d{{3}}(?P<sep>[.{DASH}])\d{{3}}(?P=sep)\d{{4}}|(?<=1 )\d{{3}} \d{{3}} \d{{4}}"
    rf"|\d{{3}}[{DASH}]\d{{3}} \d{{4}}|\d{{3}}[\xa0 ]\d{{3}}[{DASH}]\d{{4}}|\d{{3}}\xa0\d{{3}}\xa0\d{{4}})(?![\w-]|\.\d)"
)
_NATIONAL = late(
    r"(?<![\w.:,+/-])(?!\d\d[./-]\d\d[./-]\d{2,4}(?![./-]?\d))(?:00[1-9](?:[ \xa0().\-/]{0,3}\d){7,14}|\(?0[1-9]\d{0,4}\)?(?:[ \xa0/.-]{1,3}\d{2,9}){1,5})(?![\w:-]|[.,]\d)"
)
_CALLED = late(
    r"(?i:\b(?:phone|telephone|telefon|tel|mobile|mobil|cell|fax|handy|whatsapp|msisdn|sms)(?:[ _-]?(?:number|nr|no|num))?)\\*[\"']?(?:\.|\s)?\s*[:=]?\s*\\*[\"']?(?P<secret>[+(]?\d(?:[ \xa0().\-/]{0,3}\d){5,16})(?![\w:])"
)
_CALLS = ("phone", "tel", "mobil", "cell", "fax", "handy", "whatsapp", "msisdn", "sms")
_SSN = late(r"(?<![\w.-])(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-]|\.\d)")
_IBAN = late(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?(?![A-Za-z0-9])")

_CARD = late(r"[2-6](?<![\d.][2-6])(?<!\d[ _-][2-6])\d{3}(?:[ -]{0,2}\d){8,15}(?!\d|[.-]\d)")
_APART = rf"(?:[{BLANK}{DASH}._+/:·,]{{1,2}}|%(?:25)*(?:20|2[dDeE])|\+)"
_CARD_APART = late(
    rf"[2-6](?<!\d[2-6])\d{{3}}(?P<sep>{_APART})(?:\d{{4}}(?P=sep)\d{{4}}(?P=sep)\d{{1,7}}|\d{{6}}(?P=sep)\d{{4,5}})(?!\d|(?P=sep)\d)"
)
_CARD_OF_PAIRS = late(
    rf"[3-6](?<![\w.:-][3-6])\d(?P<sep>[{BLANK}])\d\d(?:(?P=sep)\d\d){{6}}(?!\w|(?P=sep)\d)"
)
_GLUED_LENGTHS = (15, 16)
_CARD_KIND = late(r"4|5[0-8]|2(?:2[2-9]|[3-6]|7[01]|720)|3[4-9]|30[0-5]|6")
_CARD_LENGTHS = (12, 13, 14, 15, 16, 17, 18, 19)

_UNIX_HOME = late(
    r"(?:(?<![\w.~%-])|(?<=/\.\.))(?:/export|/usr|/var|/private|/mnt/c|/c|/System/Volumes/Data|/nfs|/net/[\w.-]{1,40}|/data|/mnt)?/(?:home\d{0,2}|Users|afs/[\w.-]{1,60}/(?:user|usr|home)(?:/\w)?)/[^/\s\"'`:;,)(\]\[}{><|&?#=%\\]++"
)
_SHARED_HOME = late(
    r"(?P<share>\\{2,8}[\w.$-]{1,60}\\{1,4}(?:[\w.$-]{1,60}\\{1,4}){0,2}?(?:homes?\$?|users\$?|profiles?\$?|homedirs?))\\{1,4}[^\\/:*?\"'<>|\s]++",
    re.IGNORECASE,
)
_OF_A_SHELL = late(
    r"(?<![\w$])(?:USER|LOGNAME|USERNAME|SUDO_USER|MAIL_USER)\\*[\"']?(?:=|: ?)\\*[\"']?(?P<secret>[^\s\"'\\;,&$%*]++)"
)
"""Who runs the program, as the environment says."""
_WINDOWS_HOME = late(
    r"(?i:(?:(?<![\w])[A-Z]:|(?<=[\\/])\w\$|(?<=[\s\"'=(])|^)(?P<slash>\\{1,8}|/{1,2})(?:Users|Documents and Settings)(?P=slash))(?:[^\\/:*?\"<>|\r\n']{1,64}(?=[\\/])|[^\\/:*?\"'<>|\s]++)"
)
_ENCODED_HOME = late(
    r"(?:\w(?::|%(?:25)*3[Aa]))?(?:%(?:25)*(?:2[Ff]|5[Cc]))+(?:home\d{0,2}|Users|Documents(?:%(?:25)*20|\+)and(?:%(?:25)*20|\+)Settings)(?:%(?:25)*(?:2[Ff]|5[Cc]))+[^%\s&\"'<>/?#]++"
)


def personal(text: str) -> str:
    """`text` without e-mail addresses, phone, card and social security numbers; homes become ``~``."""
    text = _without_homes(text)
    if "@" in text or "40" in text or "&#" in text or "&commat" in text or _SAYS_AT.search(text):
        text = without(text, _emails(text))
    return without(text, [*_cards(text), *_phones(text), *_ibans(text)])


def _without_homes(text: str) -> str:
    if "sers" in text or "SERS" in text or " and " in text:
        text = _WINDOWS_HOME.sub("~", text)
    if "\\\\" in text:
        text = _SHARED_HOME.sub(r"\g<share>\\~", text)
    if "USER" in text or "LOGNAME" in text:
        text = without(text, spans_of(_OF_A_SHELL, text))
    if "home" in text or "Users" in text or "/afs/" in text or "Settings" in text:
        text = _ENCODED_HOME.sub("~", _UNIX_HOME.sub("~", text))
    return text


def _emails(text: str) -> list[Span]:
    spans = spans_of(_LITERAL, text) if "@[" in text else []
    if "at" in text or "AT" in text:
        spans += spans_of(_SAID_AT, text)
    rules = [_EMAIL]
    if '"@' in text:
        rules += [_QUOTED]
    if "40" in text:
        rules += [_ENCODED]
    for rule in rules:
        for match in rule.finditer(text):
            top = re.split(r"[.\u3002\uff0e\uff61]", match["domain"].rstrip("-"))[-1]
            if _is_top(top) and match["local"].lower() not in _NOBODY:
                spans.append(match.span())
    return spans


def _is_top(label: str) -> bool:
    """Whether a domain may end with it: letters of any script, or those of one as ASCII has them."""
    return _TOP.fullmatch(label) is not None and ("--" in label or not _DIGIT.search(label))


def _phones(text: str) -> list[Span]:
    spans = (
        [match.span() for match in _PLUS.finditer(text) if not _DECIMAL.fullmatch(match["number"])]
        if "+" in text or "%2" in text
        else []
    )
    if "0" in text:
        spans += [match.span() for match in _NATIONAL.finditer(text) if _is_national(match[0])]
    if "-" in text:
        spans += spans_of(_SSN, text)
    if any(word in text.lower() for word in _CALLS):
        spans += spans_of(_CALLED, text)
    return [*spans, *spans_of(_US, text)]


def _is_national(number: str) -> bool:
    digits = sum(character.isdigit() for character in number)
    return 9 <= digits <= (15 if number.startswith("00") else 12)


def _cards(text: str) -> list[Span]:
    spans = []
    for rule in (_CARD, _CARD_APART, _CARD_OF_PAIRS):
        for match in rule.finditer(text):
            places = [place for place in range(*match.span()) if text[place].isdecimal()]
            if rule is _CARD_APART and "%" in match["sep"]:
                places = _without_escapes(text, match)
            spans += _card(text, match, places)
    return spans


def _without_escapes(text: str, match: re.Match[str]) -> list[int]:
    places, place, width = [], match.start(), len(match["sep"])
    while place < match.end():
        if text.startswith(match["sep"], place):
            place += width
            continue
        places.append(place)
        place += 1
    return places


def _card(text: str, match: re.Match[str], places: list[int]) -> list[Span]:
    """The longest number in `match` that can be a card's."""
    digits = [int(text[place]) for place in places]
    if not _CARD_KIND.match("".join(map(str, digits))):
        return []
    lengths = _GLUED_LENGTHS if _is_glued(text, match) else _CARD_LENGTHS
    for length in reversed(lengths):
        if length > len(digits) or (length < len(digits) and places[length] == places[length - 1] + 1):
            continue
        if _luhn(digits[:length]):
            return [(match.start(), places[length - 1] + 1)]
    return []


def _is_glued(text: str, match: re.Match[str]) -> bool:
    """Whether letters stand next to it: most numbers in a word are no card's."""
    before, after = text[max(0, match.start() - 1) : match.start()], text[match.end() : match.end() + 1]
    return (before != "" and (before.isalpha() or before in "_-")) or after.isalpha() or after == "_"


def _luhn(digits: list[int]) -> bool:
    """ISO/IEC 7812-1, annex B: from the right every second digit counts double, the sum is a multiple of ten."""
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    return len(set(digits)) > 1 and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _ibans(text: str) -> list[Span]:
    return [match.span() for match in _IBAN.finditer(text) if _is_iban(match[0].replace(" ", ""))]


def _is_iban(text: str) -> bool:
    """ISO 13616: the first four characters at the end, letters as 10 to 35, modulo 97 gives 1."""
    return int("".join(str(int(character, 36)) for character in text[4:] + text[:4])) % 97 == 1
