"""What must come out, worked out in plain Python from the file and the made-up people. Knows nothing of Perigee.

For all 23,570 customers the figures are also published (see `PUBLISHED`), so a slip here would show as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from perigee.demo.people import Person
from perigee.demo.purchases import CUSTOMERS, Purchase

VIP_SHARE = 0.03
"""The part of the customers, by what they spent, that goes on the list VIP."""
REFUSED_BEFORE_EVERY = 200
"""One customer in so many unsubscribed long before the first campaign."""
READERS_EVERY = 40
"""One recipient in so many opens the first campaign; every second of them clicks, every fourth unsubscribes."""


class Published(NamedTuple):
    contacts: int
    orders: int
    total: Decimal
    repeat_buyers: int


PUBLISHED = Published(23_570, 69_659, Decimal("2500315.63"), 11_662)
"""Of the whole data set."""


class Expected(NamedTuple):
    contacts: int
    orders: int
    total: Decimal
    repeat_buyers: list[Person]
    """Two or more orders."""
    vip: list[Person]
    refused_before: list[Person]
    """Unsubscribed before the first campaign; not all of them are repeat buyers."""
    reached: list[Person]
    """Who gets the first campaign, by number."""
    readers: list[Person]
    clickers: list[Person]
    leavers: list[Person]
    """Who unsubscribes after it."""

    def dropped(self, *, after_leaving: bool) -> dict[str, int]:
        """Why repeat buyers get no mail, before and after the leavers left."""
        gone = {person.number for person in (*self.refused_before, *(self.leavers if after_leaving else ()))}
        reasons = Counter(
            "no_address" if person.email is None else "unsubscribed"
            for person in self.repeat_buyers
            if person.email is None or person.number in gone
        )
        return dict(reasons)


def expect(people: Sequence[Person], purchases: Sequence[Purchase]) -> Expected:
    orders = Counter(purchase.customer for purchase in purchases)
    spent: Counter[int] = Counter()
    for purchase in purchases:
        spent[purchase.customer] += int(purchase.dollars * 100)
    total = sum((purchase.dollars for purchase in purchases), Decimal(0))
    repeat_buyers = [person for person in people if orders[person.number] >= 2]
    refused_before = [
        person for person in people if person.email is not None and person.number % REFUSED_BEFORE_EVERY == 7
    ]
    said_no = {person.number for person in refused_before}
    reached = [
        person for person in repeat_buyers if person.email is not None and person.number not in said_no
    ]
    readers = reached[::READERS_EVERY]
    vip = sorted(people, key=lambda person: (-spent[person.number], person.number))
    found = Expected(
        contacts=len(people),
        orders=len(purchases),
        total=total,
        repeat_buyers=repeat_buyers,
        vip=vip[: max(1, round(len(people) * VIP_SHARE))],
        refused_before=refused_before,
        reached=reached,
        readers=readers,
        clickers=readers[::2],
        leavers=readers[::4],
    )
    return found


def published_figures(expected: Expected) -> Published:
    """The published ones where the whole data set is used, else those of the part."""
    if expected.contacts == CUSTOMERS:
        return PUBLISHED
    return Published(expected.contacts, expected.orders, expected.total, len(expected.repeat_buyers))
