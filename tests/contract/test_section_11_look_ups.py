"""Contract section 11 on the wire: contact search, emails, activity, message history, recommendations, tokens.

The tables of what each filter finds are beside the packages (`contacts`, `reports`, `products`).
"""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from typing import Any

import pytest

from perigee.products.store import upsert_products
from perigee.products.types import ProductRow
from perigee.reports.activity import STATUSES
from perigee.reports.tests.conftest import Books
from perigee.settings import Settings
from perigee.testing.api import SETTINGS, Api
from perigee.testing.wire import data, listed, ok, refused

APP = "11111111-2222-3333-4444-555555555555"
MARCH = "dateFrom=2026-03-01&dateTo=2026-03-31"


async def add(api: Api, email: str, **members: Any) -> int:
    contact = {"channels": [{"type": "email", "value": email}], **members}
    return int(data(await api.post("/api/v1/contact", contact))["id"])


async def found(api: Api, query: str = "") -> list[int]:
    rows, total = listed(await api.get(f"/api/v1/contacts{query}"))
    assert total >= len(rows)
    return [row["id"] for row in rows]


@pytest.fixture
def books(api: Api) -> Books:
    return Books(api)


# 11.1


async def test_a_search_row_is_the_contact_of_the_example(api: Api) -> None:
    anna = await add(api, "anna@example.com", firstName="Anna", externalCustomerId="CRM-1001")
    rows, total = listed(await api.get("/api/v1/contacts?externalCustomerId=CRM-1001"))
    assert total == 1
    assert rows == [
        {
            "id": anna,
            "firstName": "Anna",
            "channels": [{"type": "email", "value": "anna@example.com"}],
            "addressBookId": 7200,
            "externalCustomerId": "CRM-1001",
        }
    ]


async def test_no_match_is_an_empty_list(api: Api) -> None:
    assert listed(await api.get("/api/v1/contacts?email=nobody@example.com")) == ([], 0)


async def test_email_phone_and_external_id_must_be_equal_and_names_may_begin(api: Api) -> None:
    channels = [{"type": "email", "value": "anna@example.com"}, {"type": "sms", "value": "380501112233"}]
    anna = data(
        await api.post(
            "/api/v1/contact",
            {
                "channels": channels,
                "firstName": "Anna",
                "lastName": "Koval",
                "externalCustomerId": "CRM-1001",
            },
        )
    )["id"]
    for query in (
        "email=ANNA@Example.COM",
        "sms=%2B380 50 111-22-33",
        "externalCustomerId=CRM-1001",
        "firstname=an",
        "lastname=KOV",
        "firstname=Anna&lastname=Koval&email=anna@example.com",
    ):
        assert await found(api, f"?{query}") == [anna], query
    for query in (
        "email=anna@example.co",
        "email=anna",
        "sms=38050111223",
        "externalCustomerId=CRM-100",
        "externalCustomerId=crm-1001",
        "firstname=nna",
        "lastname=oval",
        "firstname=Anna&lastname=Other",
    ):
        assert await found(api, f"?{query}") == [], query


async def test_names_of_the_query_are_all_lower_case(api: Api) -> None:
    """`firstName` is an unknown parameter, and those are ignored."""
    anna = await add(api, "anna@example.com", firstName="Anna")
    assert await found(api, "?firstName=Zoe&channels=email&groups=x") == [anna]


async def test_the_external_id_excludes_the_other_conditions(api: Api) -> None:
    anna = await add(api, "anna@example.com", externalCustomerId="CRM-1001")
    await add(api, "bo@example.com")
    assert await found(api, "?externalCustomerId=CRM-1001&email=bo@example.com&firstname=Zoe") == [anna]


async def test_contacts_come_by_their_last_update_or_by_id_where_it_is_asked(api: Api) -> None:
    anna, bo, cy = [await add(api, f"{name}@example.com") for name in ("anna", "bo", "cy")]
    ok(await api.put(f"/api/v1/contact/{bo}", {"firstName": "Bo"}))
    assert await found(api) == [bo, cy, anna]
    assert await found(api, "?sortBy=contactId") == [anna, bo, cy]


async def test_an_order_by_id_counts_only_without_conditions(api: Api) -> None:
    anna, ann = (
        await add(api, "anna@example.com", firstName="Anna"),
        await add(api, "ann@example.com", firstName="Ann"),
    )
    assert await found(api, "?sortBy=contactId&firstname=Ann") == [ann, anna]


