import csv
import io
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perigee.lib.csv_out import cell, guard, rows, unguard

CELLS = st.text(st.sampled_from("'=+-@\t\r\n\x00a1 ,;\"＝") | st.characters(codec="utf-8"), max_size=12)


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "\x00=1",
        "＝1+1",
        '=HYPERLINK("http://evil.example")',
    ],
)
def test_formulas_are_defused(text: str) -> None:
    assert guard(text) == "'" + text


@pytest.mark.parametrize("text", ["", "Anna", "380501112233", "O'Neil", "'quoted'", "a=b", "1-2", " x"])
def test_other_cells_stay(text: str) -> None:
    assert guard(text) == text == unguard(text)


@given(CELLS)
def test_the_round_trip_is_exact(text: str) -> None:
    guarded = guard(text)
    assert unguard(guarded) == text
    assert not guarded.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "\x00"))


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, ""), (True, "true"), (False, "false"), (-5, "-5"), (Decimal("-1.50"), "-1.50"), (1.5, "1.5"), (date(2025, 3, 8), "2025-03-08"),
        (datetime(2025, 3, 8, 9, 30, tzinfo=UTC), "2025-03-08T09:30:00Z"),
        (datetime(2025, 3, 8, 9, 30, tzinfo=timezone(timedelta(hours=3))), "2025-03-08T06:30:00Z"),
        (datetime(2025, 3, 8, 9, 30), "2025-03-08T09:30:00"), ("-5", "'-5"),
    ],
)  # fmt: skip
def test_values(value: object, written: str) -> None:
    assert cell(value) == written


@given(
    st.lists(st.lists(CELLS.map(lambda text: text.replace("\x00", "")), min_size=1, max_size=4), max_size=8)
)
def test_a_file_is_read_back(table: list[list[str]]) -> None:
    text = "".join(rows(table))
    assert [[unguard(c) for c in line] for line in csv.reader(io.StringIO(text, newline=""))] == table
    plain = "".join(rows(table, guarded=False))
    assert list(csv.reader(io.StringIO(plain, newline=""))) == table


def test_a_long_export_comes_in_pieces() -> None:
    pieces = list(rows([number, "x" * 100] for number in range(5000)))
    assert 5 < len(pieces) < 20
    assert max(map(len, pieces)) < 70_000
    assert "".join(pieces).count("\r\n") == 5000
    assert list(rows([])) == []
