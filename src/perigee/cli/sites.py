"""`perigee sites …`: whether the tracked site reports, and what is in people's carts."""

from __future__ import annotations

import cyclopts

from perigee.cli.remote import HERE, Server, connected, console, show_json, show_table

NO_SITE = "There is no site yet: POST /api/v1/site/domains names it."

app = cyclopts.App(
    name="sites", help="The tracked site: what it reports, whether it holds the script; carts."
)


@app.command(name="list")
def list_sites(*, server: Server = HERE) -> None:
    """Show the site and its events of today and yesterday."""
    with connected(server) as client:
        found = client.list_sites()
    if server.json:
        show_json(found)
        return
    for one in found:
        console.print(f"{one.domain}  {one.script}")
        console.print(f"Last event: {one.last_event_at or 'none since yesterday'}")
        keys = sorted({*one.today, *one.yesterday})
        rows = [[key, one.today.get(key, 0), one.yesterday.get(key, 0)] for key in keys]
        show_table(["Event", "Today", "Yesterday"], rows, empty="Nothing came in today or yesterday.")
    if not found:
        console.print(NO_SITE)


@app.command
def check(site_id: str | None = None, /, *, server: Server = HERE) -> None:
    """Look whether the site's first page holds the tracking script.

    Parameters
    ----------
    site_id
        As the list shows it; without it the organisation's site.
    """
    with connected(server) as client:
        wanted = [site_id] if site_id else [one.site_id for one in client.list_sites()]
        found = [client.check_site(one) for one in wanted]
    if server.json:
        show_json(found)
        return
    for one in found:
        console.print(f"{one.url}: {one.status.replace('_', ' ')}{f' ({one.error})' if one.error else ''}")
    if not found:
        console.print(NO_SITE)


@app.command
def cart(contact_id: int, /, *, server: Server = HERE) -> None:
    """Show what is in a contact's cart.

    Parameters
    ----------
    contact_id
        The contact.
    """
    with connected(server) as client:
        found = client.contact_cart(contact_id)
    if server.json:
        show_json(found)
        return
    order = f", order {found.external_order_id}" if found.external_order_id else ""
    console.print(f"{found.status}{order}{f', {found.updated_at}' if found.updated_at else ''}")
    rows = [[one.product_id, one.quantity, one.price] for one in found.products]
    if rows:
        show_table(["Product", "Quantity", "Price"], rows, empty="")
        console.print(f"Total: {found.total} {found.currency or ''}")
