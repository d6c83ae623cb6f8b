"""Where the code in a source is: one linear pass that `Velocity.spans` and the parser share.

It must not be derailed by what editors do to code in HTML (`&quot;` for a quote), so it only balances brackets and
skips over strings; what the code says is the parser's business. As in Velocity a backslash before code makes it
text, and a word behind `#` that is no directive (`#fff`, `#header`) is text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

CODE_LENGTH = 2_000
"""Characters of one piece of code; verbatim text and comments may be longer."""
CODE_PIECES = 5_000

SEAL = "\ufdd1"
"""Written behind code whose surroundings changed (`Engine.seal`); no source can hold it."""


class Kind(Enum):
    REFERENCE = "reference"
    DIRECTIVE = "directive"
    VERBATIM = "verbatim"  # #[[ … ]]#
    COMMENT = "comment"


@dataclass(frozen=True, slots=True)
class Code:
    """`name`: of a directive. `inner`: where its parenthesis opens, of a reference where its first letter or, in a
    placed one, its inner reference is. `slashes`: backslashes before it that escape one another."""

    kind: Kind
    start: int
    end: int
    name: str = ""
    inner: int = 0
    slashes: int = 0


class Unreadable(Exception):
    """Code that does not fit the language. `position`: in the source."""

    def __init__(self, reason: str, position: int) -> None:
        super().__init__(reason)
        self.position = position


WITH_BRACKETS = ("if", "elseif", "foreach", "set", "include", "parse", "macro", "define", "evaluate")
BARE = ("else", "end", "break")

_OPENING = re.compile(
    r"\$\{pg_(?P<placed>[a-z]+) (?=\$)"
    r"|\$!?(?P<brace>\{)?(?=(?P<reference>[A-Za-z]))"
    rf"|\#(?P<wb>\{{)?(?P<with>{'|'.join(WITH_BRACKETS)})(?(wb)\}}|(?![A-Za-z0-9_]))(?=[ \t]*\()"
    rf"|\#(?P<bb>\{{)?(?P<bare>{'|'.join(BARE)})(?(bb)\}}|(?![A-Za-z0-9_]))"
    r"|(?P<verbatim>\#\[\[)"
    r"|(?P<block>\#\*)"
    r"|(?P<line>\#\#)"
)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_MEMBER = re.compile(r"\.[A-Za-z][A-Za-z0-9_-]*")
_BLANK = re.compile(r"[ \t]*")
_BRACKET = re.compile(
    r"""'[^']*'|"(?:[^"\\]|\\.)*"|&quot;.*?&quot;|&\#3[49];.*?&\#3[49];|&apos;.*?&apos;|(?P<open>[(\[{])|(?P<close>[)\]}])""",
    re.DOTALL,
)
_LINE_END = re.compile(f"(?=[\n{SEAL}])|\\Z")


def scan(text: str) -> Iterator[Code]:
    """The code in order. Raises Unreadable for code that never ends, that is too long, or when it is too much."""
    position = 0
    for _ in range(CODE_PIECES):
        match = _OPENING.search(text, position)
        if match is None:
            return
        slashes = _slashes(text, position, match.start())
        if slashes % 2:
            position = match.end()
            continue
        code = _code(text, match, slashes // 2)
        yield code
        position = code.end
    raise Unreadable(f"has more than {CODE_PIECES} pieces of code", position)


def _slashes(text: str, begin: int, at: int) -> int:
    start = at
    while start > begin and text[start - 1] == "\\":
        start -= 1
    return at - start


def _code(text: str, match: re.Match[str], slashes: int) -> Code:
    start = match.start()
    if match["placed"]:
        inner = _OPENING.match(text, match.end())
        assert inner is not None, "placed code is made from scanned code"
        end = _reference_end(text, inner)
        return Code(Kind.REFERENCE, start, _closed(text, end, start), match["placed"], match.end(), slashes)
    if match["reference"]:
        return Code(Kind.REFERENCE, start, _reference_end(text, match), "", match.end(), slashes)
    if match["with"]:
        inner_at = _BLANK.match(text, match.end()).end()  # type: ignore[union-attr]  # matches everywhere
        return Code(
            Kind.DIRECTIVE, start, _bracket_end(text, inner_at, start), match["with"], inner_at, slashes
        )
    if match["bare"]:
        return Code(Kind.DIRECTIVE, start, match.end(), match["bare"], 0, slashes)
    if match["line"]:
        ended = _LINE_END.search(text, match.end())
        return Code(Kind.COMMENT, start, ended.start() if ended else len(text), slashes=slashes)
    closing, kind = ("]]#", Kind.VERBATIM) if match["verbatim"] else ("*#", Kind.COMMENT)
    end = text.find(closing, match.end())
    if end < 0:
        raise Unreadable(f"{match[0]} is never closed", start)
    return Code(kind, start, end + len(closing), inner=match.end(), slashes=slashes)


def _reference_end(text: str, match: re.Match[str]) -> int:
    start = match.start()
    name = _NAME.match(text, match.end())
    assert name is not None, "the opening looked ahead for it"
    end = name.end()
    while True:
        if member := _MEMBER.match(text, end):
            end = member.end()
            if text[end : end + 1] == "(":
                end = _bracket_end(text, end, start)
        elif text[end : end + 1] == "[":
            end = _bracket_end(text, end, start)
        else:
            return _closed(text, end, start) if match["brace"] else end


def _closed(text: str, end: int, start: int) -> int:
    if text[end : end + 1] != "}":
        raise Unreadable("${ is never closed by }", start)
    return end + 1


def _bracket_end(text: str, position: int, start: int) -> int:
    """Behind the bracket that closes the one at `position`."""
    depth = 0
    for match in _BRACKET.finditer(text, position, start + CODE_LENGTH):
        if match["open"]:
            depth += 1
        elif match["close"]:
            depth -= 1
            if depth == 0:
                return match.end()
    raise Unreadable(f"the bracket is not closed within {CODE_LENGTH} characters", start)
