"""`perigee duplicates …`: contacts that share an address."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import cyclopts
from cyclopts import Parameter

from perigee.cli.remote import HERE, Server, connected, console, show_facts, show_json, show_table
from perigee.contacts.merging.types import Merge, MergeRun

app = cyclopts.App(
    name="duplicates", help="Contacts that share an email or a phone: list them, merge them, undo a merge."
)


@app.command(name="list")
def list_duplicates(
    *, by: Literal["email", "phone"] = "email", limit: int = 100, server: Server = HERE
) -> None:
    """List groups of contacts that share an address.

    Parameters
    ----------
    by
        The address.
    limit
        The most groups.
    """
    with connected(server) as client:
        found = client.list_duplicates(by=by, limit=limit)
    if server.json:
        show_json(found)
        return
    rows = [[group.value, group.count, group.contact_ids] for group in found]
    show_table([by.capitalize(), "Contacts", "Ids"], rows, empty="There are no duplicates.")


@app.command
def merge(
    survivor_id: int,
    contact_id: int,
    /,
    *,
    take: Annotated[list[str] | None, Parameter(negative="", consume_multiple=True)] = None,
    prefer: Literal["newest", "survivor"] = "newest",
    forget_external_id: Annotated[bool, Parameter(negative="")] = False,
    server: Server = HERE,
) -> None:
    """Merge one contact into another.

    Parameters
    ----------
    survivor_id
        The contact that stays.
    contact_id
        The contact that becomes part of it.
    take
        Members that come from the second in any case, such as email or phone.
    prefer
        Of two values the one of the contact changed last, or the survivor's.
    forget_external_id
        Of two external ids forget the second; else such contacts are not merged.
    """
    with connected(server) as client:
        done = client.merge_contacts(
            survivor_id, contact_id, prefer=prefer, take=take or [], forget_external_id=forget_external_id
        )
    if server.json:
        show_json(done)
    else:
        console.print(
            f"contact {contact_id} is part of {survivor_id} now; undo with: duplicates undo {done.merge_id}"
        )


@app.command
def undo(merge_id: int, /, *, server: Server = HERE) -> None:
    """Undo a merge.

    Parameters
    ----------
    merge_id
        Its id, as `duplicates merges` shows it.
    """
    with connected(server) as client:
        done = client.undo_merge(merge_id)
    if server.json:
        show_json(done)
    else:
        console.print(f"contacts {done.survivor_id} and {done.merged_id} are two again")


@app.command
def merges(*, contact_id: int | None = None, limit: int = 100, server: Server = HERE) -> None:
    """List merges, newest first.

    Parameters
    ----------
    contact_id
        Only those with this contact.
    limit
        The most merges.
    """
    with connected(server) as client:
        found = client.list_merges(contact_id=contact_id, limit=limit)
    if server.json:
        show_json(found)
        return
    show_table(
        ["Id", "Survivor", "Merged", "By", "At", "Undone"],
        [_line(one) for one in found],
        empty="There are no merges.",
    )


def _line(one: Merge) -> list[Any]:
    return [one.merge_id, one.survivor_id, one.merged_id, one.merged_by, one.at, one.undone_at]


@app.command(name="merge-all")
def merge_all(
    *,
    by: Literal["email", "phone"] = "email",
    keep: Literal["earlier", "later"] = "earlier",
    server: Server = HERE,
) -> None:
    """Merge all duplicates, and wait until it is done.

    Parameters
    ----------
    by
        The address that they share.
    keep
        Of each group a contact with an external id stays, else the earlier or the later made one.
    """
    with connected(server) as client:
        run = client.wait_for_merge_run(client.merge_duplicates(by=by, keep=keep).run_id)
    if server.json:
        show_json(run)
    else:
        show_facts(_facts(run))


def _facts(run: MergeRun) -> dict[str, Any]:
    return {
        "State": run.state,
        "Groups": run.seen,
        "Merged": run.merged,
        "Refused (two external ids)": run.refused,
    }
