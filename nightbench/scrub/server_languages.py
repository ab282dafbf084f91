# ruff: noqa: RUF001  # words of other scripts look like those of this one
"""What PostgreSQL says of the data in its other languages.

The words are those of its message catalogues: which line is a detail, and what is said of a value that was rejected.
Which value it is, brackets and quotes tell in every language.
"""

from __future__ import annotations

import re
from bisect import bisect_left

from nightbench.scrub.patterns import late
from nightbench.scrub.spans import Span, spans_of

DETAIL = (
    "DÉTAIL|DETALLES?|DETALLS?|DETTAGLI[O]?|DETALHES?|DETALII|DETALJ(?:ER)?|DETAILS?|SZCZEGÓŁY|AYRINTI(?:LAR)?|PODROBNOSTI|RÉSZLETEK?|CHI TIẾT|RINCIAN"
    "|ПОДРОБНОСТИ|ДЕТАЛІ|ДОКЛАДНО|ДЕТАЛЬНО|ДЕТАЛИ|ПОДРОБНО|ПОДРОБИЦИ|ΛΕΠΤΟΜΕΡΕΙ[ΑΕ]Σ?|ΛΕΠΤΟΜΈΡΕΙΑ|დეტალები|פרטים|تفاصيل|描述|詳細(?:內容|情報)?|详细信息|详情|細節|상세정보|상세"
)
"""What stands before a line of details, in capitals where a script has them."""
_OTHERS = (
    "HINWEIS|TIPP?S?|ANFRAGE|ANWEISUNG|KONTEXT|ZUSAMMENHANG|ORT|ASTUCE|INDICE|REQUÊTE|INSTRUCTION|CONTEXTE|EMPLACEMENT|SUGERENCIA|CONSULTA|SENTENCIA|CONTEXTO"
    "|UBICACIÓN|SUGGERIMENTO|ISTRUZIONE|CONTESTO|POSIZIONE|DICA|COMANDO|LOCAL|PODPOWIEDŹ|ZAPYTANIE|POLECENIE|KONTEKST|POZYCJA|İPUCU|SORGU|BAĞLAM|ORTAM|KOMUT|YER"
    "|FRÅGA|SATS|PLATS|DOPORUČENÍ|RADA|DOTAZ|PŘÍKAZ|UMÍSTĚNÍ|ПОДСКАЗКА|ЗАПРОС|ОПЕРАТОР|КОНТЕКСТ|ПОЛОЖЕНИЕ|ПІДКАЗКА|ЗАПИТ|ІНСТРУКЦІЯ|ΥΠΟΔΕΙΞΗ|ΥΠΌΔΕΙΞΗ|ΠΛΑΙΣΙΟ|ΔΗΛΩΣΗ"
    "|მინიშნება|კონტექსტი|提示|查询|查詢|上下文|背景|语句|敘述|位置|ヒント|問い合わせ|コンテキスト|文脈|文|場所|힌트|쿼리|구문|문맥|위치|명령 구문"
)
HEADINGS = rf"(?:{DETAIL}|{_OTHERS})[ \xa0]?[:：]"

_DETAIL = late(rf"(?<!\w)(?!DETAIL:)(?:{DETAIL})[ \xa0]?[:：][^\S\n]*+(?P<secret>[^\n]+)")
_CONTEXT_OF_COPY = late(
    r"\bCOPY [\w.\"»«„“]{1,120}, ?[^\W\d]{1,20} ?\d+(?:, ?[^\n:]{1,80}?)?[^\S\n]?: ?[\"'»«„“「][^\S\n]?(?P<secret>[^\n]+?)(?=[^\S\n]?[\"'»«”“」]?\.?(?:\n|\Z))"
)
_INVALID = late(
    r"(?:ung[üu]ltig|unzul[äa]ssig|fehlerhaft|außerhalb|überschre|invalid|inv[áa]lid|malform|mal form|incorrect|no (?:es )?v[áa]lid|non valid|non è valid|não é v[áa]lid|fuera de|hors d|hors limit|fuori"
    r"|fora d[oe]|neplatn|mimo rozsah|chybn|nieprawid|niepoprawn|poza zakres|ogiltig|felaktig|utanför|ugyldig|geçersiz|hatalı|aralık dış|kapsam dış|sınır dış|érvénytelen|nevalid|ongeldig|virheellinen"
    r"|невер|неправильн|недопустим|некоррект|вне диапазон|вне допустим|поза (?:меж|діапазон)|за меж|хибн|невалид|невалід|μη έγκυρ|άκυρ|εκτός|არასწორ|无效|無效|不正|有误|有誤|超出|超过|範囲|範圍|잘못|벗어|유효하지|不合法|malformad|errón|duplicado|Ya existe)"
    r"[^\n:：\"»«„“「]{0,120}[:：][ \xa0]?(?:(?P<mark>[\"'»«„“「])|(?=0x))",
    re.IGNORECASE,
)
_CLOSES = {"»": "«»", "«": "»", "„": "“”", "“": "”“", "「": "」", '"': '"', "'": "'"}
_CLOSING = late("[\"'»«“”」](?=[\\s,;.:()\\]}\\\\]|$)", re.MULTILINE)
_SIGNS = (
    "COPY ",
    "DETA",
    "DETTAGLI",
    "AYRINTI",
    "RINCIAN",
    "PODROB",
    "alid",
    "ncorrect",
    "malform",
    "fuera",
    "fuori",
    "hors d",
    "fora d",
    "ngeldig",
    "gyldig",
    "neplatn",
    "felaktig",
    "ogiltig",
)
"""One of which an ASCII text has that is worth a look."""
_HEXADECIMAL = late(
    r"(?:byte sequence|byte value|séquence|Bytefolge|secuencia|последовательност\w+)[^\n:]{0,80}: ?(?P<secret>0x[0-9a-f]{2}(?: 0x[0-9a-f]{2})*+)"
)


def said_elsewhere(text: str) -> list[Span]:
    """Where a server that speaks another language than English tells of values."""
    spans = spans_of(_HEXADECIMAL, text) if ": 0x" in text else []
    if text.isascii() and not any(sign in text for sign in _SIGNS):
        return spans
    spans += [*spans_of(_DETAIL, text), *spans_of(_CONTEXT_OF_COPY, text)]
    closing: list[int] | None = None
    for match in _INVALID.finditer(text):
        if match["mark"] is None:
            continue
        if closing is None:
            closing = [each.start() for each in _CLOSING.finditer(text)]
        line = text.find("\n", match.end())
        line = len(text) if line < 0 else line
        known = _CLOSES[match["mark"]]
        place = bisect_left(closing, match.end())
        while place < len(closing) and closing[place] < line and text[closing[place]] not in known:
            place += 1
        end = min(closing[place], line) if place < len(closing) else line
        spans.append((match.end(), end))
    return spans
