"""What tells of a person: e-mail addresses, phone and card numbers, names in the paths of homes."""

from __future__ import annotations

import re

from nightbench.scrub.spans import Span, spans_of, without

_LETTER = r"\w\u0300-\u036f\u0900-\u0dff\u0e00-\u0eff\u200c\u200d"
_DOMAIN = rf"(?P<domain>[{_LETTER}-]++(?:[.\u3002\uff0e\uff61][{_LETTER}-]++)++)"
_LOCAL = rf"[{_LETTER}.+~#$!-]"
_EMAIL = re.compile(
    rf"(?<![{_LETTER}.+~#$!@-])(?<!://)(?P<local>{_LOCAL}++(?:[%'/=&]{_LOCAL}++){{0,4}})(?P<at>@|\\+u0040|\\+x40|&#(?:64|x40);|&commat;){_DOMAIN}"
)
_ENCODED = re.compile(
    rf"(?<![{_LETTER}.+~-])(?P<local>(?:[{_LETTER}.+~-]|%(?:25)*2[Bb])++)(?P<at>%(?:25)*40){_DOMAIN}"
)
_QUOTED = re.compile(rf"(?P<local>\\*\"[^\"\n@]{{1,64}}\")(?P<at>@){_DOMAIN}")
_LITERAL = re.compile(rf"(?<![{_LETTER}.+~@-])(?<!://)(?P<secret>{_LOCAL}++@\[[\w.:]+\])")
_TOP = re.compile(rf"(?!\d)[{_LETTER}]{{2,}}|xn--[a-z0-9-]+", re.IGNORECASE)
_DIGIT = re.compile(r"\d")
_NOBODY = frozenset(("git", "ssh"))
"""Who stands before the host of a repository."""

_PLUS = re.compile(r"(?<![\w.+-])(?:\+|%2[Bb])(?P<number>[1-9](?:[ \xa0().\-/]{0,3}\d){6,16})(?![\d:])")
_DECIMAL = re.compile(r"\d+\.\d+")
_US = re.compile(
    r"(?<![\w.+-])(?:1[ .-])?(?:\(\d{3}\)[ .-]?\d{3}[ .-]?\d{4}|\d{3}(?P<sep>[.-])\d{3}(?P=sep)\d{4}|(?<=1 )\d{3} \d{3} \d{4}|\d{3}-\d{3} \d{4}|\d{3} \d{3}-\d{4})(?![\w-]|\.\d)"
)
_NATIONAL = re.compile(
    r"(?<![\w.:,+/-])(?!\d\d[./-]\d\d[./-]\d{2,4}(?![./-]?\d))(?:00[1-9](?:[ \xa0().\-/]{0,3}\d){7,14}|\(?0[1-9]\d{0,4}\)?(?:[ \xa0/.-]{1,3}\d{2,9}){1,5})(?![\w:-]|[.,]\d)"
)
_CALLED = re.compile(
    r"(?i:\b(?:phone|telephone|telefon|tel|mobile|mobil|cell|fax|handy|whatsapp|msisdn|sms)(?:[ _-]?(?:number|nr|no|num))?)\\*[\"']?(?:\.|\s)?\s*[:=]?\s*\\*[\"']?(?P<secret>[+(]?\d(?:[ \xa0().\-/]{0,3}\d){5,16})(?![\w:])"
)
_CALLS = ("phone", "tel", "mobil", "cell", "fax", "handy", "whatsapp", "msisdn", "sms")
_SSN = re.compile(r"(?<![\w.-])(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-]|\.\d)")
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?(?![A-Za-z0-9])")

_CARD = re.compile(r"(?<![\w.-])(?<!\d[ ])[2-6]\d{3}(?:[ -]{0,2}\d){8,15}(?![\w-]|\.\d)")
_CARD_KIND = re.compile(r"4|5[0-8]|2(?:2[2-9]|[3-6]|7[01]|720)|3[4-9]|30[0-5]|6")
_CARD_LENGTHS = (12, 13, 14, 15, 16, 17, 18, 19)

_UNIX_HOME = re.compile(
    r"(?<![\w.~%-])(?:/export|/usr|/var|/private|/mnt/c|/c|/System/Volumes/Data)?/(?:home|Users)/[^/\s\"'`:;,)(\]\[}{><|&?#=%\\]++"
)
_WINDOWS_HOME = re.compile(
    r"(?i:(?:(?<![\w])[A-Z]:|(?<=[\\/])\w\$|(?<=[\s\"'=(])|^)(?P<slash>\\{1,8}|/{1,2})(?:Users|Documents and Settings)(?P=slash))(?:[^\\/:*?\"<>|\r\n']{1,64}(?=[\\/])|[^\\/:*?\"'<>|\s]++)"
)
_ENCODED_HOME = re.compile(r"%(?:25)*2[Ff](?:home|Users)%(?:25)*2[Ff][^%\s&\"'<>/?#]++")


def personal(text: str) -> str:
    """`text` without e-mail addresses, phone, card and social security numbers; homes become ``~``."""
    text = _without_homes(text)
    if "@" in text or "40" in text or "&#" in text or "&commat" in text:
        text = without(text, _emails(text))
    return without(text, [*_cards(text), *_phones(text), *_ibans(text)])


def _without_homes(text: str) -> str:
    if "sers" in text or "SERS" in text or " and " in text:
        text = _WINDOWS_HOME.sub("~", text)
    return _ENCODED_HOME.sub("~", _UNIX_HOME.sub("~", text)) if "home" in text or "Users" in text else text


def _emails(text: str) -> list[Span]:
    spans = spans_of(_LITERAL, text) if "@[" in text else []
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
    for match in _CARD.finditer(text):
        digits = [(place, int(text[place])) for place in range(*match.span()) if text[place].isdecimal()]
        if not _CARD_KIND.match("".join(str(digit) for _, digit in digits)):
            continue
        for length in reversed(_CARD_LENGTHS):
            if length > len(digits) or (
                length < len(digits) and digits[length][0] == digits[length - 1][0] + 1
            ):
                continue
            if _luhn([digit for _, digit in digits[:length]]):
                spans.append((match.start(), digits[length - 1][0] + 1))
                break
    return spans


def _luhn(digits: list[int]) -> bool:
    """ISO/IEC 7812-1, annex B: from the right every second digit counts double, the sum is a multiple of ten."""
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    return len(set(digits)) > 1 and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _ibans(text: str) -> list[Span]:
    return [match.span() for match in _IBAN.finditer(text) if _is_iban(match[0].replace(" ", ""))]


def _is_iban(text: str) -> bool:
    """ISO 13616: the first four characters at the end, letters as 10 to 35, modulo 97 gives 1."""
    return int("".join(str(int(character, 36)) for character in text[4:] + text[:4])) % 97 == 1
