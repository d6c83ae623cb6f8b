"""The checker: one wrong figure is enough."""

from __future__ import annotations

import io
from decimal import Decimal

import pytest
from rich.console import Console

from perigee.demo.closing import show_figures
from perigee.demo.figures import Figures, shown


def test_all_right() -> None:
    figures = Figures()
    figures.check("Imported", "contacts", 23_570, 23_570)
    figures.check("Imported", "Dropped", {"unsubscribed": 2}, {"unsubscribed": 2})
    assert figures.ok
    assert not figures.wrong


def test_one_wrong_figure_is_wrong_whatever_follows() -> None:
    figures = Figures()
    figures.check("Imported", "contacts", 23_570, 23_569)
    figures.check("Imported", "orders", 69_659, 69_659)
    assert not figures.ok
    assert [figure.name for figure in figures.wrong] == ["contacts"]


def test_nothing_checked_is_not_right() -> None:
    assert not Figures().ok


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (11_662, "11,662"),
        (Decimal("2500315.6300"), "2,500,315.63"),
        ({"unsubscribed": 1200, "no_address": 3}, "no_address 3, unsubscribed 1,200"),
        ({}, "nobody"),
    ],
)
def test_how_figures_read(value: object, text: str) -> None:
    assert shown(value) == text


def test_the_table_shows_what_is_wrong() -> None:
    figures = Figures()
    figures.check("Imported", "contacts", 2, 2)
    figures.check("Imported", "orders", 5, 4)
    out = io.StringIO()
    show_figures(Console(file=out, width=100), figures)
    lines = out.getvalue().splitlines()
    assert any("contacts" in line and "ok" in line for line in lines)
    assert any("orders" in line and "WRONG" in line for line in lines)
