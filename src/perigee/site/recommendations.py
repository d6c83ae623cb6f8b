"""`eS('getRecommendations', …)`: what a page may show its visitor (TRACKING 1.4). No credentials.

A variant `r<id>v<n>` is the data source `<id>`; the number behind `v` only names the block in events. A visitor is
known by the cookie and nothing else: whoever could name a contact here would read what that contact looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec
from litestar import Response, post
from litestar.types import ControllerRouterHandler

from perigee.db.pool import Connection
from perigee.errors import Invalid, NotFound
from perigee.esputnik import envelope
from perigee.http import body as bodies
from perigee.http.body import AnyRequest
from perigee.http.client_address import client_address
from perigee.http.context import AppContext
from perigee.lib import json_edge
from perigee.lib.scalars import one_or_many, to_bool, to_text
from perigee.products import sources
from perigee.products.recommend import Asked, recommend
from perigee.products.types import Product
from perigee.site import store
from perigee.site.flood import Flood
from perigee.site.intake import VISITOR_LENGTH
from perigee.site.sites import Sites
from perigee.site.values import ID_LENGTH

MOST_PRODUCTS, MOST_RULES = 100, 20

_VARIANT = re.compile(r"r([0-9]{1,18})v[0-9]{1,9}", re.ASCII)


class RecommendationsIn(msgspec.Struct, rename="camel"):
    """Body: the data of the call, the site, and the visitor's cookie."""

    site_id: Any = None
    variant_id: Any = None
    product_id: Any = None
    product_ids: Any = None
    category_key: Any = None
    all_fields: Any = None
    filters: Any = None
    visitor: Any = None


class Rule(msgspec.Struct, frozen=True):
    """A property of products and the values that count."""

    name: str
    values: frozenset[str]


class Wanted(msgspec.Struct, frozen=True):
    """A call, cleaned."""

    variant: str
    source_id: int
    products: tuple[str, ...]
    category: str | None
    visitor_id: str | None
    all_fields: bool
    include: tuple[Rule, ...]
    exclude: tuple[Rule, ...]
    should: tuple[Rule, ...]


def clean(body: RecommendationsIn) -> Wanted:
    """Raises Invalid; NotFound for a variant that cannot be one. Pure."""
    variant = to_text("variantId", body.variant_id, limit=100)
    if variant is None:
        raise Invalid("variantId: is required", field="variantId")
    found = _VARIANT.fullmatch(variant)
    if found is None:
        raise unknown(variant)
    named = [body.product_id, *one_or_many(body.product_ids)]
    products = [text for item in named if (text := to_text("productIds", item, limit=ID_LENGTH))]
    if len(products) > MOST_PRODUCTS:
        raise Invalid(
            f"productIds: {len(products)} products are more than {MOST_PRODUCTS}", field="productIds"
        )
    filters = body.filters if isinstance(body.filters, dict) else {}
    return Wanted(
        variant=variant,
        source_id=int(found[1]),
        products=tuple(dict.fromkeys(products)),
        category=to_text("categoryKey", body.category_key, limit=ID_LENGTH),
        visitor_id=to_text("visitor", body.visitor, limit=VISITOR_LENGTH),
        all_fields=to_bool("allFields", body.all_fields) or False,
        include=_rules("filters.include", filters.get("include")),
        exclude=_rules("filters.exclude", filters.get("exclude")),
        should=_rules("filters.should", filters.get("should")),
    )


def _rules(field: str, given: Any) -> tuple[Rule, ...]:
    items = one_or_many(given)
    if len(items) > MOST_RULES:
        raise Invalid(f"{field}: {len(items)} filters are more than {MOST_RULES}", field=field)
    rules = []
    for item in items:
        name = to_text(f"{field}.name", item.get("name"), limit=100) if isinstance(item, dict) else None
        if name is None:
            raise Invalid(f"{field}: each filter must have the members name and values", field=field)
        values = [to_text(f"{field}.values", value) for value in one_or_many(item.get("values"))]
        rules.append(Rule(name, frozenset(value.lower() for value in values if value)))
    return tuple(rules)


