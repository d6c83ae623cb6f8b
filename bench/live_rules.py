"""A hundred rules as a shop's marketers write them, over the data of `generate`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from generate import EVENT_TYPES, Made

TOWNS = ("Kyiv", "Lviv", "Odesa", "Kharkiv", "Dnipro", "Poltava", "Rivne")
DOMAINS = ("gmail.com", "ukr.net", "yahoo.com", "outlook.com", "icloud.com", "i.ua", "example.org")
LANGUAGES = ("uk", "en", "pl", "de")
PROBE_NAME = "Seen-Live"
PROBE_PARAM = "Seen live"
PROBES = 2

Rule = dict[str, Any]
MONTH = {"op": "last_days", "days": 30}
ACTIVE: Rule = {"is": "address_state", "kind": "email", "state": "active"}
SENT: Rule = {"is": "message", "what": "sent", "channel": "email", "period": MONTH}
OPENED: Rule = {"is": "message", "what": "opened", "channel": "email", "period": MONTH}


def rules(made: Made, count: int) -> list[Rule]:
    """The probes first: who got the last name `PROBE_NAME`, who did a wishlist event with `PROBE_PARAM`. At least as
    many as there are probes."""
    kinds = _kinds(made)
    return _probes() + [kinds[n % len(kinds)](n // len(kinds)) for n in range(count - PROBES)]


def _probes() -> list[Rule]:
    where = [{"param": "query", "test": _equals(PROBE_PARAM)}]
    return [
        _field("lastName", PROBE_NAME),
        {"is": "event", "type": "wishlist", "period": {"op": "last_days", "days": 1}, "where": where},
    ]


def _kinds(made: Made) -> list[Callable[[int], Rule]]:
    """Each makes rules of its kind, other ones for 0, 1, 2 …"""
    points, birthday = made.fields["points"], made.fields["birthday"]
    newsletter, loyalty, staff = (_segment(made.lists[name]) for name in ("Newsletter", "Loyalty", "Staff"))
    types = list(EVENT_TYPES)
    return [
        lambda n: _all(_field("town", TOWNS[n % 7]), ACTIVE),
        lambda n: _all(_field("languageCode", LANGUAGES[n % 4]), _additional(points, _at_least(100 * n))),
        lambda n: _orders("count", _at_least(n + 1)),
        lambda n: _orders("total", _at_least(50 * (n + 1)), which="placed", period=_last(365)),
        lambda n: _orders("last", {"op": "before_last_days", "days": 30 * (n + 1)}),
        lambda n: _event(types[n % 7], period=_last(30 + n)),
        lambda n: _event("product_view", period=_last(90), times=_at_least(2), where=[_categories(n)]),
        lambda n: _all(_field("town", TOWNS[n % 7]), OPENED),
        lambda n: _all(SENT, _not(OPENED), {"is": "email_domain", "domains": [DOMAINS[n % 7]]}),
        lambda n: _all(newsletter, _not(loyalty), _orders("count", _at_least(n))),
        lambda n: _any(_event("wishlist", period=_last(180)), _additional(points, _at_least(200 + n))),
        lambda n: {"is": "exclude", "of": _all(ACTIVE, _event("search", period=_last(7 * (n + 1)))), "minus": staff},
        lambda n: _additional(birthday, {"op": "anniversary_within", "days": n + 1}),
        lambda n: _all(_field_test("created", _last(30 * (n + 1))), _not({"is": "has_address", "kind": "phone"})),
    ]  # fmt: skip


def _categories(n: int) -> Rule:
    values = [f"C{number % 40}" for number in range(n, n + 5)]
    return {"param": "category", "test": {"op": "one_of", "values": values}}


def _field(name: str, value: str) -> Rule:
    return _field_test(name, _equals(value))


def _field_test(name: str, test: Rule) -> Rule:
    return {"is": "field", "field": name, "test": test}


def _additional(field_id: int, test: Rule) -> Rule:
    return {"is": "additional", "id": field_id, "test": test}


def _orders(measure: str, test: Rule, **members: Any) -> Rule:
    return {"is": "orders", "measure": measure, "test": test, **members}


def _event(key: str, **members: Any) -> Rule:
    return {"is": "event", "type": key, **members}


def _segment(segment_id: int) -> Rule:
    return {"is": "segment", "id": segment_id}


def _all(*of: Rule) -> Rule:
    return {"is": "all", "of": list(of)}


def _any(*of: Rule) -> Rule:
    return {"is": "any", "of": list(of)}


def _not(of: Rule) -> Rule:
    return {"is": "not", "of": of}


def _equals(value: str) -> Rule:
    return {"op": "equals", "value": value}


def _at_least(value: int) -> Rule:
    return {"op": "at_least", "value": value}


def _last(days: int) -> Rule:
    return {"op": "last_days", "days": days}
