"""Files of every form that people bring: what is recognised, and that each value is read back."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from contextlib import suppress
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from perigee.errors import Invalid
from perigee.imports.people.targets import STANDARD
from perigee.imports.reader import workbook
from perigee.imports.reader.detect import columns_of, format_of
from perigee.imports.reader.rows import blocks, data_rows
from perigee.imports.types import Format

CELL = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=20).filter(
    lambda text: text == text.strip() and "'" not in text
)
NOTES = "email;имя;заметка\na@example.com;Анна;привет\nb@example.com;Борис;пока\n"


def found(content: bytes | str) -> tuple[Format, list[Any]]:
    file = io.BytesIO(content.encode() if isinstance(content, str) else content)
    written = format_of(file, STANDARD)
    return written, [cells for _, cells in data_rows(file, written)]


def sheet(*rows: list[Any]) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(row)  # type: ignore[union-attr]  # a new book has a sheet
    book.create_sheet("Other").append(["not", "read"])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("encoding", "told"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("cp1251", "cp1251"),
    ],
)
def test_encodings(encoding: str, told: str) -> None:
    written, rows = found(NOTES.encode(encoding))
    assert written.encoding == told
    assert written.headings == ["email", "имя", "заметка"]
    assert rows == [["a@example.com", "Анна", "привет"], ["b@example.com", "Борис", "пока"]]


def test_western_letters_stand_alone() -> None:
    written, rows = found("email,name\na@example.com,José Müller\nb@example.com,Zoë\n".encode("latin-1"))
    assert written.encoding == "cp1252"
    assert rows[0][1] == "José Müller"


@given(
    st.lists(st.lists(CELL, min_size=3, max_size=3), min_size=1, max_size=8),
    st.sampled_from(",;\t|"),
    st.integers(0, 9),
    st.integers(1, 4),
)
def test_what_is_written_as_csv_is_read_back_block_by_block(
    rows: list[list[str]], separator: str, skip: int, size: int
) -> None:
    text = io.StringIO()
    csv.writer(text, delimiter=separator).writerows([["email", "first name", "city"], *rows])
    file = io.BytesIO(text.getvalue().encode())
    written = Format("csv", separator=separator, headings=["email", "first name", "city"])
    read = list(blocks(data_rows(file, written), skip=skip, size=size))
    assert [cells for block in read for cells in block.rows] == rows[skip:]
    assert [block.position for block in read] == list(range(skip, len(rows), size))


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separators(separator: str) -> None:
    lines = [["email", "city"], ["a@example.com", 'Kyiv, "old" town; east'], ["b@example.com", "Lviv"]]
    text = io.StringIO()
    csv.writer(text, delimiter=separator).writerows(lines)
    written, rows = found(text.getvalue())
    assert (written.separator, rows) == (separator, lines[1:])


def test_single_quotes() -> None:
    written, rows = found("'email';'city'\n'a@example.com';'Kyiv; east'\n'b@example.com';'Lviv'\n")
    assert (written.quote, rows[0][1]) == ("'", "Kyiv; east")


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with suppress(Invalid):
        file = io.BytesIO(content)
        columns_of(file, format_of(file, STANDARD), STANDARD)


def test_no_headings() -> None:
    written, rows = found("a@example.com,Anna\nb@example.com,Bo\n")
    assert not written.has_headings
    assert len(rows) == 2


def test_columns_are_told_by_headings_and_by_values() -> None:
    content = (
        "Прізвище;Контакт;Номер телефону;since;score\n"
        "Коваль;a@example.com;+380 50 111 22 33;08.03.2025;1,5\nФокс;b@example.com;+380501112244;09.03.2025;2,5\n"
    )
    file = io.BytesIO(content.encode())
    columns = columns_of(file, format_of(file, STANDARD), STANDARD)
    assert [column.type for column in columns] == ["text", "email", "phone", "date", "decimal"]
    told = [getattr(column, "target", None) or None for column in columns]
    assert told[:3] == ["last_name", "email", "phone"]
    assert columns[2].samples == ["+380 50 111 22 33", "+380501112244"]


def test_the_first_sheet_of_a_workbook() -> None:
    content = sheet(
        ["email", "birthday", "bonus", "vip", "at"],
        ["a@example.com", datetime(1990, 3, 8), 5.0, True, datetime(2025, 3, 8, 9, 30)],
        [None, None, None, None, None],
        ["b@example.com", 32940, 1.25, None, "x"],
    )
    written, rows = found(content)
    assert (written.kind, written.headings) == ("xlsx", ["email", "birthday", "bonus", "vip", "at"])
    assert rows == [
        ["a@example.com", "1990-03-08", "5", "true", "2025-03-08T09:30:00"],
        ["b@example.com", "32940", "1.25", "", "x"],
    ]


def test_a_workbook_that_unpacks_to_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    content = sheet(["email"], *[[f"person{number}@example.com"] for number in range(100)])
    monkeypatch.setattr(workbook, "UNPACKED", 1000)
    with pytest.raises(Invalid, match="unpacks to"):
        found(content)


def broken_sheet(rows: str, part: str = "sheet1.xml") -> bytes:
    """A workbook of which one part is written by hand."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(sheet(["email"]))) as sound, zipfile.ZipFile(made, "w") as parts:
        for name in sound.namelist():
            parts.writestr(name, rows if name.endswith(part) else sound.read(name))
    return made.getvalue()


