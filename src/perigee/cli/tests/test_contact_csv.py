"""CSV files of people, as people make them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from perigee.cli.contact_csv import read_sheet
from perigee.errors import OperatorError


def read(tmp_path: Path, content: bytes, **fields: int) -> list[tuple[int, dict[str, Any]]]:
    path = tmp_path / "people.csv"
    path.write_bytes(content)
    return list(read_sheet(path, {"PERSONAL.LEVEL": 79814, **fields}).contacts)


def test_headings_in_any_spelling(tmp_path: Path) -> None:
    text = b"First name,EMAIL,sms,Language_code,City,personal.level\nAnna,a@example.com,+1 201 555 0100,uk,Lviv,gold\n"
    assert read(tmp_path, text) == [
        (
            2,
            {
                "firstName": "Anna",
                "channels": [
                    {"type": "email", "value": "a@example.com"},
                    {"type": "sms", "value": "+1 201 555 0100"},
                ],
                "languageCode": "uk",
                "address": {"town": "Lviv"},
                "fields": [{"id": 79814, "value": "gold"}],
            },
        )
    ]


@pytest.mark.parametrize("separator", [b",", b";", b"\t"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_separators_ends_and_byte_order_mark(tmp_path: Path, separator: bytes, end: bytes) -> None:
    lines = [
        b"\xef\xbb\xbfemail" + separator + b"lastName",
        b"a@example.com" + separator + "Коваль".encode(),
        b"",
    ]
    found = read(tmp_path, end.join(lines))
    assert found == [(2, {"channels": [{"type": "email", "value": "a@example.com"}], "lastName": "Коваль"})]


def test_quotes_blank_cells_and_blank_lines(tmp_path: Path) -> None:
    text = b'email,firstName,lastName\na@example.com,"Ann, the first",\n,,\n\nb@example.com,  ,Fox\n'
    found = read(tmp_path, text)
    assert [(line, sorted(contact)) for line, contact in found] == [
        (2, ["channels", "firstName"]),
        (5, ["channels", "lastName"]),
    ]
    assert found[0][1]["firstName"] == "Ann, the first"


def test_a_cell_guarded_against_spreadsheets_comes_back_as_it_was(tmp_path: Path) -> None:
    assert read(tmp_path, b"sms\n'+12015550100\n")[0][1]["channels"] == [
        {"type": "sms", "value": "+12015550100"}
    ]


def test_columns_without_a_meaning_are_named(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("email,shoe size,PERSONAL.LEVEL\n")
    sheet = read_sheet(path, {"PERSONAL.LEVEL": 5})
    assert (sheet.ignored, sheet.fields) == (["shoe size"], [5])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "names no column"),
        (b"shoe size,height\n1,2\n", "names no column"),
        (b"email\na@example.com,more\n", "line 2 has more cells"),
        (b"email\n\xff\xfe\n", "not UTF-8"),
        (b'email\n"never closed' + b"x" * 200_000, "line 2"),
    ],
)
def test_a_file_that_is_no_such_sheet_is_refused_in_one_line(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    with pytest.raises(OperatorError, match=reason) as caught:
        read(tmp_path, content)
    assert "\n" not in str(caught.value)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="cannot be read: No such file"):
        read_sheet(tmp_path / "none.csv", {})
