"""People, orders and segments go in."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from perigee.client.contacts import CONTACTS_PER_CALL
from perigee.client.orders import ORDERS_PER_CALL
from perigee.demo.expected import Expected, published_figures
from perigee.demo.people import Person, external_id
from perigee.demo.purchases import Purchase
from perigee.demo.stage import Stage, each, parts_of
from perigee.errors import OperatorError

LOADED = "Imported"
CUSTOMERS_LIST = "CDNOW customers"
TWO_OR_MORE_ORDERS = {"is": "orders", "measure": "count", "test": {"op": "at_least", "value": 2}}
_CALLS_AT_ONCE = 3


class Segments(NamedTuple):
    repeat_buyers: int
    vip: int


async def import_people(stage: Stage, people: Sequence[Person]) -> None:
    """In bulk calls; returns when the last of them is applied. Raises OperatorError when one is refused."""
    done = 0
    with stage.show.step("People imported", len(people)) as at:

        async def call(part: Sequence[Person]) -> None:
            nonlocal done
            accepted = await stage.perigee.import_contacts(
                [person.as_contact() for person in part], lists=[CUSTOMERS_LIST]
            )
            if accepted.refused:
                raise OperatorError(f"a contact of the demo was refused: {accepted.refused[0].error}")
            status = await stage.perigee.wait_for_import(accepted.session_id)
            if status.status != "FINISHED":
                raise OperatorError(f"an import of the demo ended as {status.status}: {status.description}")
            done += len(part)
            at(done)

        await each(parts_of(people, CONTACTS_PER_CALL), call, at_once=_CALLS_AT_ONCE)


async def import_orders(stage: Stage, purchases: Sequence[Purchase]) -> None:
    done = 0
    with stage.show.step("Orders imported", len(purchases)) as at:

        async def call(part: Sequence[Purchase]) -> None:
            nonlocal done
            refused = await stage.perigee.add_orders([as_order(purchase) for purchase in part])
            if refused:
                raise OperatorError(f"an order of the demo was refused: {refused[0].error}")
            done += len(part)
            at(done)

        await each(parts_of(purchases, ORDERS_PER_CALL), call, at_once=_CALLS_AT_ONCE)


def as_order(purchase: Purchase) -> dict[str, Any]:
    """As the wire has it (contract 17.1). A customer may buy several times a day, so the row of the file makes the
    order's id."""
    return {
        "externalOrderId": f"CDNOW-{purchase.row:06}",
        "externalCustomerId": external_id(purchase.customer),
        "totalCost": str(purchase.dollars),
        "status": "DELIVERED",
        "date": f"{purchase.day.isoformat()}T12:00:00Z",
        "currency": "USD",
        "additionalInfo": {"discs": str(purchase.discs)},
    }


async def make_segments(stage: Stage, expected: Expected) -> Segments:
    perigee = stage.perigee
    with stage.show.step("Segments made", 2) as at:
        repeat_buyers = await perigee.create_dynamic_segment("Two or more orders", TWO_OR_MORE_ORDERS)
        at(1)
        vip = await perigee.create_list("VIP")
        await perigee.attach_contacts(vip.segment_id, external_ids=[one.external_id for one in expected.vip])
    return Segments(repeat_buyers.segment_id, vip.segment_id)


async def check_loading(stage: Stage, expected: Expected, segments: Segments) -> None:
    perigee, figures = stage.perigee, stage.figures
    published = published_figures(expected)
    everybody = [s for s in await perigee.list_segments(name=CUSTOMERS_LIST) if s.name == CUSTOMERS_LIST]
    contacts = await perigee.count_segment(everybody[0].segment_id) if everybody else 0
    orders = await perigee.order_summary()
    total = sum((line.total for line in orders.totals if line.currency == "USD"), Decimal(0))
    figures.check(LOADED, "contacts", published.contacts, contacts)
    figures.check(LOADED, "orders", published.orders, orders.orders)
    figures.check(LOADED, "total of the orders, USD", published.total, total)
    repeat_buyers = await perigee.count_segment(segments.repeat_buyers)
    figures.check(LOADED, "segment: two or more orders", published.repeat_buyers, repeat_buyers)
    figures.check(LOADED, "list: VIP", len(expected.vip), await perigee.count_segment(segments.vip))
