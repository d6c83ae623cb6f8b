"""Bad input on the wire: the contract's answer, a body that names field and rule, never a 500, nothing half-written."""

from __future__ import annotations

import gzip
import json
import re
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from perigee.http import routes
from perigee.testing import places
from perigee.testing.api import Api

ANNA = {"channels": [{"type": "email", "value": "anna@example.com"}]}
ORDER = {
    "externalOrderId": "SO-1",
    "totalCost": 10,
    "status": "DELIVERED",
    "date": "2025-05-04T10:11:10Z",
    "currency": "EUR",
    "email": "anna@example.com",
}
EMAIL = {"name": "Hello", "from": '"Shop" <news@example.com>', "subject": "Hi", "htmlText": "<p>Hi</p>"}
HEADERS = {"Content-Type": "application/json"}


async def counts(api: Api) -> dict[str, int]:
    """Rows of every table that belongs to an organisation, and of the queue of jobs."""
    tables = await api.rows(
        "select table_name from information_schema.columns where table_schema = 'public' "
        "and column_name = 'org_id' and %(org_id)s > 0 order by 1"
    )
    found = {}
    async with api.db.connection() as connection:
        for (name,) in [*tables, ("procrastinate_jobs",)]:
            query = sql.SQL("select count(*) from {}").format(sql.Identifier(name))
            row = await (await connection.execute(query)).fetchone()
            assert row is not None
            found[name] = int(row[0])
    return found


def refused(answer: httpx.Response, status: int, *words: str) -> None:
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body["status"] == status
    for word in words:
        assert word in body["message"], body


MALFORMED = {
    "nothing": b"",
    "cut off": b'{"channels": [',
    "two documents": b"{}{}",
    "single quotes": b"{'a': 1}",
    "NaN": b'{"channels": NaN}',
    "Infinity": b'{"channels": [Infinity]}',
    "not UTF-8": b'{"a": "\xff\xfe"}',
    "a list": b"[]",
    "a number": b"5",
    "deep": b"[" * 10_000,
    "deep and closed": b'{"channels":' + b"[" * 40 + b"]" * 40 + b"}",
}
WRITES = (
    "contact",
    "contact/subscribe",
    "contacts",
    "orders",
    "event",
    "past_events",
    "emails/unsubscribed/add",
    "messages/email",
    "messages/appinbox",
    "site/domains",
    "site/webpush/domain",
)


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
async def test_malformed_bodies_are_400_everywhere_and_leave_nothing(api: Api, body: bytes) -> None:
    before = await counts(api)
    for path in WRITES:
        answer = await api.post(f"/api/v1/{path}", content=body, headers=HEADERS)
        assert answer.status_code == 400, (path, answer.text)
        assert answer.json()["message"]
    assert await counts(api) == before


TOO_MANY = {
    "3001 contacts": ("contacts", {"contacts": [ANNA] * 3001, "dedupeOn": "email"}, ("contacts", "3000")),
    "1001 orders": ("orders", {"orders": [ORDER] * 1001}, ("orders", "1000")),
    "501 past events": (
        "past_events",
        {"events": [{"eventTypeKey": "x", "keyValue": "y"}] * 501},
        ("events", "500"),
    ),
}


@pytest.mark.parametrize("case", TOO_MANY.values(), ids=TOO_MANY.keys())
async def test_too_many_elements_are_refused_whole(api: Api, case: tuple[str, Any, tuple[str, str]]) -> None:
    path, body, words = case
    before = await counts(api)
    answer = await api.post(f"/api/v1/{path}", body)
    assert answer.status_code == 400, answer.text
    text = answer.json()["message"].replace(",", "")
    assert all(word in text for word in words), text
    assert await counts(api) == before


async def test_501_ids_are_refused_and_500_are_not(api: Api) -> None:
    added = await api.post("/api/v1/contact", {**ANNA, "groups": {"name": "News"}})
    (group,) = (await api.get("/api/v1/groups")).json()
    before = await counts(api)
    for action in ("attach", "detach"):
        path = f"/api/v1/group/{group['id']}/contacts/{action}"
        refused(await api.post(path, {"contactIds": list(range(1, 502))}), 400, "500")
        refused(await api.post(path, {"externalCustomerIds": [f"C-{n}" for n in range(501)]}), 400, "500")
        assert await counts(api) == before
    path = f"/api/v1/group/{group['id']}/contacts/detach"
    assert (await api.post(path, {"contactIds": list(range(1, 501))})).status_code == 200
    assert added.status_code == 200