async def test_rows_are_counted_from_one_and_500_is_the_default_and_the_most(api: Api) -> None:
    await api.rows(
        "insert into contact (org_id, external_id) select %(org_id)s, 'CRM-' || n from generate_series(1, 502) n"
    )
    for query, rows in (
        ("", 500),
        ("?maxrows=499", 499),
        ("?maxrows=500", 500),
        ("?maxrows=501", 500),
        ("?startindex=1&maxrows=502", 500),
        ("?startindex=502", 1),
        ("?startindex=503", 0),
    ):
        page, total = listed(await api.get(f"/api/v1/contacts{query}"))
        assert (len(page), total) == (rows, 502), query
    first, second = await found(api, "?startindex=1&maxrows=1"), await found(api, "?startindex=2&maxrows=1")
    assert first + second == await found(api, "?maxrows=2")


@pytest.mark.parametrize("query", ["startindex=0", "maxrows=0", "maxrows=-1", "startindex=one"])
async def test_a_page_that_is_none_is_refused(api: Api, query: str) -> None:
    refused(await api.get(f"/api/v1/contacts?{query}"), 400, query.partition("=")[0])


# 11.2


async def test_emails_by_ids_are_those_of_the_example(api: Api) -> None:
    anna, bo = await add(api, "anna@example.com"), await add(api, "bo@example.com")
    several = {
        "results": [
            {"contactId": anna, "email": "anna@example.com"},
            {"contactId": bo, "email": "bo@example.com"},
        ]
    }
    for query in (
        f"ids={anna},{bo}",
        f"ids={anna},%20{bo}",
        f"ids={anna}&ids={bo}",
        f"ids={anna},999999999,{bo}&emails=cy@example.com",
    ):
        assert data(await api.get(f"/api/v1/contacts/email?{query}")) == several, query


async def test_one_email_stands_alone_with_its_id_as_text(api: Api) -> None:
    anna = await add(api, "anna@example.com")
    answer = await api.get(f"/api/v1/contacts/email?ids={anna},999999999")
    assert data(answer) == {"results": {"contactId": str(anna), "email": "anna@example.com"}}


async def test_no_email_is_an_empty_list(api: Api) -> None:
    for query in ("", "?ids=", "?ids=999999999", "?emails=anna@example.com"):
        assert data(await api.get(f"/api/v1/contacts/email{query}")) == {"results": []}


# 11.3


async def clicked(books: Books) -> tuple[int, int]:
    """(Anna's id, the send) of a click on the link of a message."""
    anna = await books.person("anna@example.com", external_id="CRM-1001")
    send = await books.send(tags=("promo", "welcome"), name="Welcome")
    await books.ledger(send, anna, "anna@example.com")
    await books.did("CLICKED", send, anna, minute=3, detail="https://shop.example.com/sale")
    return anna, send


@pytest.mark.parametrize("path", ["v2/contacts/activity", "v1/contacts/activity", "v1/contactActivity/"])
async def test_activity_has_the_members_of_the_example(books: Books, path: str) -> None:
    anna, send = await clicked(books)
    (row,) = data(await books.api.get(f"/api/{path}?{MARCH}"))
    assert row.pop("viewMessageLink").startswith("http://perigee.test/v/")
    assert isinstance(row.pop("offset"), str)
    assert row == {
        "iid": books.iid(send),
        "contactId": anna,
        "externalCustomerId": "CRM-1001",
        "email": "anna@example.com",
        "mediaType": "email",
        "activityStatus": "CLICKED",
        "messageId": 2345001,
        "messageInstanceId": send,
        "messageName": "Welcome",
        "messageTag": "promo,welcome",
        "messageLanguageCode": "en",
        "activityDateTime": "2026-03-10T09:03:00",
        "clickEventLink": "https://shop.example.com/sale",
        "statusData": {},
        "broadcastId": 3459001,
        "from": '"Example Shop" <news@shop.example.com>',
    }


async def test_activity_wants_both_dates_in_days_or_moments(books: Books) -> None:
    await clicked(books)
    path = "/api/v2/contacts/activity"
    refused(await books.api.get(f"{path}?dateTo=2026-03-31"), 400, "dateFrom")
    refused(await books.api.get(f"{path}?dateFrom=2026-03-01"), 400, "dateTo")
    exact = "dateFrom=2026-03-10T09:03&dateTo=2026-03-10T09:03:59"
    assert len(data(await books.api.get(f"{path}?{exact}"))) == 1
    assert data(await books.api.get(f"{path}?dateFrom=2026-03-10T09:04&dateTo=2026-03-10T09:05")) == []


