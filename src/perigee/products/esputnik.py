"""The old wire's methods of products: feeds, recommendations, the Shopify token (contract 11.5, 23.9–23.11)."""

from __future__ import annotations

from typing import Any

import msgspec

from perigee.contacts.types import Scalar
from perigee.errors import Invalid
from perigee.esputnik.face import (
    Answer,
    Call,
    Empty,
    Query,
    Right,
    Sentence,
    empty,
    operation,
    sentence,
)
from perigee.lib import json_edge
from perigee.lib.scalars import one_or_many, split_list, to_text
from perigee.products import feeds, person, sources
from perigee.products.feeds import WireFeed
from perigee.products.jobs import enqueue_import
from perigee.products.recommend import Asked, recommend
from perigee.products.sources import CATEGORY_LENGTH
from perigee.products.types import Product

MOST_PRODUCTS = 100
FEEDS = {"feeds": [{"url": "https://shop.example.com/feed.xml", "language": "en", "default": True}]}


class WireFeeds(msgspec.Struct):
    feeds: list[WireFeed] | WireFeed | None = None


class FeedView(msgspec.Struct, omit_defaults=True):
    url: str
    default: bool
    language: str | None = None


class FeedsView(msgspec.Struct):
    feeds: list[FeedView]


class ShopifyToken(msgspec.Struct, rename="camel"):
    domain: Scalar = None
    access_token: Scalar = None


@operation(
    "GET", "/v1/products/config", section="23.9", right=Right.FULL, answer=FeedsView, answer_example=FEEDS
)
async def get_products_config(call: Call) -> FeedsView:
    """Where the shop's product feeds are."""
    async with call.context.database.connection() as conn:
        found = await feeds.list_feeds(conn, call.org_id)
    return FeedsView([FeedView(feed.url, feed.default, feed.language) for feed in found])


@operation(
    "POST",
    "/v1/products/config",
    section="23.10",
    right=Right.FULL,
    body=WireFeeds,
    answer=Sentence,
    example=FEEDS,
)
async def set_products_config(call: Call) -> Answer:
    """Replace the list of product feeds, and import the default one; an empty list removes all."""
    body = await call.json(WireFeeds)
    if body.feeds is None:
        raise Invalid("feeds: is required", field="feeds")
    wanted = feeds.clean(one_or_many(body.feeds))
    async with call.context.database.transaction() as conn:
        await feeds.replace_feeds(conn, call.org_id, wanted)
        if wanted:
            await enqueue_import(conn, call.org_id)
    return sentence(f"Product feeds have been updated, there are {len(wanted)}")


@operation(
    "GET",
    "/v2/contacts/recoms/{data_source_id:int}",
    section="11.5",
    right=Right.FULL,
    answer=list[dict[str, Any]],
    query=(
        Query("contactId", int, "For whom; one of the five identifiers is required", example=23456789),
        Query("email", str, "For whom"),
        Query("phone", str, "For whom"),
        Query("externalCustomerId", str, "For whom"),
        Query("webId", str, "For whom: the visitor's cookie"),
        Query("products", str, 'Products to start from, as `["SKU-1","SKU-2"]` or with commas'),
        Query("category", str, "Only goods of this category", example="Mugs"),
    ),
    answer_example=[
        {
            "id": "SKU-1",
            "name": "Mug",
            "url": "https://shop.example.com/mug",
            "price": 9.5,
            "descr": "Blue mug",
            "brand": "Example",
            "category": ["Mugs"],
            "isInStock": 1,
            "tags_color": ["blue"],
        }
    ],
    refusals=(404,),
)
async def get_recommendations(call: Call) -> list[dict[str, Any]]:
    """Recommend products to a contact, or to a visitor whom nobody knows yet."""
    who = person.read(call.query)
    products = _products(call.query.getall("products", []))
    category = to_text("category", call.query.get("category"), limit=CATEGORY_LENGTH)
    async with call.context.database.transaction() as conn:
        source = await sources.get(conn, call.org_id, call.path["data_source_id"])
        contact_id = await person.contact_of(conn, call.org_id, who)
        asked = Asked(contact_id, who.web_id, products, category)
        found = await recommend(conn, call.org_id, source, asked, now=call.context.now())
    return [wire_product(product) for product in found]


@operation(
    "POST",
    "/v1/shopify/token",
    section="23.11",
    right=Right.FULL,
    body=ShopifyToken,
    answer=Empty,
    example={"domain": "shop.example.com", "accessToken": "shpat_example"},
)
async def set_shopify_token(call: Call) -> Answer:
    """Accepted for the sake of the Shopify app, and not kept: nothing of ours calls the shop."""
    await call.json(ShopifyToken, optional=True)
    return empty()


@operation("DELETE", "/v1/shopify/token", section="23.11", right=Right.FULL, answer=Empty)
async def delete_shopify_token(call: Call) -> Answer:
    """Nothing is kept, so nothing goes."""
    return empty()


def wire_product(product: Product) -> dict[str, Any]:
    """The members of contract 11.5; what is not known is left out. The picture is a member of the feed."""
    tags = dict(product.tags)
    if product.image_url is not None:
        tags.setdefault("image_link", [product.image_url])
    members: dict[str, Any] = {
        "id": product.product_id,
        "name": product.name,
        "url": product.url,
        "price": product.price,
        "descr": product.description,
        "brand": product.brand,
        "category": product.categories or None,
        "isInStock": None if product.in_stock is None else int(product.in_stock),
        **{f"tags_{name}": values for name, values in tags.items()},
    }
    return {name: value for name, value in members.items() if value is not None}


def _products(given: list[str]) -> list[str]:
    """JSON text, or a list as in every query. Raises Invalid."""
    if len(given) == 1 and given[0].strip().startswith("["):
        try:
            items = json_edge.decode(given[0].encode())
        except Invalid as error:
            raise Invalid(f"products: {error.message}", field="products") from None
        found = [text for item in items if (text := to_text("products", item)) is not None]
        products = list(dict.fromkeys(found))
    else:
        products = split_list(given, field="products")
    if len(products) > MOST_PRODUCTS:
        raise Invalid(f"products: {len(products)} products are more than {MOST_PRODUCTS}", field="products")
    return products