REFUSALS: list[tuple[str, Any, str]] = [
    ("contact", {}, "channels"),
    ("contact", {"channels": "anna@example.com"}, "channels"),
    ("contact", {"channels": [{"type": "pigeon", "value": "x"}]}, "type"),
    ("contact", {"channels": [{"type": "email", "value": "bad@@example"}]}, "not valid email"),
    ("contact", {"channels": [{"type": "email", "value": "a@example.com\r\nBcc: b@example.com"}]}, "email"),
    ("contact", {**ANNA, "fields": [{"id": "x", "value": 1}]}, "fields"),
    ("contact", {**ANNA, "firstName": {"a": 1}}, "firstName"),
    ("contact", {**ANNA, "firstName": "12345"}, "firstName"),
    ("contacts", {"contacts": "x", "dedupeOn": "email"}, "contacts"),
    ("contacts", {"contacts": [ANNA], "dedupeOn": "shoe size"}, "dedupeOn"),
    ("contacts", {"dedupeOn": "email"}, "contacts"),
    ("orders", {}, "orders"),
    ("event", {"keyValue": "x"}, "eventTypeKey"),
    ("event", {"eventTypeKey": "a<b", "keyValue": "x"}, "eventTypeKey"),
    ("emails/unsubscribed/add", {"emails": {"a": 1}}, "emails"),
    ("emails/unsubscribed/add", {}, "emails"),
    ("messages/email", {**EMAIL, "name": None}, "name"),
    ("messages/email", {**EMAIL, "from": "news@example.com"}, "from"),
    ("messages/email", {**EMAIL, "subject": "Hi\r\nBcc: b@example.com"}, "subject"),
    ("messages/email", {**EMAIL, "from": '"Shop\r\nBcc: x" <news@example.com>'}, "from"),
    ("messages/email", {**EMAIL, "from": '"Shop" <news@example.com\r\nX: y>'}, "from"),
    ("messages/email", {**EMAIL, "htmlText": {"a": 1}}, "htmlText"),
    ("messages/sms", {"name": "x", "text": "x"}, "from"),
    ("messages/appinbox", {"name": "x", "title": [], "text": "x"}, "title"),
    ("messages/appinbox", {"name": "x", "title": "x", "text": "x", "ttlSec": 2**63}, "ttlSec"),
    ("messages/appinbox", {"name": "x", "title": "x", "text": "x", "customData": "{"}, "customData"),
    ("site/domains", {"domain": "no domain"}, "domain"),
    ("site/domains", {"domain": "shop.example.com\r\nX: y"}, "domain"),
    ("site/webpush/domain", {"domain": "https://shop.example.com"}, "serviceWorkerName"),
]


@pytest.mark.parametrize(("path", "body", "word"), REFUSALS)
async def test_refusals_name_the_field_and_leave_nothing(api: Api, path: str, body: Any, word: str) -> None:
    before = await counts(api)
    refused(await api.post(f"/api/v1/{path}", body), 400, word)
    assert await counts(api) == before


@pytest.mark.parametrize("number", ["1e400", "-1e400", str(2**63), "9" * 400, "1e-400"])
async def test_numbers_out_of_range_never_fail_us(api: Api, number: str) -> None:
    for path, body in (
        ("contact", '{"channels":[{"type":"email","value":%s}]}'),
        (
            "contact",
            '{"channels":[{"type":"email","value":"a@example.com"}],"fields":[{"id":%s,"value":"x"}]}',
        ),
        (
            "orders",
            '{"orders":[{"externalOrderId":"1","totalCost":%s,"status":"NEW","date":"2025-01-01",'
            '"currency":"EUR","email":"a@example.com"}]}',
        ),
        ("event", '{"eventTypeKey":"x","keyValue":"y","params":{"n":%s}}'),
        ("messages/appinbox", '{"name":"x","title":"x","text":"x","ttlSec":%s}'),
        ("group/%s/contacts/attach", '{"contactIds":[1]}'),
    ):
        if "%s" in path:
            path, body = path % number, body + "%.0s"
        answer = await api.post(f"/api/v1/{path}", content=body % number, headers=HEADERS)
        assert answer.status_code in (200, 400, 404), (path, answer.text)


