"""The domains that email is sent from."""

from __future__ import annotations

from perigee.client.pages import cursor_list
from perigee.client.transport import Transport, json, nothing
from perigee.domains.types import DomainCreate, DomainUpdate, SenderDomain


async def add_domain(transport: Transport, wanted: DomainCreate) -> SenderDomain:
    """With the records to publish. Raises Conflict for a domain that is there."""
    return await transport.call("POST", "/api/v4/domains", json(SenderDomain), body=wanted)


async def list_domains(transport: Transport) -> list[SenderDomain]:
    """Oldest first."""
    return await cursor_list(transport, "/api/v4/domains", SenderDomain)


async def get_domain(transport: Transport, domain_id: int) -> SenderDomain:
    """As the last check saw it."""
    return await transport.call("GET", f"/api/v4/domains/{domain_id}", json(SenderDomain))


async def change_domain(transport: Transport, domain_id: int, wanted: DomainUpdate) -> SenderDomain:
    """What `wanted` does not name stays."""
    return await transport.call("PATCH", f"/api/v4/domains/{domain_id}", json(SenderDomain), body=wanted)


async def verify_domain(transport: Transport, domain_id: int) -> SenderDomain:
    """Looks for the records in the DNS now; takes up to some seconds."""
    return await transport.call("POST", f"/api/v4/domains/{domain_id}/verify", json(SenderDomain))


async def rotate_domain(transport: Transport, domain_id: int) -> SenderDomain:
    """New keys; those in use sign until the records of the new ones are found."""
    return await transport.call("POST", f"/api/v4/domains/{domain_id}/rotate", json(SenderDomain))


async def remove_domain(transport: Transport, domain_id: int) -> None:
    """Its keys go with it."""
    await transport.call("DELETE", f"/api/v4/domains/{domain_id}", nothing)
