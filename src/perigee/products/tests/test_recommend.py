"""Recommendations from orders and visits (contract 11.5)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perigee.products.store import upsert_products
from perigee.products.types import ProductRow
from perigee.products.viewed import product_of
from perigee.testing.api import Api, make_organisation

ANNA, BO = "anna@example.com", "bo@example.com"
TODAY = datetime.now(UTC)


class Shop:
    """An organisation with orders and visits of the last days."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.orders = 0

    async def source(self, kind: str, **settings: Any) -> int:
        body = {"name": kind, "kind": kind, "settings": settings}
        answer = await self.api.post("/api/v4/recommendation-sources", body)
        assert answer.status_code == 201, answer.text
        return int(answer.json()["source_id"])

    async def order(self, email: str, *goods: str, days: int = 1, status: str = "DELIVERED") -> None:
        """`goods` as `SKU` or `SKU*quantity`, in the category of the letters they begin with."""
        self.orders += 1
        items = []
        for one in goods:
            sku, _, quantity = one.partition("*")
            items.append(
                {
                    "externalItemId": sku,
                    "quantity": quantity or 1,
                    "name": sku,
                    "category": f"Home > {sku.rstrip('0123456789')}",
                }
            )
        order = {
            "externalOrderId": f"SO-{self.orders}",
            "email": email,
            "totalCost": 1,
            "status": status,
            "date": (TODAY - timedelta(days=days)).isoformat(),
            "items": items,
        }
        answer = await self.api.post("/api/v1/orders", {"orders": [order]})
        assert (answer.status_code, answer.content) == (200, b"")

    async def view(self, email: str, product: Any) -> None:
        body = {"eventTypeKey": "productViewed", "params": {"email": email, "product": product}}
        answer = await self.api.post("/api/v3/event", body)
        assert answer.status_code == 200, answer.text

    async def recoms(self, source_id: int, query: str = f"email={ANNA}") -> list[str]:
        answer = await self.api.get(f"/api/v2/contacts/recoms/{source_id}?{query}")
        assert answer.status_code == 200, answer.text
        return [product["id"] for product in answer.json()]


@pytest.fixture
async def shop(api: Api) -> Shop:
    return Shop(api)


async def test_a_product_has_the_documented_members(api: Api, shop: Shop) -> None:
    row = ProductRow(
        product_id="SKU-1",
        name="Mug",
        url="https://shop.example.com/mug",
        image_url="https://shop.example.com/mug.png",
        description="Blue mug",
        brand="Example",
        price=Decimal("9.50"),
        currency="EUR",
        in_stock=True,
        categories=("Mugs",),
        tags={"color": ["blue"]},
    )
    async with api.db.transaction() as conn:
        await upsert_products(conn, api.org_id, [row], source="feed")
    await shop.order(BO, "SKU-1")
    source = await shop.source("best_sellers")
    answer = await api.get(f"/api/v2/contacts/recoms/{source}?email={ANNA}")
    assert answer.json() == [
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
            "tags_image_link": ["https://shop.example.com/mug.png"],
        }
    ]


async def test_members_nobody_knows_are_left_out(api: Api, shop: Shop) -> None:
    await shop.order(BO, "MUG1")
    answer = await api.get(f"/api/v2/contacts/recoms/{await shop.source('best_sellers')}?email={ANNA}")
    assert answer.json() == [{"id": "MUG1", "name": "MUG1", "category": ["Home > MUG"]}]


async def test_best_sellers_are_ranked_by_what_was_sold_in_the_period(shop: Shop) -> None:
    await shop.order(ANNA, "A", "B*3")
    await shop.order(BO, "A", "C*9", days=40)
    await shop.order(BO, "D*9", status="CANCELLED")
    await shop.order(BO, "E*9", status="ABANDONED_SHOPPING_CART")
    assert await shop.recoms(await shop.source("best_sellers", days=30)) == ["B", "A"]
    assert await shop.recoms(await shop.source("best_sellers", days=60)) == ["C", "B", "A"]
    assert await shop.recoms(await shop.source("best_sellers", days=60, limit=1)) == ["C"]


