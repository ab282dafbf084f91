"""A block of shell as the commands that it has. Pure; what it cannot read is an error, never passed over.

Comments behind a command may say how it ends: ``# exit code 3``. Else it ends with 0.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field

_ASSIGNED = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_ENDS_WITH = re.compile(r"#.*\bexit code (\d+)")
_SEPARATES = {"&&", "||", "|", ";"}
_REDIRECTS = {">", ">>", "<", "<<"}
_SAYS = {"if", "then", "else", "fi", "for", "while", "do", "done", "case", "esac"}


@dataclass(frozen=True)
class Command:
    """One command of a block.

    Attributes:
        line: In the block, from 0.
        words: Program and arguments; none where variables are set and nothing is called.
        variables: Set for this command, or, by ``export`` or alone, from here on.
        stays: Whether they are set from here on.
        code: What it ends with.
    """

    line: int
    words: tuple[str, ...]
    variables: dict[str, str] = field(default_factory=dict)
    stays: bool = False
    code: int = 0

    @property
    def program(self) -> str:
        """What is called, without its folder."""
        return self.words[0].rpartition(".venv/bin/")[2]


def commands_of(text: str) -> list[Command]:
    """The commands of a block, in their order.

    Raises:
        ValueError: for what is more than a list of commands: a loop, a condition, a document in place.
    """
    return [command for line, whole in _joined(text) for command in _of_line(line, whole)]


def _joined(text: str) -> Iterator[tuple[int, str]]:
    """The lines, those that go on behind a backslash or in a quote as one."""
    begun, kept = 0, ""
    for number, line in enumerate(text.splitlines()):
        begun = begun if kept else number
        kept += line
        if kept.endswith("\\"):
            kept = kept[:-1]
            continue
        if _is_open(kept):
            kept += "\n"
            continue
        yield begun, kept
        kept = ""
    if kept:
        msg = f"it ends in the middle of a command: {kept}"
        raise ValueError(msg)


def _is_open(line: str) -> bool:
    try:
        list(_lexer(line))
    except ValueError:
        return True
    return False


def _lexer(line: str) -> shlex.shlex:
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
    lexer.whitespace_split = True
    return lexer


def _of_line(number: int, line: str) -> Iterator[Command]:
    said = _ENDS_WITH.search(line)
    code = int(said[1]) if said else 0
    words: list[str] = []
    for word in [*_lexer(line), ";"]:
        if word not in _SEPARATES:
            words.append(word)
        elif words:
            yield _command(number, words, code)
            words = []


def _command(number: int, words: list[str], code: int) -> Command:
    plain = list(_without_redirections(words))
    variables = {}
    exported = plain[:1] == ["export"]
    if exported:
        del plain[0]
    while plain and (assigned := _ASSIGNED.fullmatch(plain[0])):
        variables[assigned[1]] = assigned[2]
        del plain[0]
    if plain and (exported or plain[0] in _SAYS or "&" in plain):
        msg = f"line {number + 1}: more than a list of commands: {' '.join(words)}"
        raise ValueError(msg)
    return Command(number, tuple(plain), variables, not plain, code)


def _without_redirections(words: list[str]) -> Iterator[str]:
    rest = iter(words)
    for word in rest:
        if word in _REDIRECTS:
            if word == "<<":
                msg = f"a document in place: {' '.join(words)}"
                raise ValueError(msg)
            next(rest)
        else:
            yield word
