"""`perigee domains …`: the domains that email is sent from, their records and keys."""

from __future__ import annotations

import cyclopts

from perigee.cli.remote import HERE, Server, connected, console, show_json, show_table
from perigee.domains.types import DomainCreate, SenderDomain

app = cyclopts.App(name="domains", help="Domains that email is sent from: records, keys, checks.")


@app.command(name="list")
def list_domains(*, server: Server = HERE) -> None:
    """List the domains."""
    with connected(server) as client:
        found = client.list_domains()
    if server.json:
        show_json(found)
        return
    show_table(
        ["Id", "Domain", "Verified", "Signed", "Bounces", "Links"],
        [
            [
                one.domain_id,
                one.domain,
                _yes(one.verified),
                _yes(one.signed),
                one.bounce_domain if one.bounces else "to the sender",
                one.tracking_domain if one.tracked else "usual address",
            ]
            for one in found
        ],
        empty="There are no domains: email leaves as the relay takes it, not signed by us.",
    )


@app.command
def add(
    domain: str,
    /,
    *,
    bounce_domain: str | None = None,
    tracking_domain: str | None = None,
    allow_unverified: bool = False,
    server: Server = HERE,
) -> None:
    """Add a domain, make its keys and show the records to publish.

    Parameters
    ----------
    domain
        As it stands behind the @ of senders.
    bounce_domain
        A name below it that takes bounces; `bounce.` and the domain otherwise.
    tracking_domain
        A name below it for links; `links.` and the domain otherwise.
    allow_unverified
        Let campaigns leave before the records are there.
    """
    with connected(server) as client:
        made = client.add_domain(DomainCreate(domain, bounce_domain, tracking_domain, allow_unverified))
    _show(made, server)


@app.command
def show(domain_id: int, /, *, server: Server = HERE) -> None:
    """Show a domain's records and what the last check saw of them.

    Parameters
    ----------
    domain_id
        As the list shows it.
    """
    with connected(server) as client:
        found = client.get_domain(domain_id)
    _show(found, server)


@app.command
def verify(domain_id: int, /, *, server: Server = HERE) -> None:
    """Look for a domain's records in the DNS now.

    Parameters
    ----------
    domain_id
        As the list shows it.
    """
    with connected(server) as client:
        found = client.verify_domain(domain_id)
    _show(found, server)


@app.command
def rotate(domain_id: int, /, *, server: Server = HERE) -> None:
    """Make new keys for a domain; those in use sign until the records of the new ones are found.

    Parameters
    ----------
    domain_id
        As the list shows it.
    """
    with connected(server) as client:
        found = client.rotate_domain(domain_id)
    _show(found, server)


@app.command
def remove(domain_id: int, /, *, server: Server = HERE) -> None:
    """Remove a domain and its keys.

    Parameters
    ----------
    domain_id
        As the list shows it.
    """
    with connected(server) as client:
        client.remove_domain(domain_id)
    if server.json:
        show_json({"removed": domain_id})
        return
    console.print(f"domain {domain_id} is removed")


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _show(found: SenderDomain, server: Server) -> None:
    if server.json:
        show_json(found)
        return
    console.print(
        f"domain {found.domain_id}: {found.domain}, verified: {_yes(found.verified)}, signed: {_yes(found.signed)}"
    )
    for record in found.records:
        need = "needed" if record.required else "advised"
        console.print(f"\n{record.purpose}: {record.state.replace('_', ' ')}, {need}", markup=False)
        if record.why:
            console.print(f"  {record.why}", markup=False)
        # On lines of their own, so that they can be copied whole.
        print(f"  {record.name} {record.type}\n  {record.value}")
    for old in found.old_keys:
        console.print(f"\nkeep until {old.keep_until:%Y-%m-%d}: {' '.join(old.names)}", markup=False)