async def test_best_sellers_are_counted_again_when_they_are_old(api: Api, shop: Shop) -> None:
    await shop.order(BO, "A*2")
    source = await shop.source("best_sellers")
    assert await shop.recoms(source) == ["A"]
    await shop.order(BO, "B*3")
    assert await shop.recoms(source) == ["A"]
    await api.rows(
        "update recommendation_source set ranked_at = ranked_at - interval '6 minutes' where org_id = %(org_id)s"
    )
    assert await shop.recoms(source) == ["B", "A"]


async def test_while_somebody_counts_again_the_old_ranking_serves(api: Api, shop: Shop) -> None:
    await shop.order(BO, "A*2")
    source = await shop.source("best_sellers")
    await shop.recoms(source)
    await shop.order(BO, "B*3")
    await api.rows("update recommendation_source set ranked_at = '2020-01-01' where org_id = %(org_id)s")
    async with api.db.transaction() as counting:
        await counting.execute("select 1 from recommendation_source for update")
        assert await shop.recoms(source) == ["A"]
    assert await shop.recoms(source) == ["B", "A"]


async def test_a_category_is_named_whole_or_by_a_step_of_its_path(shop: Shop) -> None:
    await shop.order(BO, "MUG1*2", "MUG2", "CUP1*5")
    every = await shop.source("best_sellers")
    mugs = await shop.source("best_sellers", category="mug")
    assert await shop.recoms(every) == ["CUP1", "MUG1", "MUG2"]
    assert await shop.recoms(mugs) == ["MUG1", "MUG2"]
    assert await shop.recoms(every, f"email={ANNA}&category=home%20%3E%20cup") == ["CUP1"]
    assert await shop.recoms(mugs, f"email={ANNA}&category=Home") == ["CUP1", "MUG1", "MUG2"]
    assert await shop.recoms(every, f"email={ANNA}&category=mu") == []


async def test_what_is_sold_out_is_left_out(api: Api, shop: Shop) -> None:
    await shop.order(BO, "A", "B")
    async with api.db.transaction() as conn:
        await upsert_products(
            conn, api.org_id, [ProductRow(product_id="A", in_stock=False)], source="tracker"
        )
    assert await shop.recoms(await shop.source("best_sellers")) == ["B"]
    assert await shop.recoms(await shop.source("best_sellers", in_stock_only=False)) == ["A", "B"]


async def test_recently_viewed_are_the_persons_newest_first_each_once(shop: Shop) -> None:
    await shop.order(BO, "A", "B", "C")
    for product in (
        {"productId": "A", "price": 1},
        json.dumps({"productId": "B"}),
        {"productId": "A"},
        "broken{",
    ):
        await shop.view(ANNA, product)
    await shop.view(BO, {"productId": "C"})
    source = await shop.source("recently_viewed")
    assert await shop.recoms(source) == ["A", "B"]
    assert await shop.recoms(source, f"email={BO}") == ["C"]
    assert await shop.recoms(source, "email=stranger@example.com") == []


async def test_bought_together_starts_from_the_products_named(shop: Shop) -> None:
    await shop.order(ANNA, "A", "B")
    await shop.order(BO, "A", "B", "C")
    await shop.order(BO, "C", "D")
    await shop.order(BO, "A", "E", status="CANCELLED")
    source = await shop.source("bought_together")
    assert await shop.recoms(source, f"email={ANNA}&products=A") == ["B", "C"]
    assert await shop.recoms(source, f"email={ANNA}&products=A,%20D") == ["B", "C"]
    assert await shop.recoms(source, f'email={ANNA}&products=["C","nothing"]') == ["A", "B", "D"]
    assert await shop.recoms(source, f"email={ANNA}&products=A&products=B") == ["C"]


async def test_bought_together_starts_from_what_the_person_bought(shop: Shop) -> None:
    await shop.order(ANNA, "A")
    await shop.order(BO, "A", "B")
    source = await shop.source("bought_together")
    assert await shop.recoms(source) == ["B"]
    assert await shop.recoms(source, "email=stranger@example.com") == []


