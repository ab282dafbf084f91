"""Which names are those of secrets: of keys, headers, parameters, columns, cookies and attributes."""

from __future__ import annotations

from enum import IntEnum
from functools import lru_cache

from nightbench.scrub.patterns import late

_LONGEST = 100
"""Characters of a name that are looked at, its last ones: what a name says stands at its end."""

_WORDS = late(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")
_TAIL = frozenset((
    "value", "values", "val", "raw", "plain", "text", "plaintext", "hash", "hashed", "hex", "digest",
    "base", "base64", "b64", "bytes", "str", "string", "confirm", "confirmation", "confirmed", "again",
    "repeat", "repeated", "verify", "verification", "old", "new", "current", "previous", "data",
    "header", "encoded", "encrypted", "b", "env",
))  # fmt: skip
"""What a name may end with and still be that of a secret: ``password_confirmation``, ``tokenValue``."""

_SURE = late(
    r"(?:pass(?:word|wd|phrase|code|file|wort|key)|pwd|kennwort|motdepasse|(?<!im)passe|contrase[nñ]a|senha|wachtwoord|hasło|haslo|heslo|jelszó|jelszo"
    r"|parol[aă]?|lösenord|losenord|lozinka|geslo|şifre|sifre|salasana|adgangskode|kodeord|lykilorð|slaptažodis|salasõna|mậtkhẩu|matkhau|katasandi"
    r"|пароль|пароля|парола|лозинка|密码|密碼|口令|パスワード|暗証番号|비밀번호|암호|κωδικός|συνθηματικό|סיסמה|סיסמא|رمزعبور|گذرواژه|كلمةالمرور|पासवर्ड|รหัสผ่าน"
    r"|secret|token|jwt|bearer|authorization|credentials?|creds"
    r"|(?:api|access|private|secret|signing|encryption|encrypt|decryption|master|service|role|anon|account|shared|session"
    r"|auth|client|admin|webhook|hmac|license|licence|sentry|deploy|ssh|gpg|pgp|aes|rsa|jwt|storage|subscription|app"
    r"|application|consumer|publishable|server|user|root|recovery|instrumentation|integration|ingest|cookie|crypto"
    r"|fernet|kms|vault|s3|aws|azure|gcp|openai|anthropic|stripe|twilio|sendgrid|mailgun|datadog|dd)key(?:id|base)?"
    r"|accesskeyid|secretid|tokenid|authtokens?|accesstokens?|refreshtokens?|apikeys|bearertokens?"
    r"|(?:set)?cookies?|session(?:id|key|token|cookie)|sessid|phpsessid|jsessionid|connectsid"
    r"|c(?:srf|srftoken|srfmiddlewaretoken)|xsrf|onetime(?:code|password)|totp|hotp|mfacode|otpcode|authcode"
    r"|codeverifier|devicecode|usercode|verificationcode|recoverycodes?|backupcodes?|securitycode|securityanswer|seedphrase|mnemonic|seedwords"
    r"|socialsecurity(?:number|no)?|ssn|cvv2?|cvc2?|cvn|cardnumber|cardno|ccnumber|ccnum|creditcard|debitcard|iban"
    r"|accountnumber|routingnumber|passportnumber|taxid|samlresponse|samlrequest|clientassertion"
    r"|secwebsocketprotocol|secwebsocketkey|connectionstring|connstr|conninfo|htpasswd|pgpass|netrc"
    r"|querystring|rawquery|inputvalue|wstickets?|authtickets?)$"
)
"""Of the name in small letters without dashes: what it must end with."""
_OF_DIGITS = frozenset(("otp", "pin", "mfa", "pan"))
_ALONE = frozenset(("subprotocol", "subprotocols"))
_PERHAPS = frozenset((
    "pass", "pat", "auth", "sig", "signature", "nonce", "ticket", "session", "salt", "hmac", "assertion",
    "subprotocol", "subprotocols", "otp", "pin", "mfa", "sid", "pan",
))  # fmt: skip
"""Words that are also of plain prose: they count where only a machine writes them."""
_IN_A_QUERY = frozenset((
    "key", "code", "state", "sig", "signature", "auth", "ticket", "session", "sess", "sid", "pass", "pw",
    "p", "nonce", "hash", "hmac", "st", "k", "t", "email", "phone", "user_token",
))  # fmt: skip


class Trust(IntEnum):
    """How surely a name is that of a secret."""

    NONE = 0
    IN_A_QUERY = 1
    PERHAPS = 2
    SURE = 3


@lru_cache(maxsize=4096)
def trust(name: str) -> Trust:
    """How surely `name` is that of a secret, in whatever case and with whatever between its words."""
    words = [word.lower() for word in _WORDS.findall(name[-_LONGEST:])]
    if not words:
        return Trust.NONE
    while (
        not (sure := _SURE.search("".join(words)) is not None)
        and len(words) > 1
        and (words[-1] in _TAIL or words[-1].isdigit())
    ):
        words.pop()
    if sure and not _is_a_word(words):
        return Trust.SURE
    if words[-1] == "pw":
        return Trust.SURE
    if words[-1] in _PERHAPS and (len(words) == 1 or words[-1] not in _ALONE):
        return Trust.PERHAPS
    return Trust.IN_A_QUERY if len(words) == 1 and words[0] in _IN_A_QUERY else Trust.NONE


def is_secret_name(name: str) -> bool:
    """Whether what has this name, as a key of structured data, is a secret whatever it looks like."""
    return trust(name) >= Trust.PERHAPS


def names_secret_texts(name: str) -> bool:
    """Whether it is the plural of such a name, as of ``tokens``: texts are secrets then, numbers count them."""
    return name.endswith(("s", "S")) and trust(name[:-1]) is Trust.SURE


def names_secret_digits(name: str) -> bool:
    """Whether a number that has this name is a secret."""
    return trust(name) is Trust.SURE or (_WORDS.findall(name)[-1:] or [""])[0].lower() in _OF_DIGITS


def _is_a_word(words: list[str]) -> bool:
    """Whether only the end of a longer word looks like a short name, as of ``mapping`` or ``monkey``."""
    return words[-1] in (
        "monkey",
        "turkey",
        "hockey",
        "jockey",
        "donkey",
        "whiskey",
        "nonsecret",
        "discredentials",
    )