async def test_nul_and_lone_surrogates_never_reach_the_database(api: Api) -> None:
    bodies = {
        "contact": rb'{"channels":[{"type":"email","value":"a@example.com"}],"firstName":"An\u0000na \ud800",'
        rb'"externalCustomerId":"a\u0000b\udfff","address":{"town":"x\u0000"},"contactKey":"\ud83d"}',
        "contacts": rb'{"contacts":[{"channels":[{"type":"email","value":"b@example.com"}],'
        rb'"lastName":"K\u0000o"}],"dedupeOn":"email","groupNames":["a\u0000b\ud800"]}',
        "orders": rb'{"orders":[{"externalOrderId":"o\u0000\ud800","totalCost":1,"status":"N\u0000",'
        rb'"date":"2025-01-01","currency":"EUR","email":"a@example.com","extra":{"k\u0000":"\ud800"}}]}',
        "event": rb'{"eventTypeKey":"t\u0000","keyValue":"k\ud800","params":{"a\u0000":["\ud800\u0000"]}}',
        "messages/email": rb'{"name":"x\u0000\ud800","from":"\"S\" <a@example.com>","subject":"s\u0000",'
        rb'"htmlText":"<p>\u0000\ud800</p>","tags":["t\u0000"]}',
        "messages/appinbox": rb'{"name":"x","title":"t\u0000","text":"\ud800","customData":"{\"a\":\"\u0000\"}"}',
        "messages/telegram": rb'{"name":"x","text":"t\u0000","buttons":[{"text":"\u0000","link":"\ud800"}]}',
        "site/domains": rb'{"domain":"shop\u0000.example.com"}',
    }
    for path, body in bodies.items():
        answer = await api.post(f"/api/v1/{path}", content=body, headers=HEADERS)
        assert answer.status_code in (200, 201, 400), (path, answer.text)
    await api.run_jobs()
    for path in ("contacts", "groups", "messages/email", "messages/appinbox", "messages/telegram"):
        answer = await api.get(f"/api/v1/{path}")
        assert answer.status_code == 200
        assert "\\u0000" not in answer.text
        assert "\\ud8" not in answer.text
    for name in (
        "name=%00",
        "name=%FF",
        "startindex=x",
        "maxrows=-1",
        "startindex=9999999999",
        "maxrows=1e9",
    ):
        assert (await api.get(f"/api/v1/groups?{name}")).status_code in (200, 400), name
    for path in ("contacts?firstname", "contacts?email", "messages/email?search", "contacts/email?ids"):
        assert (await api.get(f"/api/v1/{path}=%00%FF")).status_code in (200, 400), path


async def test_line_breaks_in_names_do_not_survive(api: Api) -> None:
    contact = {**ANNA, "firstName": "Anna\r\nBcc: x", "groups": [{"name": "News\r\nLetter"}]}
    answer = await api.post("/api/v1/contact", contact)
    if answer.status_code == 200:
        read = (await api.get(f"/api/v1/contact/{answer.json()['id']}")).json()
        assert not {"\r", "\n"} & set(read["firstName"] + read["groups"][0]["name"])
    else:
        refused(answer, 400, "firstName")


UNKNOWN: list[tuple[str, str, Any]] = [
    ("GET", "contact/999", None),
    ("PUT", "contact/999", {"firstName": "Anna"}),
    ("DELETE", "contact/999", None),
    ("DELETE", "contact?externalCustomerId=nobody", None),
    ("GET", "contact/999/subscriptions", None),
    ("PUT", "contact/999/subscriptions", {"subscriptions": []}),
    ("GET", "group/999/contacts", None),
    ("POST", "group/999/contacts/attach", {"contactIds": [1]}),
    ("POST", "group/999/contacts/detach", None),
    ("GET", "importstatus/999", None),
    ("GET", "messages/appinbox/999", None),
    ("PUT", "messages/email/999", EMAIL),
    ("DELETE", "messages/email/999/uk", None),
    ("GET", f"messages/email/{10**30}", None),
    ("GET", f"group/{2**63}/contacts", None),
    ("GET", f"contact/{2**63}", None),
    ("DELETE", f"messages/sms/{2**63}", None),
]