async def test_activity_spans_three_months_at_most(api: Api) -> None:
    path = "/api/v2/contacts/activity"
    assert data(await api.get(f"{path}?dateFrom=2026-01-01&dateTo=2026-03-31")) == []
    assert data(await api.get(f"{path}?dateFrom=2026-01-01&dateTo=2026-04-01")) == []
    refused(await api.get(f"{path}?dateFrom=2026-01-01&dateTo=2026-04-02"), 400, "3 months")


@pytest.mark.parametrize(
    "status", ["DELIVERED", "UNDELIVERED", "READ", "UNSUBSCRIBED", "CLICKED", "SPAM", "SUBSCRIPTION_CHANGED"]
)
async def test_activity_may_be_asked_by_status(books: Books, status: str) -> None:
    anna = await books.person("anna@example.com")
    send = await books.send()
    await books.ledger(send, anna, "anna@example.com")
    for minute, one in enumerate(STATUSES):
        await books.did(one, send, anna, minute=minute)
    (row,) = data(await books.api.get(f"/api/v2/contacts/activity?{MARCH}&activityStatus={status}"))
    assert row["activityStatus"] == status


async def test_activity_is_found_by_address_token_and_tag(books: Books) -> None:
    anna = await books.person("anna@example.com", phone="380501112233")
    for ordinal, (channel, address) in enumerate(
        [
            ("email", "anna@example.com"),
            ("sms", "380501112233"),
            ("webpush", "web-1"),
            ("mobilepush", "fcm-1"),
        ]
    ):
        send = await books.send(channel, tags=("promo",) if channel == "sms" else ())
        await books.ledger(send, anna, address, ordinal=ordinal, minute=ordinal)
        await books.did("DELIVERED", send, anna, ordinal=ordinal, minute=ordinal, channel=channel)
    for query, kind, member in (
        ("email=anna@example.com", "email", "email"),
        ("sms=380501112233", "sms", "sms"),
        ("webPushToken=web-1", "webpush", "webPushToken"),
        ("mobPushToken=fcm-1", "mobilepush", "mobPushToken"),
        ("messageTag=promo", "sms", "sms"),
    ):
        (row,) = data(await books.api.get(f"/api/v2/contacts/activity?{MARCH}&{query}"))
        assert row["mediaType"] == kind, query
        assert row[member]
        assert not {"email", "sms", "webPushToken", "mobPushToken"} - {member} & row.keys()


async def test_activity_follows_the_offset_of_the_last_row_seen(books: Books) -> None:
    anna = await books.person("anna@example.com")
    send = await books.send()
    await books.ledger(send, anna, "anna@example.com")
    for minute in range(5):
        await books.did("READ", send, anna, minute=minute)
    everything = data(await books.api.get(f"/api/v2/contacts/activity?{MARCH}"))
    assert len(everything) == 5
    seen: list[Any] = []
    offset = ""
    while page := data(await books.api.get(f"/api/v2/contacts/activity?{MARCH}&maxrows=2&offset={offset}")):
        assert len(page) <= 2
        seen += page
        offset = page[-1]["offset"]
    assert seen == everything


async def test_a_subscription_change_tells_the_categories_in_status_data(books: Books) -> None:
    anna = await books.person("anna@example.com")
    send = await books.send()
    await books.ledger(send, anna, "anna@example.com")
    await books.did("SUBSCRIPTION_CHANGED", send, anna, meta={"subscriptions": ["news"]})
    (row,) = data(await books.api.get(f"/api/v2/contacts/activity?{MARCH}"))
    assert row["statusData"] == {"subscription": {"subscriptions": ["news"]}}


async def test_only_what_was_not_delivered_has_a_description(books: Books) -> None:
    anna = await books.person("anna@example.com")
    send = await books.send()
    await books.ledger(send, anna, "anna@example.com")
    await books.did("UNDELIVERED", send, anna, detail="550 no such user")
    await books.did("DELIVERED", send, anna, minute=1, detail="250 fine")
    undelivered, delivered = data(await books.api.get(f"/api/v2/contacts/activity?{MARCH}"))
    assert "550 no such user" in undelivered["statusDescription"]
    assert "statusDescription" not in delivered


async def test_where_activity_is_off_the_refusal_is_the_known_sentence(api: Api) -> None:
    await api.rows(
        "update organisation set settings = '{\"contact_activity\": false}' where org_id = %(org_id)s"
    )
    answer = await api.get(f"/api/v2/contacts/activity?{MARCH}")
    assert refused(answer, 400) == "Contact support to enable ContactActivity."


