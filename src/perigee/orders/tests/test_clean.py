"""One order of the wire, read leniently and refused with field, value and rule (contract 3, 17.1, 25)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perigee.errors import Invalid
from perigee.lib.text import clean as clean_text
from perigee.orders.clean import MAX_ITEMS, clean, clean_all
from perigee.orders.tests.conftest import wire_order
from perigee.orders.types import CleanOrder

KYIV = ZoneInfo("Europe/Kyiv")


@pytest.mark.parametrize("value", [59.9, "59.9", " 59.90 "])
def test_numbers_arrive_as_text_too(value: Any) -> None:
    assert float(clean(wire_order(totalCost=value), KYIV).total) == 59.9


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2025-05-04T10:11", datetime(2025, 5, 4, 7, 11, tzinfo=UTC)),
        ("2025-05-04T10:11:10", datetime(2025, 5, 4, 7, 11, 10, tzinfo=UTC)),
        ("2025-05-04T10:11:10Z", datetime(2025, 5, 4, 10, 11, 10, tzinfo=UTC)),
        ("2025-05-04T10:11:10.123456+03:00", datetime(2025, 5, 4, 7, 11, 10, 123456, tzinfo=UTC)),
        ("2025-05-04T10:11:11.7022176+03:00", datetime(2025, 5, 4, 7, 11, 11, 702217, tzinfo=UTC)),
    ],
)
def test_dates_of_all_forms(text: str, moment: datetime) -> None:
    assert clean(wire_order(date=text), KYIV).ordered_at == moment


def test_empty_texts_and_lists_are_absent() -> None:
    order = clean(
        wire_order(discount="", shipping=" ", taxes=[], storeId="", email="", currency="", source=""), KYIV
    )
    assert order.details == {"externalCustomerId": "CRM-1"}
    assert (order.who.email, order.currency, order.source) == (None, None, None)


def test_unknown_members_are_kept() -> None:
    assert clean(wire_order(trackingNumber="TN 7", gift={"wrap": True}), KYIV).details == {
        "externalCustomerId": "CRM-1",
        "trackingNumber": "TN 7",
        "gift": {"wrap": True},
    }


def test_an_integer_customer_is_text() -> None:
    assert clean(wire_order(externalCustomerId=1001, externalOrderId=7), KYIV).who.external_id == "1001"


@pytest.mark.parametrize(
    ("source", "meant"), [("offline", "offline"), ("online", "online"), ("kiosk", "online")]
)
def test_any_other_source_is_online(source: str, meant: str) -> None:
    assert clean(wire_order(source=source), KYIV).source == meant


def test_a_first_name_that_is_none_stays_with_the_order_only() -> None:
    order = clean(wire_order(firstName="12345"), KYIV)
    assert order.who.first_name is None
    assert order.details["firstName"] == "12345"


@pytest.mark.parametrize(
    ("member", "value", "words"),
    [
        ("externalOrderId", None, "externalOrderId: is required"),
        ("externalOrderId", "x" * 301, "longer than 300"),
        ("totalCost", None, "totalCost: is required"),
        ("totalCost", "much", "totalCost: 'much' is not a number"),
        ("totalCost", "NaN", "totalCost: 'NaN' is not a number"),
        ("totalCost", 1e300, "more than 14 digits"),
        ("status", None, "status: is required"),
        ("status", "done/paid", "must not contain '/'"),
        ("date", None, "date: is required"),
        ("date", "bad", "date: 'bad' is not a date"),
        ("currency", "EURO", "currency: 'EURO' is not an ISO 4217"),
        ("email", "bad@@example", "'bad@@example' is not valid email"),
        ("phone", "12", "'12' is not valid phone number"),
        ("shipping", {"a": 1}, "shipping: "),
        ("items", [{"quantity": 1}], "items[0].externalItemId: is required"),
        ("items", [{"externalItemId": "A"}], "items[0].quantity: is required"),
        ("items", ["A"], "items[0]: is not an object"),
        (
            "items",
            [{"externalItemId": "A", "quantity": 1}] * (MAX_ITEMS + 1),
            "items: 5001 items are more than 5000",
        ),
    ],
)
def test_refusals_name_field_and_rule(member: str, value: Any, words: str) -> None:
    with pytest.raises(Invalid) as caught:
        clean(wire_order() | {member: value}, KYIV)
    assert words in caught.value.message


def test_an_order_of_nobody_is_refused() -> None:
    with pytest.raises(Invalid, match="one of them is required"):
        clean(wire_order(externalCustomerId=None), KYIV)


def test_a_bad_order_fails_alone_and_comes_back_as_it_was() -> None:
    bad = wire_order("SO-2", date="bad")
    good, refused = clean_all([wire_order("SO-1"), bad, 7], KYIV)
    assert [order.external_order_id for order in good] == ["SO-1"]
    assert [one.order for one in refused] == [bad, 7]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from([*wire_order(), "email", "phone", "items", "taxes", "other"]), JSON))
def test_any_json_is_an_order_or_a_refusal(members: dict[str, Any]) -> None:
    good, refused = clean_all([wire_order() | members], KYIV)
    assert len(good) + len(refused) == 1
    for order in good:
        assert isinstance(order, CleanOrder)
        # no control characters, no surrogates
        assert order.external_order_id == clean_text(order.external_order_id)
