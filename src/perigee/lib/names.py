"""The rules for first and last names (contract 7.1)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from perigee.errors import Invalid

MAX_LENGTH = 40  # contract 24: 40 by default, a setting
MAX_DIGITS = 3
LONG_WORD = 4  # letters; a word below this is short and may end in a dot
MAX_LONG_WORDS = MAX_SHORT_WORDS = 3

_APOSTROPHES = "'’ʼ‘`´ʹ′"
_HYPHENS = "-‐‑–"
_ALLOWED_SIGNS = frozenset(_APOSTROPHES + _HYPHENS + ". ")
_LONE_APOSTROPHE = re.compile(rf"(?<!\w)[{_APOSTROPHES}]|[{_APOSTROPHES}](?!\w)")
_WORD_BREAK = re.compile(r"[ .]+")
_BEFORE_DOT = re.compile(f"[ .{re.escape(_HYPHENS)}]")
_TWO_HYPHENS = re.compile(f"[{re.escape(_HYPHENS)}] ?[{re.escape(_HYPHENS)}]")
_MARKS = ("Mn", "Mc")


def name_problem(name: str, max_length: int = MAX_LENGTH, *, count_words: bool = True) -> str | None:
    """Why a cleaned, trimmed name is refused ("holds more than 3 digits"), or None when it is fine.

    Letters of any script; at most 3 digits; apostrophes inside words; hyphens inside or between words; a dot after a
    word of up to 3 letters. `count_words`, for first names: at most 3 words longer than 3 letters and 3 shorter.
    """
    if name.isalpha() and len(name) <= max_length:
        return None  # one word of letters, as most names are
    if len(name) > max_length:
        return f"is longer than {max_length} characters"
    if (sign := _foreign_sign(name)) is not None:
        return f"holds the character {sign!r}"
    if not any(char.isalpha() for char in name):
        return "holds no letter"
    if sum(char.isdecimal() for char in name) > MAX_DIGITS:
        return f"holds more than {MAX_DIGITS} digits"
    if _LONE_APOSTROPHE.search(_without_marks(name)):
        return "has an apostrophe outside a word"
    if (fault := _misplaced_dot_or_hyphen(name)) is not None:
        return fault
    return _too_many_words(name) if count_words else None


def check(field: str, name: str, max_length: int = MAX_LENGTH, *, count_words: bool = True) -> str:
    """The name itself. Raises `Invalid` that names field, value and rule."""
    if problem := name_problem(name, max_length, count_words=count_words):
        raise Invalid.of(field, name, problem)
    return name


def name_problems(
    column: Iterable[str | None], max_length: int = MAX_LENGTH, *, count_words: bool = True
) -> list[str | None]:
    """`name_problem` over a column; an absent name has none."""
    return [
        None
        if name is None or (name.isalpha() and len(name) <= max_length)
        else name_problem(name, max_length, count_words=count_words)
        for name in column
    ]


def _foreign_sign(name: str) -> str | None:
    for char in name:
        if not (
            char.isalpha()
            or char in _ALLOWED_SIGNS
            or char.isdecimal()
            or unicodedata.category(char) in _MARKS
        ):
            return char
    return None


def _without_marks(name: str) -> str:
    """Vowel signs and accents are part of the letter before them, but `\\w` does not know it."""
    return (
        name if name.isascii() else "".join(char for char in name if unicodedata.category(char) not in _MARKS)
    )


def _letters(word: str) -> int:
    return sum(char.isalpha() for char in word)


def _misplaced_dot_or_hyphen(name: str) -> str | None:
    for position, char in enumerate(name):
        if char == ".":
            word = _BEFORE_DOT.split(name[:position])[-1]
            if not word:
                return "has a dot that follows no word"
            if _letters(word) >= LONG_WORD:
                return "has a dot after a word of more than 3 letters"
    if name[0] in _HYPHENS or name[-1] in _HYPHENS:
        return "begins or ends with a hyphen"
    if _TWO_HYPHENS.search(name):
        return "has two hyphens in a row"
    return None


def _too_many_words(name: str) -> str | None:
    sizes = [size for word in _WORD_BREAK.split(name) if (size := _letters(word))]
    long = sum(size >= LONG_WORD for size in sizes)
    if long > MAX_LONG_WORDS:
        return f"has more than {MAX_LONG_WORDS} words"
    if len(sizes) - long > MAX_SHORT_WORDS:
        return f"has more than {MAX_SHORT_WORDS} short words"
    return None