# 11.4


async def test_a_history_has_the_members_of_the_example(books: Books) -> None:
    anna = await books.person("anna@example.com", phone="380501112233", external_id="CRM-1001")
    send = await books.send(tags=("promo",))
    await books.ledger(send, anna, "anna@example.com")
    await books.did("READ", send, anna, minute=2)
    for who in (
        f"contactId={anna}",
        "externalCustomerId=CRM-1001",
        "email=Anna@Example.com",
        "phone=%2B380501112233",
    ):
        (row,) = data(await books.api.get(f"/api/v2/contacts/messages?{MARCH}&{who}"))
        assert row.pop("viewMessageLink").startswith("http://perigee.test/v/")
        assert row == {
            "contactId": anna,
            "email": "anna@example.com",
            "messageId": 2345001,
            "messageInstanceId": send,
            "messageTags": ["promo"],
            "channelType": "email",
            "sentDateTime": "2026-03-10T09:00:00",
            "activityStatus": "READ",
            "from": "news@shop.example.com",
            "subject": "News for friend",
        }


@pytest.mark.parametrize("channel", ["sms", "viber"])
async def test_short_messages_have_a_phone_and_their_text(books: Books, channel: str) -> None:
    anna = await books.person(phone="380501112233")
    send = await books.send(channel, versions={"en": {"from": "Shop", "text": "Your code: 7"}}, sender="Shop")
    await books.ledger(send, anna, "380501112233")
    (row,) = data(await books.api.get(f"/api/v2/contacts/messages?{MARCH}&contactId={anna}"))
    assert (row["phone"], row["text"], row["channelType"]) == ("380501112233", "Your code: 7", channel)
    assert not {"email", "subject"} & row.keys()


async def test_a_history_has_ten_rows_unless_told_and_a_hundred_at_most_and_is_skipped_from_zero(
    books: Books,
) -> None:
    anna = await books.person("anna@example.com", phone="380501112233")
    sends = {
        "email": await books.send(),
        "sms": await books.send("sms", versions={"en": {"from": "S", "text": "Hi"}}),
    }
    await books.sql(
        "insert into delivery (org_id, send_started_at, send_id, ordinal, contact_id, address, outcome, language, at)"
        " select org_id, started_at, send_id, n, %(c)s, null, 'sent', 'en', started_at + n * interval '1 minute'"
        " from send, generate_series(1, 101) n where org_id = %(org)s and send_id = %(s)s",
        c=anna,
        s=sends["email"],
    )
    await books.ledger(sends["sms"], anna, "380501112233", minute=300)
    path = f"/api/v2/contacts/messages?{MARCH}&contactId={anna}"
    everything = data(await books.api.get(f"{path}&maxrows=100"))
    for query, rows in (
        ("", everything[:10]),
        ("&maxrows=9", everything[:9]),
        ("&maxrows=11", everything[:11]),
        ("&maxrows=99", everything[:99]),
        ("&maxrows=101", everything),
        ("&offset=0", everything[:10]),
        ("&offset=1", everything[1:11]),
        ("&channelTypes=sms", everything[:1]),
        ("&channelTypes=email", everything[1:11]),
        ("&channelTypes=sms,%20email&maxrows=3", everything[:3]),
        ("&channelTypes=viber", []),
    ):
        assert data(await books.api.get(path + query)) == rows, query
    assert len(everything) == 100
    assert len(data(await books.api.get(f"{path}&offset=100"))) == 2


async def test_a_history_wants_dates_and_one_person(api: Api) -> None:
    path = "/api/v2/contacts/messages"
    refused(await api.get(f"{path}?dateTo=2026-03-31&contactId=1"), 400, "dateFrom")
    refused(await api.get(f"{path}?dateFrom=2026-03-01&contactId=1"), 400, "dateTo")
    refused(await api.get(f"{path}?{MARCH}"), 400, "contactId, externalCustomerId, email, phone")
    refused(await api.get(f"{path}?{MARCH}&contactId=1&phone=380501112233"), 400, "exactly one")


@pytest.mark.parametrize("facts", [{"kind": "test"}, {"kind": "single", "message_id": None}])
async def test_tests_and_messages_without_a_template_have_ids_of_zero(
    books: Books, facts: dict[str, Any]
) -> None:
    anna = await books.person("anna@example.com")
    await books.ledger(await books.send(**facts), anna, "anna@example.com")
    (row,) = data(await books.api.get(f"/api/v2/contacts/messages?{MARCH}&contactId={anna}"))
    assert (row["messageId"], row["messageInstanceId"]) == (0, 0)


