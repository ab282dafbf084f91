"""What users say: which kind of message comes when, with which values in it."""

from __future__ import annotations

import base64
import binascii
import itertools
import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from nightbench.errors import ConfigurationError
from nightbench.files import read_file
from nightbench.load.dice import uniform
from nightbench.plan import MessageKind, WebSocketPlan
from nightbench.websocket.templates import Place, Template, Values, json_text

DEFAULT_KIND = "chat"
"""The name of the message that users send where the plan has no `messages`."""

KIND_STREAM = 11
"""Of `dice.uniform`: draws which kind of message is next."""
ROW_STREAM = 12
"""Of `dice.uniform`: draws the row of the data file."""

_BY_ID = "put ${id} where the subject takes it from, or set reply.match to order or predicate"
_MOST_BYTES = 16 * 2**20
"""Of a binary message."""
_OWN = ("id", "user", "sequence", "token")
_NO_ROW: Mapping[str, str] = {}


class _Line(NamedTuple):
    """One kind of message: `template`, or the bytes of `payload` as they are."""

    template: Template | None
    payload: bytes
    has_row: bool


class Script:
    """Everything that the users of a load test say, without state: any process composes any message.

    Args:
        plan: Of the whole load test.
        run_id: What ``${run}`` stands for.
        rows: Of the data file; see `Provisions.rows`.
        tokens: What ``${token}`` stands for; used again from the first where they are fewer than users.
        files: The bytes of each `binary_file` by its name, where they are read already.

    Attributes:
        kinds: The names of the kinds of messages.

    Raises:
        ConfigurationError: naming the field of the plan that cannot be used.
    """

    def __init__(
        self,
        plan: WebSocketPlan,
        run_id: str,
        rows: Sequence[Mapping[str, str]],
        *,
        tokens: Sequence[str] = (),
        files: Mapping[str, bytes] | None = None,
    ) -> None:
        self._seed = plan.seed
        self._rows = rows
        self._order = plan.data_order
        self._stride = _stride(plan.users, len(rows))
        self._tokens = tokens or ("",)
        own = _OWN if tokens else _OWN[:-1]
        columns = frozenset(rows[0]) if rows else frozenset[str]()
        place = Place("", own, columns, {"run": run_id})

        def line(kind: MessageKind, setting: str) -> _Line:
            said = _line(kind, place._replace(setting=setting), files or {})
            if plan.reply.match == "id" and (said.template is None or "id" not in said.template.names):
                raise ConfigurationError(
                    setting, kind.name, "has no ${id}, which its reply is known by", _BY_ID
                )
            return said

        if plan.messages:
            self._lines = [line(kind, f"messages[{index}]") for index, kind in enumerate(plan.messages)]
            self.kinds = tuple(kind.name for kind in plan.messages)
        else:
            self._lines = [_chat(plan.message, place)]
            self.kinds = (DEFAULT_KIND,)
        self._greeting = None if plan.greeting is None else line(plan.greeting, "greeting")
        weights = [kind.weight for kind in plan.messages]
        # without the last, which is the rest: a sum of shares may be a little less than 1
        self._shares = [share / sum(weights) for share in itertools.accumulate(weights)][:-1]

    def compose(self, user: int, sequence: int, message_id: str) -> tuple[int, bytes, bool]:
        """A message: the index of its kind, what goes on the wire, and whether that is binary.

        Args:
            user: Its index in the whole load test, from 0.
            sequence: Which message of this user it is, from 1.
            message_id: What ``${id}`` stands for, in plain ASCII.
        """
        kind = 0
        if self._shares:
            kind = bisect_right(self._shares, uniform(self._seed, KIND_STREAM, user, sequence))
        template, payload, has_row = self._lines[kind]
        if template is None:
            return kind, payload, True
        if template.around_id is not None:
            return kind, (template.around_id % message_id).encode(), False
        row = self._row(user, sequence) if has_row else _NO_ROW
        token = self._tokens[user % len(self._tokens)]
        return kind, template.fill(Values(message_id, user, sequence, row, token)).encode(), False

    def greeting(self, user: int, message_id: str) -> tuple[bytes, bool] | None:
        """What `user` says first, and whether that is binary; with its own row of the data file."""
        if self._greeting is None:
            return None
        template, payload, _ = self._greeting
        if template is None:
            return payload, True
        row = own_row(self._rows, user)
        token = self._tokens[user % len(self._tokens)]
        return template.fill(Values(message_id, user, 0, row, token)).encode(), False

    def _row(self, user: int, sequence: int) -> Mapping[str, str]:
        count = len(self._rows)
        match self._order:
            case "cycle":
                return self._rows[(user + (sequence - 1) * self._stride) % count]
            case "random":
                return self._rows[int(uniform(self._seed, ROW_STREAM, user, sequence) * count)]
            case "own":
                return own_row(self._rows, user)


def _stride(users: int, rows: int) -> int:
    """How far on the next row of a user is in `cycle`: past those that the other users take meanwhile.

    Where there are no more rows than users, as many more that a user comes to each row: it would say the same for
    ever where the users are a multiple of the rows.
    """
    if rows > users:
        return users
    return next(stride for stride in itertools.count(users) if math.gcd(stride, rows) == 1) if rows else users


def own_row(rows: Sequence[Mapping[str, str]], user: int) -> Mapping[str, str]:
    """The row of the data file that headers, token and greeting of `user` take; empty where there are none."""
    return rows[user % len(rows)] if rows else _NO_ROW


def binary_file(name: str, setting: str) -> bytes:
    """The bytes of a message.

    Raises:
        ConfigurationError: naming `setting`, when the file cannot be read or is too large.
    """
    return read_file(name, setting, most=_MOST_BYTES, way_out="name a file of the message's bytes")


def _chat(message: str, place: Place) -> _Line:
    """The default conversation's message, which the reference backend understands."""
    body = json_text({"type": "chat", "id": "${id}", "message": message})
    return _filled(Template(body, place._replace(setting="message"), body=True), place)


def _line(kind: MessageKind, place: Place, files: Mapping[str, bytes]) -> _Line:
    setting = place.setting
    if kind.text is not None:
        return _filled(Template(kind.text, place._replace(setting=f"{setting}.text")), place)
    if kind.binary is not None:
        return _Line(None, _decoded(kind.binary, f"{setting}.binary"), has_row=False)
    if kind.binary_file is not None:
        read = files.get(kind.binary_file)
        payload = binary_file(kind.binary_file, f"{setting}.binary_file") if read is None else read
        return _Line(None, payload, has_row=False)
    there = place._replace(setting=f"{setting}.body")
    return _filled(Template(json_text(kind.body), there, body=True), place)


def _filled(template: Template, place: Place) -> _Line:
    return _Line(template, b"", has_row=not template.names.isdisjoint(place.columns))


def _decoded(text: str, setting: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        shown = text if len(text) <= 40 else f"{text[:40]}…"
        raise ConfigurationError(
            setting, shown, "is not base64", "binary_file takes a file of bytes"
        ) from None
