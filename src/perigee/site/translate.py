"""The tracker's events under the names and shapes they have everywhere else (TRACKING 1.4, 2.2 and 3). Pure.

A page may send the tracker's own nested form or the flat form of `eS('sendEvent', …)`; both are read. What a row of
the contract's tables marks as required is required where it says *what* the event is about (a product, an order);
a missing amount is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from perigee.errors import Invalid
from perigee.lib.scalars import to_decimal, to_text
from perigee.site import values
from perigee.site.values import listing, number, required, section

Frame = Mapping[str, Any]


class Translated(NamedTuple):
    type_key: str | None
    """None: nothing to record."""
    params: Mapping[str, Any] = {}
    key: str | None = None
    """What the event is about, where that has a name: an order, a state of the cart."""
    once: tuple[str, ...] = ()


Reader = Callable[[Frame], Translated]


def translate(name: str, frame: Frame) -> Translated:
    """Raises Invalid: an event that no page sends, a missing or bad member."""
    reader = _READERS.get(name)
    if reader is None:
        raise Invalid.of("GeneralInfo.eventName", name, "is not an event of the site script")
    translated = reader(frame)
    extra = _common(name, frame)
    return translated._replace(params={**translated.params, **extra}) if extra else translated


def _common(name: str, frame: Frame) -> dict[str, Any]:
    """`Tags` of the event, and the recommendation that led here."""
    data = frame.get(name)
    given = (data.get("Tags") if isinstance(data, dict) else None) or frame.get("Tags")
    found: dict[str, Any] = {}
    if tags := values.tags("Tags", section("Tags", given), prefix=""):
        found["tags"] = tags
    place = to_text(
        "s_location", section("GeneralInfo", frame.get("GeneralInfo")).get("s_location"), limit=300
    )
    if place is not None:
        found["s_location"] = place
    return found


def _product(field: str, member: Frame) -> tuple[dict[str, Any], str | None]:
    """The product that a page shows, and the currency of its price."""
    price = values.price(f"{field}.price", member.get("price"))
    in_stock = values.flag(f"{field}.isInStock", member.get("isInStock"))
    found: dict[str, Any] = values.tags(field, member)
    found["productId"] = _product_id(field, member)
    if price.amount is not None:
        found["price"] = number(price.amount)
    if in_stock is not None:
        found["isInStock"] = in_stock
    return found, price.currency or values.currency(
        f"{field}.price_currency_code", member.get("price_currency_code") or member.get("currency")
    )


def _product_id(field: str, member: Frame) -> str:
    """Both names are in use, also in the same event."""
    return required(f"{field}.productKey", member.get("productKey") or member.get("product_id"))


def _one_product(name: str, type_key: str) -> Reader:
    def read(frame: Frame) -> Translated:
        data = section(name, frame.get(name))
        product, currency = _product(
            f"{name}.Product", section(f"{name}.Product", data.get("Product")) or data
        )
        return Translated(type_key, _with_currency({"product": product}, currency))

    return read


def _with_currency(params: dict[str, Any], currency: str | None) -> dict[str, Any]:
    return params if currency is None else {**params, "currencyCode": currency}


def _goods(name: str, data: Any) -> tuple[list[Frame], Frame]:
    """The products of a cart or order, and what stands beside them. One without any value is how a plugin says: none."""
    beside = data if isinstance(data, dict) else {}
    goods = listing(f"{name}.Products", data.get("Products")) if beside else listing(name, data)
    return [one for one in goods if any(value is not None for value in one.values())], beside


def _line(field: str, member: Frame) -> tuple[dict[str, Any], str | None]:
    given = member.get("unit_price")
    price = values.price(f"{field}.price", member.get("price") if given is None else given)
    found: dict[str, Any] = values.tags(field, member)
    found["productId"] = _product_id(field, member)
    if price.amount is not None:
        found["price"] = number(price.amount)
    for name in ("quantity", "discount"):
        if (amount := to_decimal(f"{field}.{name}", member.get(name), places=4)) is not None:
            found[name] = number(amount)
    currency = member.get("price_currency_code") or member.get("currency")
    return found, price.currency or values.currency(f"{field}.currency", currency)


def _lines(name: str, goods: list[Frame]) -> dict[str, Any]:
    lines = [_line(f"{name}.Products[{place}]", member) for place, member in enumerate(goods)]
    currency = next((currency for _, currency in lines if currency), None)
    return _with_currency({"products": [line for line, _ in lines]}, currency)


def _cart(frame: Frame) -> Translated:
    """The whole cart every time; a state has an id of its own, so one that comes twice is the same."""
    if "StatusCart" not in frame:
        raise Invalid("StatusCart: is required", field="StatusCart")
    goods, beside = _goods("StatusCart", frame["StatusCart"])
    state = to_text("StatusCart.GUID", beside.get("GUID") or frame.get("GUID"), limit=100)
    params = _lines("StatusCart", goods)
    if state is None:
        return Translated("cartUpdated", params)
    return Translated("cartUpdated", {**params, "recycleStateId": state}, state, (f"cart {state}",))


def _purchase(frame: Frame) -> Translated:
    """Counted once, whether the page or the shop's server or both report it: by order number and by the plugin's id."""
    goods, beside = _goods("PurchasedItems", frame.get("PurchasedItems"))
    order = required("PurchasedItems.OrderNumber", beside.get("OrderNumber") or frame.get("OrderNumber"))
    params: dict[str, Any] = {**_lines("PurchasedItems", goods), "externalOrderId": order}
    state = to_text("PurchasedItems.GUID", beside.get("GUID") or frame.get("GUID"), limit=100)
    if state is not None:
        params["recycleStateId"] = state
    tracked = to_text(
        "TrackedOrderId", frame.get("TrackedOrderId") or beside.get("TrackedOrderId"), limit=100
    )
    once = (f"order {order}",) if tracked is None else (f"order {order}", f"tracked {tracked}")
    return Translated("purchase", params, order, once)


def _impressions(frame: Frame) -> Translated:
    """`ProductImpressions.Products` of the tracker, or the flat list `ProductImpression`."""
    name = "ProductImpressions" if "ProductImpressions" in frame else "ProductImpression"
    goods, _ = _goods(name, frame.get(name))
    if not goods:
        raise Invalid(f"{name}: at least one product is required", field=name)
    variants = [
        to_text(f"{name}.container_type", member.get("container_type"), limit=100) for member in goods
    ]
    params: dict[str, Any] = {"products": [{"productId": _product_id(name, member)} for member in goods]}
    if variant := next((variant for variant in variants if variant), None):
        params["recomVariantId"] = variant
    return Translated("productImpressions", params)


def _category(frame: Frame) -> Translated:
    data = section("CategoryPage", frame.get("CategoryPage"))
    category = section("CategoryPage.Category", data.get("Category")) or data
    key = required("CategoryPage.Category.categoryKey", category.get("categoryKey"))
    return Translated("productCategoryViewed", {"category": {"productCategoryId": key}})


def _search(frame: Frame) -> Translated:
    data = section("SearchRequest", frame.get("SearchRequest"))
    words = to_text("SearchRequest.search", data.get("search"), limit=values.TEXT_LENGTH)
    if words is None:
        raise Invalid("SearchRequest.search: is required", field="SearchRequest.search")
    found = values.flag("SearchRequest.isFound", data.get("isFound"))
    return Translated("searchRequest", {"search": words, "isFound": found or 0})


def _page(name: str, type_key: str) -> Reader:
    def read(frame: Frame) -> Translated:
        data = frame.get(name)
        general = section("GeneralInfo", frame.get("GeneralInfo"))
        given = (data.get("location") if isinstance(data, dict) else None) or general.get("location")
        address = values.location(given)
        return Translated(type_key, {"page": {"location": address}} if address else {})

    return read


def _nothing(frame: Frame) -> Translated:
    return Translated(None)


_READERS: dict[str, Reader] = {
    "PageView": _page("PageView", "pageViewed"),
    "MainPage": _page("MainPage", "mainPageViewed"),
    "NotFound": _page("NotFound", "notFoundPageViewed"),
    "StatusCartPage": _page("StatusCartPage", "cartPageViewed"),
    "ProductPage": _one_product("ProductPage", "productViewed"),
    "AddToWishlist": _one_product("AddToWishlist", "productAddedToWishlist"),
    "CategoryPage": _category,
    "StatusCart": _cart,
    "PurchasedItems": _purchase,
    "ProductImpressions": _impressions,
    "ProductImpression": _impressions,
    "SearchRequest": _search,
    "CustomerData": _nothing,
}
