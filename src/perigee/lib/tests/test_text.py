import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perigee.lib import text

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()))
BREAKS = "\t\n\x0b\x0c\r\x85\u2028\u2029"


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        ("Anna", "Anna"),
        ("Анна-Марія O’Ніл", "Анна-Марія O’Ніл"),
        ("An\x00na", "Anna"),
        ("A\x1f\x1eB\x7f\x9b", "AB"),
        ("Anna\r\nKoval", "Anna Koval"),
        ("a\tb\u2028c", "a b c"),
        ("\ud800x\udfff", "\ufffdx\ufffd"),
        ("👩\u200d👧", "👩\u200d👧"),
        ("e\u0301", "e\u0301"),
        ("", ""),
    ],
)
def test_one_line(given_text: str, expected: str) -> None:
    assert text.clean(given_text) == expected


def test_lines_keep_tab_and_line_breaks() -> None:
    assert text.clean_lines("a\tb\r\nc\nd\x00\x0b\x85") == "a\tb\r\nc\nd"
    assert text.clean_lines_or_none(" \n\t ") is None


@pytest.mark.parametrize("blank", [None, "", " ", "   ", "\x00", "\t\r\n", "\u00a0", "\x00 \x1f"])
def test_blank_is_none(blank: str | None) -> None:
    assert text.clean_or_none(blank) is None
    assert text.clean_column([blank, " x "]) == [None, "x"]


@given(ANY_TEXT)
def test_cleaned_text_can_be_stored_and_sent(value: str) -> None:
    cleaned = text.clean(value)
    assert cleaned.encode("utf-8").decode() == cleaned
    assert not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in cleaned)
    assert text.clean(cleaned) == cleaned
    assert text.is_header_safe(text.header_safe(value))
    lines = text.clean_lines(value)
    assert all(c in "\t\r\n" for c in lines if unicodedata.category(c) in ("Cc", "Cs"))


@given(ANY_TEXT)
def test_nothing_but_controls_is_lost(value: str) -> None:
    def visible(s: str) -> str:
        return "".join(
            c for c in s if unicodedata.category(c) not in ("Cc", "Cs", "Zl", "Zp") and c not in " \ufffd"
        )

    assert visible(text.clean(value)) == visible(value)


@given(st.lists(st.none() | ANY_TEXT))
def test_column_equals_single_values(values: list[str | None]) -> None:
    assert text.clean_column(values) == [text.clean_or_none(v) for v in values]


def test_every_string_of_a_json_value_is_cleaned() -> None:
    assert text.clean_json({"a\x00": ["x\x00", 1, None, {"b": "\ud800"}]}) == {
        "a": ["x", 1, None, {"b": "\ufffd"}]
    }


@pytest.mark.parametrize(
    "bad", ["a\rb", "a\nBcc: x@example.com", "a\x00", "a\u2028b", "a\u2029b", "a\x85b", "\udc00"]
)
def test_headers_refuse_line_breaks(bad: str) -> None:
    assert not text.is_header_safe(bad)


def test_direction_marks_are_taken_out() -> None:
    assert text.without_direction_marks("abc\u202ecod.exe\u2069") == "abccod.exe"
    assert text.without_direction_marks("שלום") == "שלום"


def test_shortened_text_fits() -> None:
    assert text.shorten("abcdef", 4) == "abc…"
    assert text.shorten("abcd", 4) == "abcd"
