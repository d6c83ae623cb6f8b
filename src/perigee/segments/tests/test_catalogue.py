"""The condition catalogue, one example and more for each condition, read both ways."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from perigee.db.pool import Connection, Database
from perigee.segments.compile import compile_ids
from perigee.segments.conditions import read
from perigee.segments.facts import load_people
from perigee.segments.match import match, needs
from perigee.segments.reading import read_tree
from perigee.segments.tests.cast import BUYERS, FIELD, IN_KYIV, NAMES, ORG, VIP

NOW = datetime(2026, 3, 29, 10, 30, tzinfo=UTC)


def field(name: str, op: str, value: Any = None, **more: Any) -> dict[str, Any]:
    return {"is": "field", "field": name, "test": compares(op, value, **more)}


def additional(kind: str, op: str, value: Any = None, **more: Any) -> dict[str, Any]:
    return {"is": "additional", "id": FIELD[kind], "test": compares(op, value, **more)}


NARROWING = ("which", "period", "source", "currency", "product")


def orders(measure: str, op: str, value: Any = None, **more: Any) -> dict[str, Any]:
    narrowed = {name: more.pop(name) for name in NARROWING if name in more}
    return {"is": "orders", "measure": measure, "test": compares(op, value, **more), **narrowed}


def product(by: str, op: str, value: Any = None, *, tag: str | None = None) -> list[dict[str, Any]]:
    return [{"by": by, "test": compares(op, value), **({} if tag is None else {"tag": tag})}]


def bought(by: str, op: str, value: Any = None, *, tag: str | None = None, **more: Any) -> dict[str, Any]:
    return {"is": "bought", "product": product(by, op, value, tag=tag), **more}


def event(key: str, *where: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"is": "event", "type": key, "where": list(where), **more}


def param(name: str, kind: str, op: str, value: Any = None, **more: Any) -> dict[str, Any]:
    return {"param": name, "as": kind, "test": compares(op, value, **more)}


def message(what: str, **more: Any) -> dict[str, Any]:
    return {"is": "message", "what": what, **more}


def last(what: str, op: str, value: Any = None, *, days: int | None = None, **more: Any) -> dict[str, Any]:
    test = compares(op, value, **({} if days is None else {"days": days}))
    return {"is": "message_time", "what": what, "test": test, **more}


def rate(of: str, per: str, op: str, value: Any, *, to: Any = None, **more: Any) -> dict[str, Any]:
    test = compares(op, value, **({} if to is None else {"to": to}))
    return {"is": "message_rate", "of": of, "per": per, "percent": test, **more}


def state(kind: str, name: str, **more: Any) -> dict[str, Any]:
    return {"is": "address_state", "kind": kind, "state": name, **more}


def device(kind: str, about: str, op: str, value: Any = None, **more: Any) -> dict[str, Any]:
    return {"is": "token", "kind": kind, "device": [{"about": about, "test": compares(op, value)}], **more}


def compares(op: str, value: Any = None, **more: Any) -> dict[str, Any]:
    return {"op": op, **({} if value is None else {"value": value}), **more}


def negated(condition: dict[str, Any]) -> dict[str, Any]:
    return {"is": "not", "of": condition}


def joined(word: str, *of: dict[str, Any]) -> dict[str, Any]:
    return {"is": word, "of": list(of)}


def site(what: str, **more: Any) -> dict[str, Any]:
    return {"is": "site", "what": what, **more}


def cart(**more: Any) -> dict[str, Any]:
    return {"is": "cart", **more}


def abandoned(what: str, **more: Any) -> dict[str, Any]:
    return {"is": "abandoned", "what": what, **more}


def changed(change: str, **more: Any) -> dict[str, Any]:
    return {"is": "product_change", "change": change, **more}


def demand(**more: Any) -> dict[str, Any]:
    return {"is": "regular_demand", **more}


def rfm(grid: str, **more: Any) -> dict[str, Any]:
    return {"is": "rfm", "grid": grid, **more}


def listed(name: str, *where: dict[str, Any]) -> dict[str, Any]:
    return {"param": name, "where": list(where)}


tea = param("sku", "text", "equals", "tea")

CASES: list[tuple[dict[str, Any], str]] = [
    # Standard fields. Texts do not mind upper and lower case, ids do.
    (field("id", "equals", 2), "Bob"),
    (field("id", "one_of", values=[1, "3"]), "Alice Charlie"),
    (field("externalCustomerId", "equals", "CRM-1"), "Alice"),
    (field("externalCustomerId", "equals", "crm-1"), ""),
    (field("externalCustomerId", "filled"), "Alice Bob Dora"),
    (field("externalCustomerId", "empty"), "Charlie"),
    (field("contactKey", "equals", "k-1"), "Alice"),
    (field("email", "equals", "ALICE@example.com"), "Alice"),
    (field("email", "contains", "EXAMPLE"), "Alice Bob Dora"),
    (field("phone", "starts_with", "38050"), "Alice Charlie"),
    (field("firstName", "equals", "alice"), "Alice"),
    (field("firstName", "contains", "LI"), "Alice Charlie"),
    (field("firstName", "ends_with", "E"), "Alice Charlie"),
    (field("lastName", "starts_with", "ch"), "Charlie"),
    (field("languageCode", "one_of", values=["UK", "pl"]), "Alice Dora"),
    (field("timeZone", "equals", "europe/kyiv"), "Alice"),
    (field("region", "equals", "Kyivska"), "Alice"),
    (field("town", "equals", "Kyiv"), "Alice Charlie"),
    (field("address", "contains", "sample"), "Alice"),
    (field("postcode", "equals", "01001"), "Alice"),
    (field("source", "equals", "api"), "Bob Dora"),
    # A missing value answers no, its negation yes.
    (negated(field("town", "equals", "Kyiv")), "Bob Dora"),
    (negated(field("town", "empty")), "Alice Bob Charlie"),
    # Days are those of Kyiv: Alice came at the first instant of the 29th, Bob a second before.
    (field("created", "on", "2026-03-29"), "Alice"),
    (field("created", "on", "2026-03-28"), "Bob"),
    (field("created", "before", "2026-03-29"), "Bob Charlie Dora"),
    (field("created", "after", "2026-03-28"), "Alice"),
    (field("created", "between", "2026-02-01", to="2026-03-28"), "Bob Dora"),
    (field("created", "last_days", days=0), "Alice"),
    (field("created", "last_days", days=1), "Alice Bob"),
    (field("created", "before_last_days", days=1), "Charlie Dora"),
    (field("created", "in_days", days=-1), "Bob"),
    (field("created", "next_days", days=3), "Alice"),
    (field("created", "after_next_days", days=0), ""),
    (field("created", "anniversary", days=0), "Alice Charlie"),
    (field("created", "anniversary", days=-1), "Bob"),
    (field("created", "last_hours", hours=13), "Alice Bob"),
    (field("created", "last_hours", hours=12), ""),
    (field("updated", "last_hours", hours=1), "Alice"),
    (field("updated", "filled"), "Alice Bob Charlie Dora"),
    (field("updated", "empty"), ""),
    # Additional fields, by their types.
    (additional("textfield", "contains", "CARD"), "Alice"),
    (additional("textarea", "ends_with", "note"), "Alice"),
    (additional("number", "greater", 7), "Bob"),
    (additional("number", "at_least", 7), "Alice Bob"),
    (additional("number", "less", "10"), "Alice"),
    (additional("number", "at_most", 10), "Alice Bob"),
    (additional("number", "between", 7, to=9), "Alice"),
    (additional("number", "filled"), "Alice Bob"),
    (additional("number", "empty"), "Charlie Dora"),
    (additional("decimal", "equals", 12.5), "Alice"),
    (additional("date", "anniversary", days=0), "Alice"),
    (additional("date", "anniversary", days=-29), "Bob"),
    (additional("date", "anniversary_within", days=7), "Alice"),
    (additional("date", "before", "1990-01-01"), "Bob"),
    (additional("date", "empty"), "Charlie Dora"),
    (additional("datetime", "on", "2026-03-29"), "Alice"),
    (additional("datetime", "last_days", days=1), "Alice Bob"),
    (additional("combobox", "equals", "red"), "Alice"),
    (additional("combobox", "equals", "RED"), ""),
    (additional("checkboxlist", "has", "green"), "Alice Bob"),
    (additional("checkboxlist", "has_any", values=["red", "blue"]), "Alice"),
    (additional("checkboxlist", "has_all", values=["red", "green"]), "Alice"),
    (additional("checkboxlist", "filled"), "Alice Bob"),
    (additional("checkboxlist", "empty"), "Charlie Dora"),
    # Channels.
    ({"is": "has_address", "kind": "email"}, "Alice Bob Dora"),
    ({"is": "has_address", "kind": "phone"}, "Alice Charlie"),
    ({"is": "email_domain", "domains": ["Example.com", "example.org"]}, "Alice Bob"),
    (state("email", "active"), "Alice"),
    (state("email", "confirmed"), "Alice Bob"),
    (state("email", "unconfirmed"), "Dora"),
    (state("email", "unsubscribed"), "Bob"),
    (state("email", "complained"), "Bob"),
    (state("email", "blocked"), "Dora"),
    (state("phone", "blacklisted"), "Alice"),
    (state("phone", "active"), "Charlie"),
    (negated(state("phone", "active")), "Alice Bob Dora"),
    ({"is": "token", "kind": "webpush"}, "Alice"),
    ({"is": "token", "kind": "webpush", "app_id": "blog"}, ""),
    ({"is": "token", "kind": "mobilepush"}, ""),
    ({"is": "token", "kind": "mobilepush", "active": False}, "Bob"),
    ({"is": "token", "kind": "mobilepush", "active": None}, "Bob"),
    ({"is": "token", "kind": "telegram"}, "Charlie"),
    ({"is": "token", "kind": "webpush", "site": "Shop.example"}, "Alice"),
    ({"is": "token", "kind": "webpush", "site": "other.example"}, ""),
    ({"is": "token", "kind": "webpush", "times": compares("at_least", 2)}, "Alice"),
    ({"is": "token", "kind": "webpush", "times": compares("equals", 0)}, "Bob Charlie Dora"),
    ({"is": "token", "kind": "webpush", "created": compares("last_days", days=0)}, "Alice"),
    (device("webpush", "os", "equals", "windows"), "Alice"),
    (device("webpush", "os", "equals", "linux"), ""),
    (device("mobilepush", "os", "starts_with", "andr", active=False), "Bob"),
    (device("webpush", "os", "empty"), "Alice"),
    # States of addresses: since when, by what, why.
    (state("email", "soft_bounced"), "Bob"),
    (state("email", "doubted", since=compares("in_days", days=-2)), "Bob"),
    (state("email", "unsubscribed", since=compares("last_days", days=28)), "Bob"),
    (state("email", "unsubscribed", since=compares("last_days", days=27)), ""),
    (state("email", "unsubscribed", source=compares("equals", "link")), "Bob"),
    (state("email", "unsubscribed", source=compares("equals", "api")), ""),
    (state("email", "unsubscribed", reason=compares("contains", "OFTEN")), "Bob"),
    (state("email", "complained", since=compares("before", "2026-03-01")), ""),
    (state("phone", "blacklisted", reason=compares("filled")), "Alice"),
    # Language and country. A language stands for its regions.
    ({"is": "language", "languages": ["uk-UA", "EN"]}, "Bob"),
    ({"is": "language", "languages": ["uk"]}, "Alice Dora"),
    (negated({"is": "language", "languages": ["uk"]}), "Bob Charlie"),
    ({"is": "phone_country", "countries": ["PL", "UA"]}, "Alice Charlie"),
    ({"is": "phone_country", "countries": ["US"]}, ""),
    # Belonging.
    ({"is": "segment", "id": VIP}, "Alice Bob"),
    (negated({"is": "segment", "id": VIP}), "Charlie Dora"),
    ({"is": "segment", "id": VIP, "joined": compares("last_days", days=0)}, "Alice"),
    ({"is": "segment", "id": VIP, "joined": compares("before", "2026-03-29")}, "Bob"),
    ({"is": "category", "key": "news", "joined": compares("last_days", days=7)}, ""),
    ({"is": "category", "key": "news", "joined": compares("last_days", days=30)}, "Alice"),
    ({"is": "segment", "id": IN_KYIV}, "Alice Charlie"),
    (negated({"is": "segment", "id": IN_KYIV}), "Bob Dora"),
    ({"is": "category", "key": "news"}, "Alice"),
    # Orders: delivered ones unless others are asked for; sums in the organisation's currency.
    (orders("count", "at_least", 2), "Alice"),
    (orders("count", "equals", 1), "Charlie"),
    (orders("count", "equals", 0), "Bob Dora"),
    (orders("count", "at_least", 1, which="placed"), "Alice Bob Charlie"),
    (orders("count", "at_least", 1, which=["CANCELLED"]), "Alice"),
    (orders("count", "at_most", 0, which=["CANCELLED"]), "Bob Charlie Dora"),
    (orders("total", "greater", 150), "Alice"),
    (orders("total", "less", 1), "Bob Charlie Dora"),
    (orders("total", "equals", 100, period=compares("last_days", days=30)), "Alice"),
    (orders("average", "equals", 75.25), "Alice"),
    (orders("average", "empty"), "Bob Dora"),
    (orders("average", "at_least", 0, which="placed"), "Alice Bob Charlie"),
    (orders("last", "last_days", days=0), "Charlie"),
    (orders("last", "before_last_days", days=7), "Alice"),
    (orders("last", "empty"), "Bob Dora"),
    (orders("first", "before", "2026-01-01"), "Alice"),
    (orders("first", "filled", which="placed"), "Alice Bob Charlie"),
    (orders("last", "empty", which=["DELIVERED"], period=compares("last_days", days=7)), "Alice Bob Dora"),
    (orders("total", "equals", 50.5, source="offline"), "Alice"),
    (orders("count", "at_least", 1, source="online"), "Alice Charlie"),
    (orders("total", "equals", 70, currency="USD"), "Charlie"),
    (orders("average", "equals", 75.25, currency="UAH"), "Alice"),
    # Orders with an item of the kind; what was bought, of delivered orders.
    (orders("last", "before", "2026-01-01", product=product("name", "contains", "TEA")), ""),
    (orders("first", "before", "2026-01-01", product=product("name", "contains", "TEA")), "Alice"),
    (orders("count", "equals", 1, product=product("id", "equals", "mug")), "Alice"),
    (
        orders("count", "equals", 0, which="placed", product=product("brand", "equals", "clay")),
        "Charlie Dora",
    ),
    (bought("id", "equals", "mug"), "Alice"),
    (bought("id", "equals", "mug", which="placed"), "Alice Bob"),
    (negated(bought("id", "equals", "mug")), "Bob Charlie Dora"),
    (bought("name", "contains", "tea", quantity=compares("at_least", 4)), "Alice"),
    (bought("name", "contains", "tea", quantity=compares("less", 4)), "Bob Charlie Dora"),
    (
        bought("id", "equals", "tea", quantity=compares("equals", 1), period=compares("last_days", days=30)),
        "Alice",
    ),
    (bought("category", "equals", "kitchen"), "Alice"),
    (bought("category", "starts_with", "drinks >"), "Alice"),
    (bought("category", "empty", which=["CANCELLED"]), "Alice"),
    (bought("category", "empty"), ""),
    (bought("tag", "equals", "GREEN", tag="color"), "Alice"),
    (bought("tag", "filled", tag="size"), ""),
    (bought("brand", "empty", which=["CANCELLED"]), "Alice"),
    (bought("price", "at_least", 90, which=["IN_PROGRESS"]), "Bob"),
    (bought("in_stock", "equals", "false"), "Alice"),
    (bought("url", "ends_with", "/tea"), "Alice"),
    (bought("name", "empty"), ""),
    ({"is": "bought"}, "Alice Charlie"),
    # Events.
    (event("cart"), "Alice Bob"),
    (negated(event("cart")), "Charlie Dora"),
    (event("cart", times=compares("at_least", 2)), "Alice"),
    (event("cart", times=compares("equals", 1)), "Bob"),
    (event("cart", times=compares("at_most", 1)), "Bob Charlie Dora"),
    (event("cart", times=compares("equals", 0)), "Charlie Dora"),
    (event("cart", times=compares("between", 1, to=2)), "Alice Bob"),
    (event("cart", period=compares("last_days", days=0)), "Alice"),
    (event("cart", period=compares("before", "2026-03-28")), "Bob"),
    (event("visit", period=compares("last_hours", hours=1)), "Bob"),
    (event("cart", param("name", "text", "equals", "Tea")), "Alice"),
    (event("cart", param("name", "text", "equals", "tea"), times=compares("at_least", 2)), ""),
    (event("cart", param("price", "number", "greater", 50)), "Alice"),
    (event("cart", param("price", "number", "less", 50)), "Alice"),
    (event("cart", param("price", "number", "empty")), "Bob"),
    (event("cart", param("until", "date", "next_days", days=7)), "Alice"),
    (event("cart", param("price", "number", "less", 50), param("name", "text", "equals", "tea")), "Alice"),
    # First and last are those of all there are: Alice's last cart was of "Tea", on a Sunday, at 13 o'clock in Kyiv.
    (event("cart", param("name", "text", "equals", "Tea"), which="last"), "Alice"),
    (event("cart", param("name", "text", "equals", "tea"), which="last"), ""),
    (event("cart", param("name", "text", "equals", "tea"), which="first"), "Alice"),
    (event("cart", which="first", period=compares("last_days", days=0)), ""),
    (event("cart", which="last", period=compares("last_days", days=0)), "Alice"),
    (event("cart", which="last", period=compares("before", "2026-03-28")), "Bob"),
    (negated(event("cart", which="last")), "Charlie Dora"),
    (event("cart", hours=[13]), "Alice"),
    (event("cart", hours=[10, 12]), ""),
    (event("cart", weekdays=[5]), "Bob"),
    (event("cart", weekdays=[6, 7], times=compares("at_least", 2)), "Alice"),
    # What a parameter lists: one of its things meets all comparisons.
    (event("cart", items=listed("goods", param("sku", "text", "equals", "pot"))), "Alice"),
    (event("cart", items=listed("goods", param("sku", "text", "equals", "cup"))), ""),
    (event("cart", items=listed("goods", tea, param("number", "number", "at_least", 2))), "Alice"),
    (event("cart", items=listed("goods", tea, param("number", "number", "at_most", 1))), ""),
    (event("cart", items=listed("goods"), which="last"), "Alice"),
    # Alice wanted tea before it fell from 10 to 9.5; mugs are sold out again; Dora waited for the jug.
    (changed("price_drop"), "Alice"),
    (changed("price_drop", percent=5), "Alice"),
    (changed("price_drop", percent=6), ""),
    (changed("price_drop", interest=["wishlist"]), ""),
    (changed("price_drop", product=product("id", "equals", "mug")), ""),
    (changed("price_drop", product=product("name", "contains", "tea")), "Alice"),
    (changed("price_drop", period=compares("before", "2026-03-29")), ""),
    (changed("back_in_stock"), "Dora"),
    (changed("back_in_stock", period=compares("last_days", days=2)), ""),
    (changed("back_in_stock", interest_days=8), ""),
    (changed("back_in_stock", interest_days=9), "Dora"),
    # Alice buys tea every 99 days, and next on 17 June.
    (demand(due=compares("on", "2026-06-17")), "Alice"),
    (demand(due=compares("on", "2026-06-18")), ""),
    (demand(), ""),
    (demand(due=compares("after", "2026-03-29"), product=product("id", "equals", "tea")), "Alice"),
    (demand(due=compares("after", "2026-03-29"), product=product("id", "equals", "mug")), ""),
    (demand(due=compares("after", "2026-03-29"), least=3), ""),
    # RFM.
    (rfm("sales"), "Alice Charlie"),
    (rfm("mail"), "Alice"),
    (rfm("sales", recency=[1]), "Charlie"),
    (rfm("sales", recency=[2, 3], frequency=[2]), "Alice"),
    (rfm("sales", recency=[2], frequency=[1]), ""),
    (rfm("sales", since=compares("last_days", days=1)), "Charlie"),
    (negated(rfm("sales")), "Bob Dora"),
    # The site.
    (site("page"), "Alice Bob"),
    (site("page", test=compares("ends_with", "/sale")), "Bob"),
    (site("main_page"), ""),
    (negated(site("not_found")), "Alice Bob Charlie Dora"),
    (site("category", test=compares("equals", "mugs")), "Bob"),
    (site("search", test=compares("contains", "mug")), "Bob"),
    (site("search", test=compares("contains", "tea")), ""),
    (site("product"), "Alice Dora"),
    (site("product", times=compares("at_least", 2)), "Dora"),
    (site("product", product=product("id", "equals", "mug")), "Dora"),
    (site("product", product=product("name", "contains", "tea")), "Alice Dora"),
    (site("product", product=product("category", "starts_with", "drinks")), "Alice"),
    (site("product", product=product("id", "equals", "pot"), period=compares("on", "2026-03-28")), "Dora"),
    (site("product", hours=[9]), "Alice"),
    (site("product", weekdays=[6]), "Dora"),
    (site("wishlist", product=product("brand", "equals", "Clay")), "Dora"),
    (site("cart", product=product("id", "equals", "tea")), "Alice Charlie"),
    (site("cart", times=compares("equals", 1)), "Bob Charlie"),
    (site("purchase", product=product("id", "equals", "cup")), "Charlie"),
    (site("impression"), ""),
    # The cart is the last state, unless emptied or bought since.
    (cart(), "Alice"),
    (cart(product=product("id", "equals", "tea")), "Alice"),
    (cart(product=product("name", "contains", "mug")), "Alice"),
    (cart(product=product("id", "equals", "pot")), ""),
    (cart(value=compares("equals", 109)), "Alice"),
    (cart(value=compares("greater", 109)), ""),
    (cart(period=compares("last_hours", hours=4)), ""),
    (cart(period=compares("last_hours", hours=5)), "Alice"),
    # Abandoned: left for at least so many hours, and at most so many.
    (abandoned("cart", after_hours=4), "Alice"),
    (abandoned("cart", after_hours=5), ""),
    (abandoned("cart", after_hours=1, within_hours=4), ""),
    (abandoned("cart", within_hours=200), "Alice"),
    (abandoned("cart", value=compares("less", 100)), ""),
    (abandoned("view"), "Dora"),
    (abandoned("view", within_hours=24), ""),
    (abandoned("view", product=product("id", "equals", "mug"), within_hours=26), "Dora"),
    (abandoned("view", product=product("id", "equals", "mug"), within_hours=25), ""),
    (abandoned("view", product=product("id", "equals", "tea")), ""),
    # Messages are counted once, however often they were opened; a click is an opening, a machine is nobody.
    (message("sent"), "Alice"),
    (message("sent", channel="sms"), "Alice"),
    (message("sent", channel="viber"), ""),
    (message("sent", times=compares("at_least", 2)), "Alice"),
    (message("sent", times=compares("at_most", 0)), "Bob Charlie Dora"),
    (message("failed"), "Bob"),
    (message("delivered"), "Alice"),
    (message("opened"), "Alice"),
    (message("opened", channel="email", times=compares("at_least", 2)), ""),
    (message("opened", times=compares("at_least", 2)), "Alice"),
    (message("clicked", times=compares("at_least", 2)), "Alice"),
    (message("clicked", channel="email", times=compares("at_least", 2)), ""),
    (message("clicked", period=compares("last_days", days=0)), ""),
    (message("unsubscribed"), "Bob"),
    (message("complained"), "Bob"),
    (message("unavailable"), "Dora"),
    (message("unavailable", reason=compares("one_of", values=["unconfirmed"])), "Dora"),
    (message("unavailable", reason=compares("equals", "blacklisted")), ""),
    (message("unavailable", domains=["mail.example.com"]), "Dora"),
    (message("failed", reason=compares("contains", "no such user")), "Bob"),
    (message("unsubscribed", reason=compares("equals", "too_often")), "Bob"),
    (message("unsubscribed", reason=compares("equals", "other")), ""),
    (message("sent", kinds=["single"]), "Alice"),
    (message("sent", kinds=["test"]), ""),
    (message("failed", kinds=["campaign", "test"]), "Bob"),
    (message("sent", campaigns=[851]), "Alice"),
    (message("opened", campaigns=[851], channel="sms"), ""),
    (message("opened", messages=[861]), "Alice"),
    (message("opened", tags=["autumn", "sale"]), "Alice"),
    (message("opened", tags=["autumn"]), ""),
    (message("clicked", categories=["news"], times=compares("equals", 1)), "Alice"),
    (message("failed", variant=2), "Bob"),
    (message("failed", variant=1), ""),
    (message("failed", languages=["en"]), "Bob"),
    (message("failed", languages=["en-gb"]), "Bob"),
    (message("failed", languages=["en-US", "uk"]), ""),
    (message("opened", domains=["EXAMPLE.com"]), "Alice"),
    (message("failed", domains=["example.com"]), ""),
    (message("clicked", link=compares("equals", "https://shop.example/tea")), "Alice"),
    (message("clicked", link=compares("contains", "/mug"), channel="email"), ""),
    # Hours and days of Kyiv: 12:00 UTC was 14:00 of a Saturday, two hours ahead still.
    (message("opened", hours=[14], weekdays=[6], channel="email"), "Alice"),
    (message("opened", hours=[12, 13, 15], weekdays=[6]), ""),
    (message("opened", weekdays=[7]), "Alice"),
    # From the sending to the first opening: 1 h 59 min in the email, a day and 2 hours in the SMS.
    (message("opened", delay=compares("at_most", 7140), times=compares("equals", 1)), "Alice"),
    (message("opened", delay=compares("at_least", 7141), channel="email"), ""),
    (message("opened", delay=compares("less", 7140), channel="email"), ""),
    (message("clicked", delay=compares("at_least", 86_400)), "Alice"),
    # The last and the first time.
    (last("opened", "last_days", days=0), "Alice"),
    (last("opened", "on", "2026-03-28"), ""),
    (last("clicked", "in_days", days=-1), "Alice"),
    (last("clicked", "before_last_days", days=7, channel="sms"), "Alice"),
    (last("clicked", "before_last_days", days=7), ""),
    (last("clicked", "before_last_days", days=7, which="first"), "Alice"),
    (last("sent", "empty"), "Bob Charlie Dora"),
    (last("sent", "filled", kinds=["single"]), "Alice"),
    # Rates: one of Alice's two messages counts as delivered, and both were opened.
    (rate("delivered", "sent", "at_least", 50), "Alice"),
    (rate("delivered", "sent", "greater", 50), ""),
    (rate("opened", "delivered", "at_least", 100), "Alice"),
    (rate("opened", "sent", "at_least", 100, least=2), "Alice"),
    (rate("opened", "sent", "at_least", 0, least=3), ""),
    (rate("clicked", "opened", "between", 50, to=100, channel="sms"), "Alice"),
    (rate("opened", "sent", "at_least", 100, period=compares("last_days", days=1)), "Alice"),
    (negated(rate("opened", "sent", "at_least", 1)), "Bob Charlie Dora"),
    # Joining, negating a card, excluding.
    (joined("all", {"is": "segment", "id": VIP}, field("town", "equals", "Lviv")), "Bob"),
    (
        joined("any", {"is": "segment", "id": BUYERS}, field("languageCode", "equals", "uk")),
        "Alice Bob Charlie Dora",
    ),
    (negated(joined("all", {"is": "segment", "id": VIP}, event("visit"))), "Alice Charlie Dora"),
    (negated(joined("any", {"is": "segment", "id": VIP}, event("visit"))), "Charlie Dora"),
    (negated(joined("any", field("town", "equals", "Kyiv"), field("town", "equals", "Lviv"))), "Dora"),
    (
        {"is": "exclude", "of": {"is": "segment", "id": VIP}, "minus": {"is": "segment", "id": BUYERS}},
        "Alice",
    ),
    (
        {"is": "exclude", "of": field("source", "filled"), "minus": field("town", "equals", "Kyiv")},
        "Bob Dora",
    ),
    (
        joined(
            "any", joined("all", event("cart"), negated(event("visit"))), {"is": "segment", "id": IN_KYIV}
        ),
        "Alice Charlie",
    ),
]


@pytest.fixture(scope="module")
async def conn(cast_url: str) -> AsyncIterator[Connection]:
    async with Database(cast_url) as database, database.connection() as connection:
        yield connection


@pytest.mark.parametrize(("condition", "expected"), CASES, ids=str)
async def test_both_readings_find_the_expected_people(
    conn: Connection, condition: dict[str, Any], expected: str
) -> None:
    reading = await read_tree(conn, ORG, read(condition), NOW, strict=True)
    compiled = compile_ids(*reading)
    rows = await (await conn.execute(compiled.sql.encode(), compiled.values)).fetchall()
    assert sorted(NAMES[number] for (number,) in rows) == expected.split()

    people = await load_people(conn, ORG, list(NAMES), needs(reading.tree, reading.world.catalogue))
    assert sorted(NAMES[n] for n, person in people.items() if match(reading.tree, person, reading.world)) == (
        expected.split()
    )
