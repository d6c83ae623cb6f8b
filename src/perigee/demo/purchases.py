"""The real input: every purchase of the 23,570 people who first bought at the CDNOW shop early in 1997.

`cdnow_orders.txt.xz` is the public research data set of P. S. Fader and B. G. S. Hardie (CDNOW, 1997-01-01 to
1998-06-30), packed and otherwise as published: customer, day, number of CDs, dollars. It holds no names.
"""

from __future__ import annotations

import lzma
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from importlib import resources
from typing import NamedTuple

from perigee.errors import OperatorError

CUSTOMERS = 23_570


class Purchase(NamedTuple):
    """`row` counts the lines of the file from 1: a customer may have several on one day."""

    row: int
    customer: int
    day: date
    discs: int
    dollars: Decimal


def read_purchases(size: int = CUSTOMERS) -> list[Purchase]:
    """Those of the first `size` customers. Raises OperatorError for a size that makes no sense."""
    if not 1 <= size <= CUSTOMERS:
        raise OperatorError(f"the demo has 1 to {CUSTOMERS:,} customers, not {size:,}")
    return [purchase for purchase in _lines() if purchase.customer <= size]


def _lines() -> Iterator[Purchase]:
    packed = resources.files(__package__).joinpath("cdnow_orders.txt.xz").read_bytes()
    lines = lzma.decompress(packed).decode("ascii").splitlines()
    for row, line in enumerate(lines[1:], 1):
        customer, day, discs, dollars = line.split()
        yield Purchase(row, int(customer), date.fromisoformat(day), int(discs), Decimal(dollars))