def unknown(variant: str) -> NotFound:
    """Scripts show this text."""
    return NotFound(f"variantId {variant} was not found in config")


def choose(products: list[Product], wanted: Wanted) -> list[Product]:
    """Those that pass every `include` and no `exclude`; those that pass more of `should` first. Without the products
    that the page itself shows. Pure."""
    kept = [
        product
        for product in products
        if product.product_id not in wanted.products
        and all(_passes(product, rule) for rule in wanted.include)
        and not any(_passes(product, rule) for rule in wanted.exclude)
    ]
    return sorted(kept, key=lambda product: -sum(_passes(product, rule) for rule in wanted.should))


def _passes(product: Product, rule: Rule) -> bool:
    read = _PROPERTIES.get(rule.name.lower())
    values = read(product) if read else product.tags.get(rule.name.removeprefix("tag_"), [])
    return not rule.values.isdisjoint(str(value).lower() for value in values if value is not None)


_PROPERTIES: Mapping[str, Callable[[Product], list[Any]]] = {
    "product_id": lambda product: [product.product_id],
    "name": lambda product: [product.name],
    "brand": lambda product: [product.brand],
    "category": lambda product: product.categories,
    "price": lambda product: [product.price],
}


def shown(product: Product, wanted: Wanted) -> dict[str, Any]:
    """As the script's callback gets it. Pure."""
    found: dict[str, Any] = {
        "product_id": product.product_id,
        "container_type": wanted.variant,
        "url": product.url,
    }
    if wanted.all_fields:
        found |= {f"tag_{name}": values for name, values in product.tags.items()}
        found |= {
            "name": product.name,
            "imgurl": product.image_url,
            "description": product.description,
            "brand": product.brand,
            "unit_price": product.price,
            "price_currency_code": product.currency,
            "isInStock": None if product.in_stock is None else int(product.in_stock),
            "category": product.categories[0] if product.categories else None,
        }
    return {name: value for name, value in found.items() if value is not None}


async def answer(conn: Connection, org_id: int, wanted: Wanted, now: datetime) -> list[dict[str, Any]]:
    """Raises NotFound for an unknown variant."""
    try:
        source = await sources.get(conn, org_id, wanted.source_id)
    except NotFound:
        raise unknown(wanted.variant) from None
    contact_id = None
    if wanted.visitor_id is not None:
        bound = (await store.get_visitors(conn, org_id, [wanted.visitor_id])).get(wanted.visitor_id)
        contact_id = None if bound is None else bound.contact_id
    asked = Asked(contact_id, wanted.visitor_id, wanted.products, wanted.category)
    found = await recommend(conn, org_id, source, asked, now=now)
    return [shown(product, wanted) for product in choose(found, wanted)]


def take_question(context: AppContext) -> ControllerRouterHandler:
    sites = Sites(context.database)
    flood = Flood.of(context.settings)

    @post("/tracker/recommendations", status_code=200)
    async def handle(request: AnyRequest) -> Response[Any]:
        try:
            flood.admit(client_address(request))
            settings = context.settings
            raw = await bodies.read(
                request,
                limit=settings.max_event_body_kb * 1024,
                seconds=settings.request_timeout_seconds,
            )
            body = json_edge.decode(raw, RecommendationsIn)
            site = await sites.by_id(to_text("siteId", body.site_id) or "", field="siteId")
            wanted = clean(body)
            async with context.database.connection() as connection:
                products = await answer(connection, site.org_id, wanted, context.now())
        except Exception as error:
            return envelope.render(error, request.url.path)
        return Response(
            json_edge.encode({"products": products}),
            media_type="application/json",
            headers={"Cache-Control": "no-store"},
        )

    return handle
