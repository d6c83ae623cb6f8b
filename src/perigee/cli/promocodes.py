"""`perigee promocodes …`: the pool of promo codes."""

from __future__ import annotations

from pathlib import Path

import cyclopts

from perigee.cli.promo_csv import read_codes
from perigee.cli.remote import HERE, Server, connected, console, show_json, show_table

app = cyclopts.App(name="promocodes", help="Promo codes: fill the pool from a file, see what is left.")


@app.command(name="import")
def import_file(file: Path, /, *, server: Server = HERE) -> None:
    """Add the codes of a CSV file, or change known ones.

    The first line holds the headings: code, expirationDate, discount (0 to 99); type and inUse may be there too.
    A code that is in use stays so unless the file says otherwise. With one wrong line nothing is sent.

    Parameters
    ----------
    file
        UTF-8, separated by comma, semicolon or tab; - is standard input.
    """
    codes = read_codes(file)
    with connected(server) as client:
        stored = client.store_promo_codes(codes)
    if server.json:
        show_json({"stored": stored})
        return
    console.print(f"{stored} codes stored")


@app.command(name="list")
def list_codes(
    *,
    type: str | None = None,
    in_use: bool | None = None,
    limit: int = 100,
    server: Server = HERE,
) -> None:
    """List promo codes.

    Parameters
    ----------
    type
        Only codes of this type.
    in_use
        Only codes that are in use, or with --no-in-use only those that are not.
    limit
        At most so many.
    """
    with connected(server) as client:
        found = client.list_promo_codes(kind=type, in_use=in_use, limit=limit)
    if server.json:
        show_json(found)
        return
    rows = [[one.code, one.discount, one.type, one.expires_at, one.in_use] for one in found]
    show_table(["Code", "Discount", "Type", "Until", "In use"], rows, empty="There are no promo codes.")


@app.command
def count(
    *, type: str | None = None, discount: int | None = None, days: int | None = None, server: Server = HERE
) -> None:
    """Count the codes that are left: not in use, still valid.

    Parameters
    ----------
    type
        Only codes of this type.
    discount
        Only codes with this discount.
    days
        Only codes that hold for so many days from tomorrow.
    """
    with connected(server) as client:
        left = client.count_promo_codes(kind=type, discount=discount, days=days)
    if server.json:
        show_json({"left": left})
        return
    console.print(f"left: {left}")
