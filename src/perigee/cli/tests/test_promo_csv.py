"""CSV files of promo codes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from perigee.cli.promo_csv import read_codes
from perigee.errors import OperatorError


def read(tmp_path: Path, text: str) -> list[dict[str, Any]]:
    path = tmp_path / "codes.csv"
    path.write_text(text, encoding="utf-8-sig")
    return read_codes(path)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_the_columns_of_the_product(tmp_path: Path, separator: str) -> None:
    text = "code,expirationDate,discount,type,inUse\nA,2099-12-31T23:59,10,vip,true\nB,2099-12-31,0,,\n\n"
    assert read(tmp_path, text.replace(",", separator)) == [
        {"code": "A", "expires_at": "2099-12-31T23:59", "discount": 10, "type": "vip", "in_use": True},
        {"code": "B", "expires_at": "2099-12-31", "discount": 0},
    ]


def test_headings_in_any_spelling_and_order_and_unknown_ones_are_skipped(tmp_path: Path) -> None:
    text = "Discount;note;Expiration_Date;CODE\n5;hello;2099-01-01T00:00;X-1\n"
    assert read(tmp_path, text) == [{"code": "X-1", "expires_at": "2099-01-01T00:00", "discount": 5}]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no column code, expirationDate, discount"),
        ("code,discount\nA,5\n", "no column expirationDate"),
        ("code,expirationDate,discount\nA,2099-01-01,5\n,2099-01-01,5\n", "line 3: code: is required"),
        ("code,expirationDate,discount\nA,2099-01-01,100\n", "line 2: discount: '100' is not from 0 to 99"),
        ("code,expirationDate,discount\nA,2099-01-01,ten\n", "line 2: discount: 'ten'"),
        ("code,expirationDate,discount,inUse\nA,2099-01-01,5,perhaps\n", "line 2: inUse: 'perhaps'"),
    ],
)
def test_a_wrong_file_is_named_by_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(OperatorError, match=r"codes\.csv") as raised:
        read(tmp_path, text)
    assert said in str(raised.value)
