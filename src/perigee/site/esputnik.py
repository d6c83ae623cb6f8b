"""The old wire's methods of the site (contract 23.1–23.3)."""

from __future__ import annotations

from perigee.errors import NotFound
from perigee.esputnik.face import Answer, Call, PlainText, Right, operation, plain
from perigee.lib import json_edge
from perigee.site import store
from perigee.site.domains import register
from perigee.site.script import loader
from perigee.site.types import SiteDomain, SiteDomainIn


@operation(
    "GET",
    "/v1/site/domains",
    section="23.1",
    right=Right.FULL,
    answer=list[SiteDomain],
    answer_example=[{"domain": "shop.example.com", "siteId": "8A412DC0E5F34B7FA5900704ECCFF2B5"}],
)
async def get_site_domains(call: Call) -> list[SiteDomain]:
    """The organisation's domain; empty when there is none."""
    async with call.context.database.connection() as conn:
        found = await store.get_domain(conn, call.org_id)
    return [] if found is None else [found]


@operation(
    "POST",
    "/v1/site/domains",
    section="23.2",
    right=Right.FULL,
    body=SiteDomainIn,
    answer={200: SiteDomain, 201: SiteDomain},
    example={"domain": "shop.example.com"},
    answer_example={"domain": "shop.example.com", "siteId": "8A412DC0E5F34B7FA5900704ECCFF2B5"},
)
async def post_site_domain(call: Call) -> Answer:
    """Set the organisation's domain: 201 when it is the first, else 200."""
    body = await call.json(SiteDomainIn)
    async with call.context.database.transaction() as conn:
        domain, created = await register(conn, call.org_id, body.domain)
    return Answer(json_edge.encode(domain), status=201 if created else 200)


@operation("GET", "/v1/site/script", section="23.3", right=Right.FULL, answer=PlainText, refusals=(404,))
async def get_site_script(call: Call) -> Answer:
    """HTML with the tracking script, as plain text. The domain must be there first."""
    async with call.context.database.connection() as conn:
        found = await store.get_domain(conn, call.org_id)
    if found is None:
        raise NotFound("the organisation has no domain yet: POST v1/site/domains first")
    return plain(loader(found.site_id, call.context.settings.public_url))