@pytest.mark.parametrize(("method", "path", "body"), UNKNOWN)
async def test_unknown_ids_are_404(api: Api, method: str, path: str, body: Any) -> None:
    before = await counts(api)
    refused(await api.call(method, f"/api/v1/{path}", body), 404)
    assert await counts(api) == before


@pytest.mark.parametrize("path", ["contact", "contacts", "orders", "event", "messages/email", "site/domains"])
async def test_huge_bodies_are_413_packed_or_not(api: Api, path: str) -> None:
    before = await counts(api)
    huge = b'{"a": "' + b"x" * (65 * 1024 * 1024) + b'"}'
    packed = gzip.compress(huge, 1)
    refused(await api.post(f"/api/v1/{path}", content=huge, headers=HEADERS), 413, "body", "bytes")
    bomb = {**HEADERS, "Content-Encoding": "gzip"}
    refused(await api.post(f"/api/v1/{path}", content=packed, headers=bomb), 413, "body", "bytes")
    assert await counts(api) == before


async def test_bad_elements_do_not_hurt_their_neighbours(api: Api) -> None:
    bad: list[Any] = [
        {"channels": [{"type": "email", "value": "bad@@example"}]},
        {"channels": []},
        {"firstName": "Nobody"},
        "no contact",
        7,
    ]
    good = [{"channels": [{"type": "email", "value": f"p{n}@example.com"}]} for n in range(5)]
    mixed = [contact for pair in zip(good, bad, strict=True) for contact in pair]
    answer = await api.post("/api/v1/contacts", {"contacts": mixed, "dedupeOn": "email"})
    assert answer.status_code == 200, answer.text
    failed = answer.json()["failedContacts"]
    assert len(failed) == len(bad)
    assert all(element["error"] for element in failed)
    await api.run_jobs()
    stored = await api.rows("select email from contact where org_id = %(org_id)s order by 1")
    assert [email for (email,) in stored] == [f"p{n}@example.com" for n in range(5)]
    answer = await api.post("/api/v1/orders", {"orders": [ORDER, "x", {"externalOrderId": "SO-2"}, None]})
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["failedOrders"]) >= 2
    assert len(await api.rows("select 1 from orders where org_id = %(org_id)s")) == 1


# Anything at all ------------------------------------------------------------------------------------------------

