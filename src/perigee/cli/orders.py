"""`perigee orders …`: what people bought."""

from __future__ import annotations

from typing import Annotated

import cyclopts
from cyclopts import Parameter

from perigee.cli.order_import import import_file
from perigee.cli.remote import HERE, Server, connected, console, show_facts, show_json, show_table

app = cyclopts.App(name="orders", help="What people bought: list, status, delete, bring a file.")
app.command(import_file, name="import")

Statuses = Annotated[list[str] | None, Parameter(name="--status", negative="", consume_multiple=True)]
Start = Annotated[str | None, Parameter(name="--from")]
End = Annotated[str | None, Parameter(name="--to")]


@app.command(name="list")
def list_orders(
    *,
    contact_id: int | None = None,
    statuses: Statuses = None,
    start: Start = None,
    end: End = None,
    text: str | None = None,
    limit: int = 50,
    server: Server = HERE,
) -> None:
    """List orders, newest first.

    Parameters
    ----------
    contact_id
        Orders of one contact.
    statuses
        Orders of these statuses: DELIVERED, IN_PROGRESS …
    start
        Made on this day or later.
    end
        Made on this day or before.
    text
        Part of the shop's order id, or the contact's external id, email or phone.
    limit
        The most that are shown.
    """
    with connected(server) as client:
        found = client.list_orders(
            contact_id=contact_id, statuses=statuses, start=start, end=end, text=text, limit=limit
        )
    if server.json:
        show_json(found)
        return
    rows = [
        [
            one.order_id,
            one.external_order_id,
            one.contact_id,
            one.status,
            f"{one.total} {one.currency}",
            one.ordered_at,
        ]
        for one in found
    ]
    show_table(
        ["Id", "Shop's id", "Contact", "Status", "Total", "Made"], rows, empty="There are no such orders."
    )


@app.command
def summary(
    *,
    contact_id: int | None = None,
    statuses: Statuses = None,
    start: Start = None,
    end: End = None,
    text: str | None = None,
    server: Server = HERE,
) -> None:
    """Count and add up orders, by status and currency.

    Parameters
    ----------
    contact_id
        Orders of one contact.
    statuses
        Orders of these statuses.
    start
        Made on this day or later.
    end
        Made on this day or before.
    text
        Part of the shop's order id, or the contact's external id, email or phone.
    """
    with connected(server) as client:
        found = client.order_summary(
            contact_id=contact_id, statuses=statuses, start=start, end=end, text=text
        )
    if server.json:
        show_json(found)
        return
    rows = [[one.status, one.orders, one.customers, f"{one.total} {one.currency}"] for one in found.totals]
    rows += [["Total", one.orders, None, f"{one.total} {one.currency}"] for one in found.placed]
    show_table(["Status", "Orders", "Customers", "Sum"], rows, empty="There are no such orders.")


@app.command
def show(order_id: int, /, *, server: Server = HERE) -> None:
    """Show an order with its items and its contact.

    Parameters
    ----------
    order_id
        Our id of the order; `perigee orders list --text SO-1001` finds it.
    """
    with connected(server) as client:
        found = client.get_order(order_id)
    if server.json:
        show_json(found)
        return
    who = found.contact
    show_facts(
        {
            "Shop's id": found.external_order_id,
            "Status": found.status,
            "Total": f"{found.total} {found.currency}",
            "Made": found.ordered_at,
            "Contact": who
            and [f"{one}" for one in (who.contact_id, who.external_id, who.email, who.phone) if one],
            **found.details,
        }
    )
    rows = [[one.external_item_id, one.name, str(one.quantity), str(one.cost or "")] for one in found.items]
    show_table(["Item", "Name", "Quantity", "Cost"], rows, empty="The order has no items.")


@app.command
def status(order_id: int, status: str, /, *, server: Server = HERE) -> None:
    """Change the status of an order.

    Parameters
    ----------
    order_id
        Our id of the order.
    status
        INITIALIZED, IN_PROGRESS, DELIVERED, CANCELLED, ABANDONED_SHOPPING_CART, or a word of your own.
    """
    with connected(server) as client:
        found = client.change_order(order_id, status)
    if server.json:
        show_json(found)
    else:
        console.print(f"order {found.external_order_id} is {found.status}", markup=False)


@app.command
def delete(order_id: int, /, *, server: Server = HERE) -> None:
    """Delete an order with its items.

    Parameters
    ----------
    order_id
        Our id of the order.
    """
    with connected(server) as client:
        client.delete_order(order_id)
    if not server.json:
        console.print(f"order {order_id} is deleted")