# 11.5


async def source(api: Api, kind: str) -> int:
    answer = await api.post("/api/v4/recommendation-sources", {"name": kind, "kind": kind, "settings": {}})
    assert answer.status_code == 201, answer.text
    return int(answer.json()["source_id"])


async def sold(api: Api, *products: str) -> None:
    """One customer bought all of these mugs together."""
    order = {
        "externalOrderId": "SO-1001",
        "email": "bo@example.com",
        "totalCost": 9.5,
        "status": "DELIVERED",
        "date": "2026-11-01T00:00:00Z",
        "items": [{"externalItemId": one, "quantity": 1, "category": "Mugs"} for one in products],
    }
    ok(await api.post("/api/v1/orders", {"orders": [order]}))
    await api.rows("update orders set ordered_at = now() - interval '1 day' where org_id = %(org_id)s")


async def test_recommendations_have_the_members_of_the_example_for_whoever_asks(api: Api) -> None:
    row = ProductRow(
        product_id="SKU-1",
        name="Mug",
        url="https://shop.example.com/mug",
        image_url=None,
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
    anna = await add(api, "anna@example.com")
    await sold(api, "SKU-1")
    path = f"/api/v2/contacts/recoms/{await source(api, 'best_sellers')}"
    for who in (
        f"contactId={anna}",
        "email=anna@example.com",
        "phone=380501112233",
        "externalCustomerId=CRM-1001",
        "webId=visitor-1",
    ):
        assert data(await api.get(f"{path}?{who}")) == [
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
        ], who


async def test_recommendations_take_products_as_array_text_and_a_category(api: Api) -> None:
    await sold(api, "SKU-1", "SKU-2")
    together, best = await source(api, "bought_together"), await source(api, "best_sellers")
    for products in ('["SKU-1"]', "SKU-1"):
        answer = await api.get(
            f"/api/v2/contacts/recoms/{together}", params={"webId": "visitor-1", "products": products}
        )
        assert [product["id"] for product in data(answer)] == ["SKU-2"]
    for category, count in (("Mugs", 2), ("Plates", 0)):
        rows = data(await api.get(f"/api/v2/contacts/recoms/{best}?webId=visitor-1&category={category}"))
        assert len(rows) == count


async def test_recommendations_for_nobody_or_of_no_source_are_refused(api: Api) -> None:
    refused(await api.get(f"/api/v2/contacts/recoms/{await source(api, 'best_sellers')}"), 400, "webId")
    refused(await api.get("/api/v2/contacts/recoms/1?email=anna@example.com"), 404)


# 11.6


async def test_a_push_token_leads_to_its_contact(api: Api) -> None:
    device = {"type": "mobilepush", "value": "fcm-token-1", "device": {"appId": APP}}
    anna = data(await api.post("/api/v1/contact", {"channels": [device]}))["id"]
    assert data(await api.get(f"/api/v1/contact/token/{APP}/fcm-token-1/contactId")) == {"id": anna}


async def test_a_push_token_of_nobody_is_not_found(api: Api) -> None:
    refused(await api.get(f"/api/v1/contact/token/{APP}/fcm-token-1/contactId"), 404)


# Limits of section 5


class TestRates:
    @pytest.fixture
    def settings(self) -> Settings:
        return dataclasses.replace(
            SETTINGS, rate_contact_search=2, rate_contact_by_token=2, rate_message_history=2
        )

    @pytest.mark.parametrize(
        "path",
        ["v1/contacts", f"v1/contact/token/{APP}/x/contactId", f"v2/contacts/messages?{MARCH}&contactId=1"],
    )
    async def test_methods_with_a_rate_of_their_own_say_when_it_is_used_up(self, api: Api, path: str) -> None:
        statuses = []
        for _ in range(40):
            answer = await api.get(f"/api/{path}")
            statuses.append(answer.status_code)
            if answer.status_code == 429:
                break
        assert statuses[0] in (200, 404)
        refused(answer, 429)
        assert int(answer.headers["Retry-After"]) >= 1
        ok(await api.get("/api/v1/account/info"))


def test_the_default_rates_are_those_of_the_contract() -> None:
    defaults = Settings(home=SETTINGS.home, secret_key="-")
    assert defaults.rate_contact_search == 50
    assert defaults.rate_contact_by_token == 150
    assert defaults.rate_message_history == 10
    assert defaults.max_activity_rows == 25_000