NAMES = st.sampled_from(
    [
        "channels",
        "contacts",
        "orders",
        "events",
        "emails",
        "contact",
        "groups",
        "fields",
        "value",
        "type",
        "id",
        "name",
        "params",
        "subject",
        "from",
        "htmlText",
        "text",
        "title",
        "contactIds",
        "externalCustomerIds",
        "dedupeOn",
        "eventTypeKey",
        "keyValue",
        "domain",
        "domains",
        "tags",
        "translations",
        "languageCode",
        "active",
        "condition",
        "kind",
        "segment_ids",
        "message_id",
        "content",
        "channel",
        "all",
        "any",
        "field",
        "op",
        "at",
        "email",
    ]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64)
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.sampled_from(["email", "anna@example.com", "2025-05-04T10:11", "1", "uk", "<p>{{ x", "%X|", "\x00"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=12,
)
BODIES = st.dictionaries(NAMES, VALUES, max_size=6) | VALUES
WRITERS = [
    (operation.method, operation.face.prefix + operation.path)
    for operation in routes.operations()
    if operation.method in ("POST", "PUT", "PATCH")
]


@pytest.fixture
async def paths(api: Api) -> list[tuple[str, str]]:
    """Every writing method, its path filled with ids that exist."""
    contact = await api.post("/api/v1/contact", {**ANNA, "groups": {"name": "News"}})
    (group,) = (await api.get("/api/v1/groups")).json()
    message = await api.post("/api/v1/messages/email", EMAIL)
    campaign = await api.post(
        "/api/v4/campaigns",
        {"message_id": message.json()["id"], "include": [group["id"]]},
    )
    ids = {
        "contact_id": contact.json()["id"],
        "segment_id": group["id"],
        "message_id": message.json()["id"],
        "campaign_id": campaign.json()["campaign_id"],
        "category_id": 1,
        "event_type_id": 1,
    }
    found = []
    for method, path in WRITERS:
        for name, number in ids.items():
            path = path.replace(f"{{{name}:int}}", str(number))
        found.append((method, places.filled(path)))
    return found


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(body=BODIES)
async def test_any_json_to_any_method_is_no_fault_of_ours(
    api: Api, paths: list[tuple[str, str]], body: Any
) -> None:
    sent = json.dumps(body)
    for method, path in paths:
        answer = await api.call(method, path, content=sent, headers=HEADERS)
        assert answer.status_code < 500, (method, path, sent, answer.text)


GOOD: list[tuple[str, dict[str, Any]]] = [
    ("/api/v1/contact", {**ANNA, "firstName": "Anna", "externalCustomerId": "1", "address": {"town": "X"}}),
    ("/api/v1/contact/subscribe", {"contact": ANNA, "groups": ["x"], "subscriptions": [], "formType": "x"}),
    ("/api/v1/contacts", {"contacts": [ANNA], "dedupeOn": "email", "groupNames": ["x"], "contactFields": []}),
    ("/api/v1/orders", {"orders": [ORDER]}),
    ("/api/v1/event", {"eventTypeKey": "x", "keyValue": "y", "params": [{"name": "a", "value": "b"}]}),
    ("/api/v3/event", {"eventTypeKey": "x", "keyValue": "y", "params": {"Email": "anna@example.com"}}),
    ("/api/v2/past_events", {"events": [{"eventTypeKey": "x", "keyValue": "y", "occurred": "2026-01-01"}]}),
    ("/api/v1/messages/email", {**EMAIL, "css": "a{}", "tags": ["x"], "languageCode": "en"}),
    ("/api/v1/messages/mobilepush", {"name": "x", "title": "x", "text": "x", "buttons": [], "ttlSec": 5}),
    ("/api/v4/contacts", {"email": "anna@example.com", "first_name": "Anna", "fields": {}}),
    ("/api/v4/segments", {"name": "x", "kind": "dynamic", "condition": {"all": []}}),
    ("/api/v4/messages", {"channel": "sms", "name": "x", "content": {"from": "X", "text": "x"}}),
]


def members(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The place of every member of a document."""
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for step, inner in steps for found in ((*place, step), *members(inner, (*place, step)))]


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(value=VALUES, data=st.data())
async def test_a_good_document_with_one_strange_member_is_no_fault_of_ours(
    api: Api, value: Any, data: st.DataObject
) -> None:
    for path, good in GOOD:
        body = json.loads(json.dumps(good))
        *way, last = data.draw(st.sampled_from(members(good)))
        inner = body
        for step in way:
            inner = inner[step]
        inner[last] = value
        answer = await api.post(path, content=json.dumps(body), headers=HEADERS)
        assert answer.status_code < 500, (path, body, answer.text)


STRANGE = (
    "%00",
    "%FF",
    "x",
    "-1",
    "9" * 30,
    "1e400",
    "NaN",
    "%F0%9F%98%80",
    "a" * 300,
    "2025-13-40",
    "%ED%A0%80",
)
QUERIES = (
    "startindex maxrows name search email sms firstname lastname externalCustomerId sortBy ids orderByTs asc erase "
    "from to domain cursor limit channel outcome external_id phone contact_id status kind address"
)


async def test_strange_queries_and_names_in_paths_are_no_fault_of_ours(api: Api) -> None:
    for operation in routes.operations():
        path = re.sub(r"\{\w+:int\}", "1", operation.face.prefix + operation.path)
        if operation.method in ("GET", "DELETE"):
            for value in STRANGE:
                for place in {re.sub(r"\{\w+:str\}", text, path) for text in ("uk", value)}:
                    query = "&".join(f"{name}={value}" for name in QUERIES.split())
                    answer = await api.call(operation.method, f"{place}?{query}")
                    assert answer.status_code < 500, (operation.path, value, answer.text)
                    for name in QUERIES.split() if value in STRANGE[:2] else ():
                        answer = await api.call(operation.method, f"{place}?{name}={value}")
                        assert answer.status_code < 500, (operation.path, name, value, answer.text)
