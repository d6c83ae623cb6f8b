"""What the site's visitors do (TRACKING 2 and 3): the events, and the things that each is about. Pure.

The tracker writes JSON; a shop's own server may send its text, or a product's members without the `product` around.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from perigee.segments.leaves.goods import ProductTest, ask_products, goods_hold, goods_sql
from perigee.segments.moments import Moment
from perigee.segments.person import PRODUCT_ID_NAMES, Event, Needs, Person, product_id_of
from perigee.segments.sql import Sql, both
from perigee.segments.world import Catalogue

Thing = Mapping[str, str | None]


class Visit(NamedTuple):
    """An event of the site."""

    type: str
    """Key of the event type."""
    about: Literal["product", "products", "page", "category", "search", "nothing"] = "nothing"
    """The parameter that says what it is about."""


VISITS: Mapping[str, Visit] = {
    "page": Visit("pageViewed", "page"),
    "main_page": Visit("mainPageViewed"),
    "cart_page": Visit("cartPageViewed"),
    "not_found": Visit("notFoundPageViewed"),
    "category": Visit("productCategoryViewed", "category"),
    "search": Visit("searchRequest", "search"),
    "product": Visit("productViewed", "product"),
    "wishlist": Visit("productAddedToWishlist", "product"),
    "impression": Visit("productImpressions", "products"),
    "cart": Visit("cartUpdated", "products"),
    "purchase": Visit("purchase", "products"),
}
VIEW, CART, PURCHASE = VISITS["product"], VISITS["cart"], VISITS["purchase"]


def need_visit(needs: Needs, catalogue: Catalogue, visit: Visit, *members: str) -> None:
    """The events of the kind, with what they are about; of products also these members."""
    type_id = catalogue.event_types.get(visit.type)
    if type_id is None:
        return
    asked = needs.events.setdefault(type_id, set())
    match visit.about:
        case "product" | "products":
            needs.lists.setdefault(visit.about, set()).update(PRODUCT_ID_NAMES, members)
            asked.update(PRODUCT_ID_NAMES, members)
        case "page":
            needs.lists.setdefault("page", set()).add("location")
        case "category":
            needs.lists.setdefault("category", set()).add("productCategoryId")
        case "search":
            asked.add("search")


def need_goods(
    needs: Needs, catalogue: Catalogue, visit: Visit, tests: tuple[ProductTest, ...], *members: str
) -> None:
    need_visit(needs, catalogue, visit, *members)
    needs.products |= ask_products(tests)


def visits_of(person: Person, catalogue: Catalogue, visit: Visit) -> Sequence[Event]:
    type_id = catalogue.event_types.get(visit.type)
    return () if type_id is None else person.events.get(type_id, ())


# -- the products of an event


def things_sql(e: str, visit: Visit) -> str:
    """A jsonb array of the products that the event `e` is about."""
    if visit.about == "products":
        return f"json_items({e}.params -> 'products')"
    return (
        f"case when {e}.params ? 'product' then json_items({e}.params -> 'product') "
        f"else jsonb_build_array({e}.params) end"
    )


def things(event: Event, visit: Visit) -> Sequence[Thing]:
    if visit.about == "product":
        return event.lists.get("product", [event.params])
    return event.lists.get("products", ())


def product_id_sql(item: str) -> str:
    names = (f"{item} ->> '{name}'" for name in PRODUCT_ID_NAMES)
    return f"coalesce({', '.join(names)})"


def with_goods_sql(sql: Sql, e: str, visit: Visit, tests: tuple[ProductTest, ...]) -> str:
    """That the event is about a product which meets all tests.

    `is true` keeps the set of products from being joined anew for each event: it is hashed once.
    """
    one = sql.alias()
    conditions = both(f"({test}) is true" for test in goods_sql(sql, product_id_sql(f"{one}.item"), tests))
    return (
        f"exists (select from jsonb_array_elements({things_sql(e, visit)}) {one} (item) where {conditions})"
    )


def with_goods(
    event: Event, visit: Visit, tests: tuple[ProductTest, ...], person: Person, moment: Moment
) -> bool:
    return any(
        goods_hold(product_id_of(thing), tests, person.products, moment) for thing in things(event, visit)
    )


# -- the text of an event


def text_sql(e: str, visit: Visit) -> str:
    """The address of a page, the key of a category, the words that were looked for."""
    match visit.about:
        case "page":
            return f"(json_items({e}.params -> 'page') -> 0 ->> 'location')"
        case "category":
            return f"(json_items({e}.params -> 'category') -> 0 ->> 'productCategoryId')"
    return f"({e}.params ->> 'search')"


def text_of(event: Event, visit: Visit) -> str | None:
    if visit.about == "search":
        return event.params.get("search")
    member = "location" if visit.about == "page" else "productCategoryId"
    return next((thing.get(member) for thing in event.lists.get(visit.about, ())), None)
