"""What may be shown and stored of a URL or DSN that a user configured: its host stays, by whatever address."""

from __future__ import annotations

import re

from nightbench.scrub.patterns import late
from nightbench.scrub.spans import REDACTED
from nightbench.scrub.text import scrub_own

_SCHEME = late(r"[A-Za-z][A-Za-z0-9+.-]*")
_QUERY = late(r"[?#]")
_NO_PORT = late(r"^(?P<host>[^:/?#\[]*):(?!\d{1,5}(?:[/?#]|$)).*", re.DOTALL)


def scrub_address(address: str) -> str:
    """What may be shown of a URL or DSN that cannot be parsed, where no part is surely not the password.

    Of an address with an @, the scheme and what follows the last @; of another, what stands before a
    colon without a port.
    """
    scrubbed = scrub_own(address)
    scheme, mark, rest = scrubbed.partition("://")
    if not mark or not _SCHEME.fullmatch(scheme):
        scheme, mark, rest = "", "", scrubbed
    if "@" in rest:
        return f"{scheme}{mark}{REDACTED}@{rest.rpartition('@')[2]}"
    return scheme + mark + _NO_PORT.sub(rf"\g<host>:{REDACTED}", rest)


def without_query(address: str) -> str:
    """A scrubbed URL or DSN without its query and fragment, where tickets and tokens travel by any name."""
    return _QUERY.split(address, maxsplit=1)[0]


def stored_address(address: str) -> str:
    """A URL or DSN as it stands in results: scrubbed and without its query."""
    return without_query(scrub_own(address))
