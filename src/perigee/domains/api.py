"""/api/v4/domains: the domains that email is sent from."""

from __future__ import annotations

from msgspec import UNSET

from perigee.domains import manage, store
from perigee.domains.types import DomainCreate, DomainUpdate, SenderDomain
from perigee.errors import Invalid, NotFound
from perigee.http.v4 import Call, Created, Page, operation


async def _view(call: Call, domain_id: int) -> SenderDomain:
    async with call.context.database.connection() as conn:
        domain = await manage.find(conn, call.org_id, domain_id)
        around = await manage.surroundings(conn, call.org_id, call.context.settings)
    return manage.view(domain, around)


@operation(
    "POST",
    "/domains",
    body=DomainCreate,
    answer=SenderDomain,
    example={"domain": "shop.example.com"},
    refusals=(409,),
)
async def add_domain(call: Call) -> Created:
    """Add a domain that email is sent from, and make its keys.

    The answer lists the records to publish. Email is signed once the RSA key of ours is found under its selector, and
    with the Ed25519 key too once that is found. Links lead to the tracking domain, and the envelope sender is at the
    bounce domain, once their records are found. From a domain that is here and not verified no campaign leaves, unless
    `allow_unverified` says so.
    """
    wanted = await call.json(DomainCreate)
    domain_id = await manage.add(
        call.context.database,
        call.org_id,
        call.context.keys.sealing,
        wanted.domain,
        bounce_domain=wanted.bounce_domain,
        tracking_domain=wanted.tracking_domain,
        allow_unverified=wanted.allow_unverified,
    )
    return Created(await _view(call, domain_id))


@operation("GET", "/domains", answer=Page[SenderDomain])
async def list_domains(call: Call) -> Page[SenderDomain]:
    """List the domains that email is sent from, with their records, oldest first."""
    async with call.context.database.connection() as conn:
        found = await store.list_domains(conn, call.org_id)
        around = await manage.surroundings(conn, call.org_id, call.context.settings)
    return Page([manage.view(domain, around) for domain in found])


@operation("GET", "/domains/{domain_id:int}", answer=SenderDomain, refusals=(404,))
async def get_domain(call: Call) -> SenderDomain:
    """Read a domain: the records to publish, and what the last check saw of them."""
    return await _view(call, call.path["domain_id"])


@operation(
    "PATCH",
    "/domains/{domain_id:int}",
    body=DomainUpdate,
    answer=SenderDomain,
    example={"allow_unverified": True},
    refusals=(404,),
)
async def change_domain(call: Call) -> SenderDomain:
    """Change where bounces go and links lead, or whether campaigns may leave without the records."""
    domain_id = call.path["domain_id"]
    wanted = await call.json(DomainUpdate)
    async with call.context.database.transaction() as conn:
        domain = await manage.find(conn, call.org_id, domain_id)
        bounces = links = None
        if wanted.bounce_domain is not UNSET:
            bounces = manage.below(domain.domain, wanted.bounce_domain, "bounce_domain")
        if wanted.tracking_domain is not UNSET:
            links = manage.below(domain.domain, wanted.tracking_domain, "tracking_domain")
        if (bounces or domain.bounce_domain) == (links or domain.tracking_domain):
            raise Invalid.of("tracking_domain", links, "must not be the bounce domain")
        await store.update_domain(
            conn,
            call.org_id,
            domain_id,
            bounce_domain=bounces,
            tracking_domain=links,
            allow_unverified=None if wanted.allow_unverified is UNSET else wanted.allow_unverified,
        )
    return await _view(call, domain_id)


@operation("POST", "/domains/{domain_id:int}/verify", answer=SenderDomain, refusals=(404,))
async def verify_domain(call: Call) -> SenderDomain:
    """Look for the records in the DNS now. Takes up to some seconds."""
    domain_id = call.path["domain_id"]
    await manage.Checks(call.context.database, call.context.settings).check(call.org_id, domain_id)
    return await _view(call, domain_id)


@operation("POST", "/domains/{domain_id:int}/rotate", answer=SenderDomain, refusals=(404, 409))
async def rotate_domain(call: Call) -> SenderDomain:
    """Make new keys. The ones in use sign until the records of the new ones are found."""
    domain_id = call.path["domain_id"]
    await manage.rotate(call.context.database, call.org_id, call.context.keys.sealing, domain_id)
    return await _view(call, domain_id)


@operation("DELETE", "/domains/{domain_id:int}", refusals=(404,))
async def remove_domain(call: Call) -> None:
    """Remove a domain and its keys. Email from it leaves as from any domain: unsigned by us."""
    domain_id = call.path["domain_id"]
    async with call.context.database.transaction() as conn:
        if not await store.delete_domain(conn, call.org_id, domain_id):
            raise NotFound(f"Domain {domain_id} is not found")