def rows_of(xml: str) -> str:
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return f'<worksheet xmlns="{space}"><sheetData>{xml}</sheetData></worksheet>'


STYLES = (
    '<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    '<cellXfs count="x"><xf numFmtId="q"/></cellXfs></styleSheet>'
)


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (broken_sheet(rows_of('<row r="1"><c r="A1" t="s"><v>99</v></c></row>')), "not a sound XLSX"),
        (broken_sheet(STYLES, "styles.xml"), "not a sound XLSX"),
        (
            broken_sheet(rows_of('<row r="1048578"><c r="A1048578"><v>1</v></c></row>')),
            "row 104857[78] of the sheet",
        ),
        (broken_sheet(rows_of('<row r="1"><c r="XFD1"><v>1</v></c></row>')), "has 16384 columns"),
        (b'{"email": "a@example.com", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n", "has no row"),
        (b"", "has no row"),
        (b"\n\n , \n", "has no row"),
        (b"\xd0\xcf\x11\xe0old office", "old Excel"),
        (b"PK\x03\x04 no zip", "not a sound XLSX"),
        (b'email,x\n"never closed' + b"x" * 200_000, "is not CSV"),
        (b"a," * 2000, "columns, the most"),
    ],
)
def test_files_that_are_none(content: bytes, rule: str) -> None:
    with pytest.raises(Invalid, match=rule):
        found(content)


def test_headings_hold_no_sign_that_cannot_be_stored() -> None:
    assert found(b'{"a\\u0000b": "x", "email": "a@example.com"}\n')[0].headings == ["email"]
    head = "email," + ",".join(f"c{number}" for number in range(600)) + ",x\0y"
    assert found(head + "\na@example.com,1\n")[0].headings[-1] == "xy"


def test_a_zip_that_is_no_workbook() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as parts:
        parts.writestr("a.txt", "email")
    with pytest.raises(Invalid, match="not a sound XLSX"):
        found(file.getvalue())


def test_json_lines() -> None:
    lines = [
        {"email": "a@example.com", "bonus": 5, "vip": True},
        {"email": "b@example.com", "items": [{"id": 1}], "bonus": None},
    ]
    content = "\n".join(["", *map(json.dumps, lines), "[1]", "no json"])
    file = io.BytesIO(content.encode())
    written = format_of(file, STANDARD)
    assert (written.kind, written.headings) == ("jsonl", ["email", "bonus", "vip", "items"])
    (block,) = blocks(data_rows(file, written), skip=0, size=9)
    assert block.rows == [["a@example.com", "5", "true", ""], ["b@example.com", "", "", '[{"id":1}]']]
    assert [(one.line, one.level) for one in block.remarks] == [(4, "error"), (5, "error")]
    assert block.length == 4


def test_neighbours_that_belong_together_stay_in_one_block() -> None:
    file = io.BytesIO(b"order,item\n1,a\n1,b\n2,a\n2,b\n2,c\n3,a\n")
    written = format_of(file, ())
    read = list(blocks(data_rows(file, written), skip=0, size=2, together=0))
    assert [[cells[0] for cells in block.rows] for block in read] == [["1", "1"], ["2", "2", "2"], ["3"]]
    assert [block.position for block in read] == [0, 2, 5]