async def test_the_person_is_named_by_any_identifier(api: Api, shop: Shop) -> None:
    contact = {
        "externalCustomerId": "CRM-1",
        "channels": [{"type": "email", "value": ANNA}, {"type": "sms", "value": "380501112233"}],
    }
    contact_id = (await api.post("/api/v1/contact", contact)).json()["id"]
    await shop.order(BO, "A")
    await shop.view(ANNA, {"productId": "A"})
    await api.rows(
        "insert into visitor (org_id, visitor_id, contact_id, bound_by) values (%(org_id)s, 'sc-1', %(c)s, 3)",
        c=contact_id,
    )
    source = await shop.source("recently_viewed")
    for query in (
        f"contactId={contact_id}",
        f"email={ANNA.upper()}",
        "phone=%2B380501112233",
        "externalCustomerId=CRM-1",
        "webId=sc-1",
    ):
        assert await shop.recoms(source, query) == ["A"], query


async def test_a_visitor_nobody_knows_yet_has_looked_at_things(api: Api, shop: Shop) -> None:
    await shop.order(BO, "A")
    await shop.view(BO, {"productId": "A"})
    await api.rows("update event set contact_id = null where org_id = %(org_id)s")
    await api.rows(
        "insert into visitor_event (org_id, visitor_id, occurred_at, event_id)"
        " select org_id, 'sc-2', occurred_at, event_id from event where org_id = %(org_id)s"
    )
    source = await shop.source("recently_viewed")
    assert await shop.recoms(source, "webId=sc-2") == ["A"]
    assert await shop.recoms(source, "webId=sc-3") == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "contactId"),
        ("email=", "contactId"),
        ("products=A", "contactId"),
        ("contactId=abc", "contactId"),
        ("email=a@example.com&products=[1,", "products"),
        ("email=a@example.com&products=[[1]]", "products"),
        ("email=a@example.com&products=" + ",".join(map(str, range(101))), "products"),
        ("email=a@example.com&category=" + "c" * 301, "category"),
    ],
)
async def test_a_bad_question_is_refused(api: Api, shop: Shop, query: str, field: str) -> None:
    answer = await api.get(f"/api/v2/contacts/recoms/{await shop.source('best_sellers')}?{query}")
    assert (answer.status_code, answer.json().get("field")) == (400, field), answer.text


async def test_an_unknown_source_is_not_found(api: Api, shop: Shop) -> None:
    assert (await api.get(f"/api/v2/contacts/recoms/999?email={ANNA}")).status_code == 404
    source = await shop.source("best_sellers")
    _, key = await make_organisation(api.db, "Other")
    assert (await api.get(f"/api/v2/contacts/recoms/{source}?email={ANNA}", key=key)).status_code == 404


async def test_sources_are_listed_and_deleted(api: Api, shop: Shop) -> None:
    path = "/api/v4/recommendation-sources"
    made = [await shop.source("best_sellers", days=days) for days in (1, 2, 3)]
    first = (await api.get(f"{path}?limit=2")).json()
    rest = (await api.get(f"{path}?cursor={first['next']}")).json()
    assert [one["source_id"] for one in first["items"] + rest["items"]] == made
    assert first["items"][0]["settings"] == {
        "days": 1,
        "category": None,
        "limit": 20,
        "in_stock_only": True,
    }
    assert [(await api.delete(f"{path}/{made[0]}")).status_code for _ in range(2)] == [204, 404]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "a", "kind": "guess"}, "kind"),
        ({"name": " ", "kind": "best_sellers"}, "name"),
        ({"name": "a", "kind": "best_sellers", "settings": {"days": 0}}, "settings.days"),
        ({"name": "a", "kind": "best_sellers", "settings": {"limit": 101}}, "settings.limit"),
    ],
)
async def test_bad_sources_are_refused(api: Api, body: dict[str, Any], field: str) -> None:
    answer = await api.post("/api/v4/recommendation-sources", body)
    assert (answer.status_code, answer.json()["field"]) == (400, field)


@given(
    st.dictionaries(st.text(), st.recursive(st.none() | st.text() | st.integers() | st.booleans(), st.lists))
)
def test_any_parameters_are_read_without_failing(params: dict[str, Any]) -> None:
    found = product_of(params)
    assert found is None or found.strip() == found != ""


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"product": {"productId": 7}}, "7"),
        ({"product": '{"productKey": "A"}'}, "A"),
        ({"productId": "A"}, "A"),
        ({"Product": "text", "productid": "A"}, "A"),
        ({"product": {"productId": True}}, None),
        ({"product": []}, None),
    ],
)
def test_where_the_product_of_a_visit_stands(params: dict[str, Any], expected: str | None) -> None:
    assert product_of(params) == expected
