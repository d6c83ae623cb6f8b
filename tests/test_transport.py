"""The old wire's transport: who may call, in which forms, and how answers look (contract 2, 4, 6, 25)."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pytest

from perigee.accounts.keys import create_api_key
from perigee.accounts.rights import ACCESS, Right
from perigee.http import routes
from perigee.http.operation import Operation
from perigee.keys import Keys
from perigee.testing import places
from perigee.testing.api import SECRET, Api, make_organisation

JSON = "application/json;charset=UTF-8"
APP = "11111111-2222-3333-4444-555555555555"
ANNA = {"channels": [{"type": "email", "value": "anna@example.com"}]}


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


async def key_of(api: Api, access: str) -> str:
    async with api.db.transaction() as connection:
        _, key = await create_api_key(
            connection, api.org_id, Keys.of(SECRET).pepper, description=access, access=access
        )
    return key


@pytest.mark.parametrize("user", ["", "user", "api-user", "Example Shop", "owner@example.com", "Ганна"])
async def test_any_user_name_will_do(api: Api, user: str) -> None:
    answer = await api.get("/api/v1/account/info", key="", headers=basic(user, api.key))
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Basic",
        "Basic !!!",
        "Basic /w==",
        "Basic Og==",
        "Bearer",
        "Bearer x",
        "Digest x",
        "Basic " + "A" * 9000,
    ],
)
async def test_wrong_credentials_are_401_that_says_so_in_the_body(api: Api, authorization: str) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    answer = await api.get("/api/v1/account/info", key="", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith('Basic realm="')
    assert answer.headers["content-type"] == JSON
    body = answer.json()
    assert set(body) == {"timestamp", "status", "error", "message", "path"}
    assert (body["status"], body["error"]) == (401, "Unauthorized")


async def test_a_switched_off_key_is_refused(api: Api) -> None:
    key = await key_of(api, "full")
    await api.rows("update api_key set enabled = false where org_id = %(org_id)s and description = 'full'")
    assert (await api.get("/api/v1/account/info", key=key)).status_code == 401
    assert (await api.get("/api/v1/account/info")).status_code == 200


@pytest.mark.parametrize("form", ["/api/v1{}/", "/api//v1{}", "//api/v1{}", "/api/v1{}//", "/api{}"])
async def test_slashes_and_a_missing_version_change_nothing(api: Api, form: str) -> None:
    def path(rest: str) -> str:
        return "http://perigee.test" + form.format(rest)

    added = await api.post(path("/contact"), ANNA)
    assert added.status_code == 200
    one = path(f"/contact/{added.json()['id']}")
    changed = await api.put(one, {"firstName": "Anna"})
    assert changed.text == f"Contact with id='{added.json()['id']}' has been updated"
    assert (await api.get(one)).json()["firstName"] == "Anna"
    removed = await api.delete(one)
    assert removed.text == f"Contact with id='{added.json()['id']}' has been deleted"
    assert removed.headers["content-type"] == JSON


@pytest.mark.parametrize("body", [b"[]", b"{}", b"not JSON at all"])
async def test_a_body_on_get_is_ignored(api: Api, body: bytes) -> None:
    answer = await api.get("/api/v1/contacts", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()) == (200, [])


@pytest.mark.parametrize("accept", ["application/json; charset=UTF-8", "*/*", "text/plain", "image/png", ""])
async def test_accept_never_matters(api: Api, accept: str) -> None:
    assert (await api.get("/api/v1/account/info", headers={"Accept": accept})).status_code == 200


@pytest.mark.parametrize(
    "contact",
    [
        {"channels": {"type": "email", "value": "anna@example.com"}, "groups": {"name": "News"}},
        {**ANNA, "externalCustomerId": 1001, "fields": [], "address": None, "id": None, "phone": "x"},
        {**ANNA, "id": "12345", "firstName": " ", "ordersInfo": None, "languageCode": ""},
    ],
)
async def test_what_lenient_clients_send_is_a_contact(api: Api, contact: Any) -> None:
    assert (await api.post("/api/v1/contact", contact)).status_code == 200


@pytest.mark.parametrize("charset", ["", "; charset=UTF-8", ";charset=utf-8"])
async def test_json_with_or_without_charset(api: Api, charset: str) -> None:
    headers = {"Content-Type": "application/json" + charset}
    answer = await api.post("/api/v1/contact", content=json.dumps(ANNA), headers=headers)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/xml"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/json", "Content-Encoding": "br"},
    ],
)
async def test_other_content_is_415(api: Api, headers: dict[str, str]) -> None:
    answer = await api.post("/api/v1/contact", content=json.dumps(ANNA), headers=headers)
    assert (answer.status_code, answer.json()["status"]) == (415, 415)
    assert await api.rows("select 1 from contact where org_id = %(org_id)s") == []


async def test_gzip_bodies_are_unpacked(api: Api) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    packed = gzip.compress(json.dumps(ANNA).encode())
    assert (await api.post("/api/v1/contact", content=packed, headers=headers)).status_code == 200
    for broken in (packed[:-9], b"plain"):
        answer = await api.post("/api/v1/contact", content=broken, headers=headers)
        assert (answer.status_code, "gzip" in answer.json()["message"]) == (400, True)


@pytest.mark.parametrize("path", ["/api/v1/contact", "/api/v1/group/1/contacts/", "/api/anything"])
async def test_options_needs_no_credentials(api: Api, path: str) -> None:
    answer = await api.call("OPTIONS", path, key="")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["access-control-allow-methods"] == "POST, GET, PUT, OPTIONS, DELETE"
    assert answer.headers["access-control-max-age"] == "3600"
    assert "Authorization" in answer.headers["access-control-allow-headers"]
    assert "TotalCount" in answer.headers["access-control-expose-headers"]


async def test_only_chosen_origins_may_call_with_credentials(api: Api) -> None:
    answer = await api.get("/api/v1/version", headers={"Origin": "https://evil.example.com"})
    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(("method", "path"), [("PATCH", "/api/v1/contact"), ("DELETE", "/api/v1/groups")])
async def test_a_wrong_method_is_405(api: Api, method: str, path: str) -> None:
    answer = await api.call(method, path)
    assert (answer.status_code, answer.json()["status"], answer.json()["path"]) == (405, 405, path)


async def test_an_unknown_path_is_404_in_the_envelope(api: Api) -> None:
    answer = await api.get("/api/v1/nothing")
    assert (answer.status_code, answer.headers["content-type"]) == (404, JSON)
    assert answer.json().items() >= {"status": 404, "error": "Not Found", "path": "/api/v1/nothing"}.items()


# Rights ---------------------------------------------------------------------------------------------------------


def filled(operation: Operation) -> str:
    """The path with an id or name in every place."""
    return places.filled(operation.face.prefix + operation.path)


OPERATIONS = routes.operations()


@pytest.mark.parametrize("access", sorted(ACCESS.keys() - {"full", "event_token"}))
async def test_a_level_opens_its_groups_and_nothing_else(api: Api, access: str) -> None:
    key = await key_of(api, access)
    for operation in OPERATIONS:
        answer = await api.call(operation.method, filled(operation), key=key)
        allowed = operation.right in ACCESS[access]
        assert (answer.status_code != 403) == allowed, (operation.method, operation.path, answer.text)
        assert answer.status_code != 401


@pytest.mark.parametrize(
    ("access", "method", "path", "allowed"),
    [
        ("events", "GET", "/v1/account/info", True),
        ("events", "GET", "/v1/subscriptions", True),
        ("events", "GET", "/v1/addressbooks", True),
        ("events", "GET", "/v1/messages/email", True),
        ("events", "GET", "/v1/messages/sms", True),
        ("events", "GET", "/v1/messages/viber", False),
        ("events", "POST", "/v2/event", True),
        ("events", "DELETE", "/v1/past_events", True),
        ("events", "GET", "/v1/contacts", False),
        ("events", "POST", "/v1/contact", False),
        ("events", "POST", "/v1/orders", False),
        ("events_contacts", "GET", "/v1/contacts", True),
        ("events_contacts", "POST", "/v1/contacts", True),
        ("events_contacts", "POST", "/v1/group/1/contacts/attach", True),
        ("events_contacts", "POST", "/v1/orders", False),
        ("events_contacts", "POST", "/v1/auth/token", False),
        ("events_contacts_write", "POST", "/v1/contact", True),
        ("events_contacts_write", "PUT", "/v1/contact/1/subscriptions", True),
        ("events_contacts_write", "GET", "/v1/contact/1", False),
        ("events_contacts_write", "GET", "/v1/group/1/contacts", False),
        ("messages", "GET", "/v1/contacts", False),
        ("messages", "POST", "/v1/event", False),
        ("messages", "GET", "/v4/campaigns", True),
        ("messages", "POST", "/v1/site/domains", False),
    ],
)
async def test_the_table_of_the_contract(
    api: Api, access: str, method: str, path: str, allowed: bool
) -> None:
    answer = await api.call(method, f"/api{path}", key=await key_of(api, access))
    assert (answer.status_code != 403) == allowed, answer.text


async def test_every_method_wants_credentials(api: Api) -> None:
    assert all(operation.right is not Right.PUBLIC for operation in OPERATIONS)
    for operation in OPERATIONS:
        answer = await api.call(operation.method, filled(operation), key="")
        assert (answer.status_code, answer.json()["status"]) == (401, 401), operation.path


# The same request twice -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["POST contact", "PUT contact/{id}", "POST contact/subscribe"])
async def test_the_same_request_within_a_minute_is_409(api: Api, name: str) -> None:
    method, _, path = name.partition(" ")
    body: Any = {"contact": ANNA} if "subscribe" in path else ANNA
    if method == "PUT":
        added = await api.post("/api/v1/contact", {**ANNA, "firstName": "Anna"})
        path = path.format(id=added.json()["id"])
    wrong: Any = {"channels": [{"type": "email", "value": "no address"}]}
    wrong = {"contact": wrong} if "subscribe" in path else wrong
    for _ in range(2):  # a refused request leaves no mark
        assert (await api.call(method, f"/api/v1/{path}", wrong)).status_code == 400
    assert (await api.call(method, f"/api/v1/{path}", body)).status_code == 200
    again = await api.call(method, f"/api/v1/{path}/", body)
    assert again.status_code == 409
    assert (
        again.json().items() >= {"status": 409, "error": "Conflict", "message": "Duplicated request"}.items()
    )
    _, other_key = await make_organisation(api.db, "Other Shop")
    other = await api.call(method, f"/api/v1/{path}", body, key=other_key)
    assert other.status_code == (404 if method == "PUT" else 200)


# Two organisations ----------------------------------------------------------------------------------------------


@pytest.fixture
async def ours(api: Api) -> dict[str, int]:
    """Things of the first organisation, by the name of their place in a path."""
    contact = {
        "channels": [
            {"type": "email", "value": "anna@example.com"},
            {"type": "mobilepush", "value": "tok1", "device": {"appId": APP, "os": "iOS"}},
        ],
        "externalCustomerId": "CRM-1001",
        "groups": [{"name": "Customers"}],
    }
    contact_id = (await api.post("/api/v1/contact", contact)).json()["id"]
    (group,) = (await api.get("/api/v1/groups")).json()
    ids = {"contact_id": contact_id, "segment_id": group["id"]}
    for channel, more in (
        ("email", {"from": '"A" <a@example.com>', "subject": "x", "htmlText": "<p>x</p>"}),
        ("appinbox", {"title": "x", "text": "x"}),
    ):
        made = await api.post(f"/api/v1/messages/{channel}", {"name": "x", **more})
        assert made.status_code == 200, made.text
        ids[channel] = made.json()["id"]
    return ids


async def test_another_organisations_things_look_exactly_like_absent_ones(
    api: Api, ours: dict[str, int]
) -> None:
    _, other = await make_organisation(api.db, "Other Shop")
    absent = 888_888_888
    bodies: dict[str, Any] = {
        "email": {"name": "y", "from": '"A" <a@example.com>', "subject": "y", "htmlText": "<p>y</p>"},
        "appinbox": {"name": "y", "title": "y", "text": "y"},
    }
    walked = 0
    for operation in OPERATIONS:
        path = operation.face.prefix + operation.path
        if operation.face.prefix != "/api" or "_id:int}" not in path:
            continue
        channel = next((name for name in bodies if f"messages/{name}" in path), None)
        name = path.split("{")[1].split(":")[0]
        if channel is None and name not in ours:
            continue
        body = bodies[channel] if channel else {"contactIds": [ours["contact_id"]], "subscriptions": []}
        sent = body if operation.method in ("POST", "PUT") else None
        answers = []
        for number in (ours[channel or name], absent):
            called = path.replace(f"{{{name}:int}}", str(number)).replace("{language:str}", "uk")
            answer = await api.call(operation.method, called, sent, key=other)
            shown = {k: v for k, v in answer.json().items() if k != "timestamp"}
            answers.append((answer.status_code, json.dumps(shown).replace(str(number), "N")))
        assert answers[0] == answers[1], path
        assert answers[0][0] == 404, path
        walked += 1
    assert walked >= 15
    assert (await api.get("/api/v1/contacts", key=other)).json() == []
    assert (await api.get("/api/v1/groups", key=other)).json() == []
    assert (await api.get("/api/v1/messages/email", key=other)).json() == []
    for path in (
        "/api/v1/contact?externalCustomerId=CRM-1001",
        "/api/v1/contact?externalCustomerId=CRM-1001&erase=1",
    ):
        assert (await api.delete(path, key=other)).status_code == 404
    token = f"/api/v1/contact/token/activated/{APP}/tok1"
    assert (await api.put(token, {"active": False}, key=other)).status_code == 404
    # Nothing of the first organisation has changed.
    assert (await api.get(token)).json() == {"active": True}
    assert (await api.get(f"/api/v1/contact/{ours['contact_id']}")).json()["groups"][0]["name"] == "Customers"
    assert (await api.get(f"/api/v1/messages/appinbox/{ours['appinbox']}")).json()["title"] == "x"
