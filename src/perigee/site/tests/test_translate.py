"""Events of pages under their common names (TRACKING 1.4, 2.2, 3)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perigee.errors import Invalid
from perigee.lib import json_edge
from perigee.site.bots import is_bot
from perigee.site.translate import translate
from perigee.site.values import location, price


def shown(name: str, frame: dict[str, Any]) -> tuple[str | None, Any]:
    """As it is stored."""
    found = translate(name, frame)
    return found.type_key, json_edge.decode(json_edge.encode(found.params))


MUG = {"productKey": "SKU-1", "price": "9.50 EUR", "isInStock": "1", "tag_color": ["blue"]}
SEEN = {
    "product": {"productId": "SKU-1", "price": 9.5, "isInStock": 1, "color": ["blue"]},
    "currencyCode": "EUR",
}


@pytest.mark.parametrize(
    ("name", "frame", "type_key", "params"),
    [
        (
            "ProductPage",
            {"ProductPage": {"Product": MUG, "Tags": {"section": ["mugs"]}}},
            "productViewed",
            {**SEEN, "tags": {"section": ["mugs"]}},
        ),
        ("ProductPage", {"ProductPage": MUG}, "productViewed", SEEN),
        ("AddToWishlist", {"AddToWishlist": {"Product": MUG}}, "productAddedToWishlist", SEEN),
        (
            "StatusCart",
            {
                "StatusCart": {
                    "GUID": "g1",
                    "Products": [
                        {
                            "productKey": 7,
                            "price": 9.5,
                            "quantity": "2",
                            "discount": 1,
                            "price_currency_code": "eur",
                            "tag_size": "L",
                        }
                    ],
                }
            },
            "cartUpdated",
            {
                "products": [{"productId": "7", "price": 9.5, "quantity": 2, "discount": 1, "size": ["L"]}],
                "currencyCode": "EUR",
                "recycleStateId": "g1",
            },
        ),
        (
            "StatusCart",
            {"StatusCart": [], "GUID": "g2"},
            "cartUpdated",
            {"products": [], "recycleStateId": "g2"},
        ),
        (
            "PurchasedItems",
            {
                "PurchasedItems": {
                    "Products": [{"productKey": "SKU-1", "unit_price": "9.50", "quantity": 2}],
                    "OrderNumber": 1001,
                    "GUID": "g1",
                }
            },
            "purchase",
            {
                "products": [{"productId": "SKU-1", "price": 9.5, "quantity": 2}],
                "externalOrderId": "1001",
                "recycleStateId": "g1",
            },
        ),
        (
            "PurchasedItems",
            {
                "OrderNumber": "SO-1",
                "PurchasedItems": [{"product_id": "A"}],
                "Tags": {"blockId": ["19787_r1v2"]},
            },
            "purchase",
            {
                "products": [{"productId": "A"}],
                "externalOrderId": "SO-1",
                "tags": {"blockId": ["19787_r1v2"]},
            },
        ),
        (
            "ProductImpressions",
            {"ProductImpressions": {"Products": [{"product_id": "A", "container_type": "r1v2"}]}},
            "productImpressions",
            {"products": [{"productId": "A"}], "recomVariantId": "r1v2"},
        ),
        (
            "ProductImpression",
            {"ProductImpression": [{"product_id": "A", "container_type": "r1v2"}]},
            "productImpressions",
            {"products": [{"productId": "A"}], "recomVariantId": "r1v2"},
        ),
        (
            "CategoryPage",
            {"CategoryPage": {"Category": {"categoryKey": "mugs"}}},
            "productCategoryViewed",
            {"category": {"productCategoryId": "mugs"}},
        ),
        (
            "CategoryPage",
            {"CategoryPage": {"categoryKey": "mugs"}},
            "productCategoryViewed",
            {"category": {"productCategoryId": "mugs"}},
        ),
        (
            "SearchRequest",
            {"SearchRequest": {"search": "red mug"}},
            "searchRequest",
            {"search": "red mug", "isFound": 0},
        ),
        (
            "SearchRequest",
            {"SearchRequest": {"search": "red mug", "isFound": 1}},
            "searchRequest",
            {"search": "red mug", "isFound": 1},
        ),
        (
            "PageView",
            {"GeneralInfo": {"location": "https://shop.example.com/a#b", "s_location": "r1v2_block"}},
            "pageViewed",
            {"page": {"location": "https://shop.example.com/a"}, "s_location": "r1v2_block"},
        ),
        ("MainPage", {}, "mainPageViewed", {}),
        ("NotFound", {}, "notFoundPageViewed", {}),
        ("StatusCartPage", {}, "cartPageViewed", {}),
        ("CustomerData", {}, None, {}),
    ],
)
def test_each_event_of_the_contract(
    name: str, frame: dict[str, Any], type_key: str | None, params: Any
) -> None:
    assert shown(name, frame) == (type_key, params)


@pytest.mark.parametrize(
    ("name", "frame", "field"),
    [
        ("Unknown", {}, "GeneralInfo.eventName"),
        ("ProductPage", {}, "ProductPage.Product.productKey"),
        ("ProductPage", {"ProductPage": {"Product": {"price": 1}}}, "ProductPage.Product.productKey"),
        (
            "ProductPage",
            {"ProductPage": {"Product": {**MUG, "isInStock": "yes"}}},
            "ProductPage.Product.isInStock",
        ),
        ("ProductPage", {"ProductPage": []}, "ProductPage"),
        ("StatusCart", {}, "StatusCart"),
        ("StatusCart", {"StatusCart": {"Products": [1]}}, "StatusCart.Products"),
        (
            "StatusCart",
            {"StatusCart": {"Products": [{"productKey": "A", "quantity": "many"}]}},
            "StatusCart.Products[0].quantity",
        ),
        ("PurchasedItems", {"PurchasedItems": {"Products": []}}, "PurchasedItems.OrderNumber"),
        ("ProductImpressions", {"ProductImpressions": {}}, "ProductImpressions"),
        ("CategoryPage", {"CategoryPage": {}}, "CategoryPage.Category.categoryKey"),
        ("SearchRequest", {"SearchRequest": {"search": " "}}, "SearchRequest.search"),
    ],
)
def test_a_refusal_names_the_member(name: str, frame: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        translate(name, frame)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("9.50 EUR", "9.50", "EUR"),
        ("1 299,00 UAH", "1299.00", "UAH"),
        ("1,299.00 usd", "1299.00", "USD"),
        ("EUR 5", "5", "EUR"),
        ("9", "9", None),
        ("", None, None),
    ],
)
def test_prices_as_pages_write_them(text: str, amount: str | None, currency: str | None) -> None:
    found = price("price", text)
    assert (found.amount, found.currency) == (None if amount is None else Decimal(amount), currency)


@pytest.mark.parametrize("text", ["cheap", "9.50 EURO", "--"])
def test_what_is_no_price_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="price: "):
        price("price", text)


def test_a_pages_address_keeps_no_address_of_a_person() -> None:
    assert location("https://u@shop.example.com/") is None
    assert (
        location("https://shop.example.com/a?route=p&email=anna%40example.com&id=5#x")
        == "https://shop.example.com/a?route=p&id=5"
    )
    assert location("javascript:alert(1)") is None


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["Product", "Products", "productKey", "product_id", "price", "quantity", "GUID", "Tags", "OrderNumber",
             "search", "isInStock", "isFound", "Category", "categoryKey", "tag_a", "location", "container_type"]
        ),
        inner,
        max_size=5,
    ),
    max_leaves=12,
)  # fmt: skip
_NAMES = st.sampled_from(
    ["ProductPage", "AddToWishlist", "StatusCart", "PurchasedItems", "ProductImpressions", "CategoryPage",
     "SearchRequest", "PageView", "CustomerData"]
)  # fmt: skip


@pytest.mark.parametrize(
    "nothing", [[], [None], {}, {"Products": []}, [{"productKey": None, "price": None, "quantity": None}]]
)
def test_a_cart_is_emptied_by_an_empty_list_or_by_a_product_without_any_value(nothing: Any) -> None:
    assert translate("StatusCart", {"StatusCart": nothing, "GUID": "g"}).params["products"] == []


@given(name=_NAMES, data=_JSON, beside=_JSON)
def test_whatever_a_page_sends_is_read_or_refused(name: str, data: Any, beside: Any) -> None:
    try:
        found = translate(name, {name: data, "GUID": beside, "Tags": beside, "OrderNumber": beside})
    except Invalid:
        return
    json_edge.encode(found.params)


@pytest.mark.parametrize(
    "agent", ["bingbot/2.0", "AhrefsBot", "Yandexbot/3.0", "HeadlessChrome/126", "Baiduspider"]
)
def test_robots(agent: str) -> None:
    assert is_bot(agent)


@pytest.mark.parametrize(
    "agent", ["", "GuzzleHttp/7", "Mozilla/5.0 (Linux; Android 12; CUBOT KingKong) Chrome/99"]
)
def test_people_and_servers_of_shops(agent: str) -> None:
    assert not is_bot(agent)
