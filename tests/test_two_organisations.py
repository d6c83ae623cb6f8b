"""Two organisations in one installation: every method, called with the other's key and the first one's ids, reads nothing
of the first and changes nothing of it. New methods are walked by themselves; a new kind of place in a path must be told
here what of the first organisation fits there."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from perigee.http.operation import Operation
from perigee.http.routes import operations
from perigee.testing.api import Api, make_organisation
from perigee.testing.rows import digest

MARK = "Zyzzyva"
"""In every text of the first organisation that no caller of the second ever sends."""
APP = "22222222-3333-4444-5555-666666666666"
OPERATIONS = operations()
EVERYBODYS = {"grid", "recency", "frequency"}
"""Places in a path that name nothing of anybody's: every organisation has the same RFM cells."""
CHANNELS = ("email", "sms", "viber", "mobilepush", "appinbox", "telegram")


def example(method: str, path: str) -> Any:
    """The declared request body of a method, to be changed."""
    (found,) = [one for one in OPERATIONS if (one.method, one.face.prefix + one.path) == (method, path)]
    return json.loads(json.dumps(found.example))


class First:
    """The organisation that must stay alone: one of everything, and the ids of it by their place in a path."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.ids: dict[str, Any] = {"language": "uk", "token": "tok1", "app_id:str": APP}
        self.ids |= {"grid": "sales", "recency": 1, "frequency": 1}

    async def make(self, path: str, **change: Any) -> Any:
        body = {**example("POST", re.sub(r"/contacts/\d+", "/contacts/{contact_id:int}", path)), **change}
        answer = await self.api.post(path, body)
        assert answer.status_code in (200, 201), (path, answer.text)
        return answer.json() if answer.content.startswith((b"{", b"[")) else None

    async def settle(self) -> None:
        await self._people()
        await self._messages()
        await self._sending()
        await self._shop()

    async def _people(self) -> None:
        contact = await self.make(
            "/api/v1/contact",
            firstName=MARK,
            externalCustomerId="CRM-1001",
            groups=[{"name": f"List {MARK}"}],
            channels=[
                {"type": "email", "value": f"{MARK}@first.example.com"},
                {"type": "sms", "value": "380501112233"},
                {"type": "mobilepush", "value": "tok1", "device": {"appId": APP, "os": "iOS"}},
            ],
        )
        (group,) = (await self.api.get("/api/v1/groups")).json()
        category = await self.make("/api/v4/categories", name=f"News {MARK}")
        await self.api.put(
            f"/api/v1/contact/{contact['id']}/subscriptions", {"subscriptions": [category["key"]]}
        )
        await self.make("/api/v3/event", eventTypeKey=f"Cart{MARK}")
        bulk = await self.make("/api/v1/contacts")
        await self.api.run_jobs()
        await self.make("/api/v1/orders")
        self.ids |= {
            "contact_id": contact["id"],
            "segment_id": group["id"],
            "category_id": category["category_id"],
            "event_type_id": (await self.rows("select event_type_id from event_type"))[0][0],
            "order_id": (await self.rows("select order_id from orders"))[0][0],
            "session_id": bulk["asyncSessionId"],
            "import_id": await self._upload(),
            "scheme_id": (await self.make("/api/v4/import-schemes", name=f"Scheme {MARK}"))["scheme_id"],
        }
        twin = await self.make(
            "/api/v1/contact",
            firstName=MARK,
            externalCustomerId=None,
            channels=[{"type": "email", "value": f"{MARK}@second.example.com"}],
        )
        merge = await self.make(f"/api/v4/contacts/{contact['id']}/merge", contact_id=twin["id"])
        run = await self.make("/api/v4/duplicates/merge")
        self.ids |= {"merge_id": merge["merge_id"], "run_id": run["run_id"]}

    async def _upload(self) -> Any:
        answer = await self.api.post(
            "/api/v4/imports", content=f"email,name\n{MARK}@first.example.com,{MARK}\n"
        )
        assert answer.status_code == 201, answer.text
        return answer.json()["import_id"]

    async def _messages(self) -> None:
        for channel in CHANNELS:
            path = f"/api/v1/messages/{channel}"
            made = await self.make(path, name=f"{channel} {MARK}")
            self.ids[f"message_id:{channel}"] = made["id"]
            body = {**example("POST", path), "name": f"{channel} {MARK}", "text": MARK}
            answer = await self.api.put(f"{path}/{made['id']}/uk", body)
            assert answer.status_code == 200, answer.text
        self.ids["message_id"] = self.ids["message_id:email"]

    async def _sending(self) -> None:
        chosen = {"message_id": self.ids["message_id"], "include": [self.ids["segment_id"]], "exclude": []}
        campaign = await self.make("/api/v4/campaigns", title=f"Sale {MARK}", **chosen)
        broadcast = await self.make(
            "/api/v1/broadcast",
            title=f"Broadcast {MARK}",
            messageId=self.ids["message_id"],
            groups=[self.ids["segment_id"]],
            excludedGroups=[],
        )
        sent = await self.api.post(
            f"/api/v1/message/{self.ids['message_id:mobilepush']}/smartsend",
            {"recipients": [{"contactId": self.ids["contact_id"]}]},
        )
        await self.rows(
            "insert into sandbox_message (org_id, send_id, ordinal, channel, address, sender, body) "
            "values (%(org_id)s, 1, 0, 'sms', '380501112233', 'SHOP', %(body)s) returning 1",
            body=MARK.encode(),
        )
        self.ids |= {
            "campaign_id": campaign["campaign_id"],
            "broadcast_id": broadcast["broadcastId"],
            "interaction_id": sent.json()["results"]["requestId"],
            "sandbox_id": (await self.rows("select sandbox_id from sandbox_message"))[0][0],
        }

    async def _shop(self) -> None:
        host = f"{MARK.lower()}.example.com"
        site = await self.make("/api/v1/site/domains", domain=host)
        await self.make("/api/v1/site/webpush/domain", domain=f"https://{host}")
        await self.make("/api/v1/promocodes", promocodes=[f"{MARK}-1"])
        file = await self.make(
            "/api/v1/preprocessor/file/upload", link="https://files.example.com/first.json"
        )
        app = await self.make("/api/v4/apps", name=f"Bot {MARK}")
        source = await self.make("/api/v4/recommendation-sources", name=f"Best {MARK}")
        sender = await self.make("/api/v4/senders", channel="viber", value=MARK)
        domain = await self.make("/api/v4/domains", domain=f"mail.{host}")
        await self.make("/api/v4/workflows", name=f"Series {MARK}")
        key = await self.make("/api/v4/api-keys", description=MARK)
        provider = await self.make("/api/v4/providers", name=MARK)
        intake = await self.make("/api/v4/webhook-intakes")
        mailbox = await self.make("/api/v4/bounce-mailboxes")
        destination = await self.make("/api/v4/destinations", name="slow.example.com")
        export = await self.make("/api/v4/exports")
        await self.api.run_jobs()
        self.ids |= {
            "export_id": export["export_id"],
            "destination": destination["name"],
            "site_id": site["siteId"],
            "file_id": int(file["fileId"]),
            "session_id:preprocessor": file["importId"],
            "app_uuid": app["app_id"],
            "app_id:uuid": app["app_id"],
            "app_id:int": (await self.rows("select app_id from webpush_domain"))[0][0],
            "data_source_id": source["source_id"],
            "source_id": source["source_id"],
            "sender_id": sender["sender_id"],
            "domain_id": domain["domain_id"],
            "key_id": key["key_id"],
            "provider_id": provider["provider_id"],
            "intake_id": intake["intake_id"],
            "mailbox_id": mailbox["mailbox_id"],
        }

    async def rows(self, query: str, **values: Any) -> list[Any]:
        if query.startswith("select"):
            query += " where org_id = %(org_id)s order by 1"
        return await self.api.rows(query, **values)

    def place(self, operation: Operation) -> str:
        """The method's path with ids of this organisation."""
        path = operation.face.prefix + operation.path

        def fill(place: re.Match[str]) -> str:
            name, kind = place[1], place[2]
            channel = next((one for one in (*CHANNELS, "preprocessor") if f"/{one}/" in path), "")
            for key in (f"{name}:{channel}", f"{name}:{kind}", name):
                if key in self.ids:
                    return str(self.ids[key])
            raise AssertionError(f"{path}: tell First what fits in {{{name}:{kind}}}")

        filled = re.sub(r"\{(\w+):(\w+)\}", fill, path)
        return f"{filled}?contactId={self.ids['contact_id']}" if "/recoms/" in path else filled

    def named(self, value: Any, member: str = "") -> Any:
        """A declared body with the ids of this organisation in it. Addresses stay: they are no secret of anybody's."""
        if isinstance(value, dict):
            return {key: self.named(inner, key) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.named(inner, member) for inner in value]
        known = {
            "messageId": "message_id",
            "message_id": "message_id",
            "contactId": "contact_id",
            "contact_id": "contact_id",
            "contactIds": "contact_id",
            "contact_ids": "contact_id",
            "groups": "segment_id",
            "groupId": "segment_id",
            "include": "segment_id",
            "exclude": "segment_id",
            "excludedGroups": "segment_id",
            "segment_id": "segment_id",
            "group_id": "segment_id",
        }.get(member)
        return self.ids[known] if known and isinstance(value, int) else value


@pytest.fixture
async def first(api: Api) -> First:
    made = First(api)
    await made.settle()
    return made


@pytest.fixture
async def stranger(api: Api) -> str:
    """A full-access key of another organisation, which has things of its own of the same names."""
    _, key = await make_organisation(api.db, "Other Shop")
    for path in ("/api/v1/contact", "/api/v1/site/domains"):
        body = example("POST", path)
        if path.endswith("domains"):
            body["domain"] = "other.example.com"
        assert (await api.post(path, body, key=key)).status_code in (200, 201)
    return key


async def test_the_first_organisation_sees_its_own(api: Api, first: First) -> None:
    """Otherwise the walk below would prove nothing: each thing it looks for in vain is there for its owner."""
    for operation in OPERATIONS:
        if operation.method == "GET" and "{" in operation.path:
            answer = await api.get(first.place(operation))
            assert answer.status_code == 200, (operation.path, answer.text)


async def test_no_method_opens_the_other_organisation(api: Api, first: First, stranger: str) -> None:
    before = await digest(api)
    for operation in OPERATIONS:
        path = first.place(operation)
        body = first.named(operation.example) if operation.method not in ("GET", "DELETE") else None
        answer = await api.call(operation.method, path, body, key=stranger)
        called = (
            operation.method,
            operation.face.prefix + operation.path,
            answer.status_code,
            answer.text[:300],
        )
        assert answer.status_code < 500, called
        assert MARK.lower() not in answer.text.lower(), called
        if set(re.findall(r"{(\w+):", operation.path)) - EVERYBODYS:
            assert answer.status_code == 404, called
        assert await digest(api) == before, called


QUERIES = (
    "externalCustomerId=CRM-1001",
    f"email={MARK}%40first.example.com",
    "sms=380501112233&phone=380501112233",
    "contactId={contact_id}&contact_id={contact_id}&ids={contact_id}",
    "ids={interaction_id}",
    "dateFrom=2020-01-01&dateTo=2020-02-01&mobPushToken=tok1",
    "segment_id={segment_id}&message_id={message_id}&campaign_id={campaign_id}",
    "externalOrderId=SO-1001",
    f"domain=https%3A%2F%2F{MARK.lower()}.example.com",
    "name=z&search=z",
)


async def test_no_query_opens_the_other_organisation(api: Api, first: First, stranger: str) -> None:
    before = await digest(api)
    for operation in OPERATIONS:
        if "{" in operation.path or operation.method not in ("GET", "DELETE"):
            continue
        for query in QUERIES:
            path = f"{operation.face.prefix}{operation.path}?{query.format(**first.ids)}"
            answer = await api.call(operation.method, path, key=stranger)
            refused = answer.status_code >= 400  # a refusal may say back what was asked for
            assert answer.status_code < 500, (path, answer.text)
            assert refused or MARK.lower() not in answer.text.lower(), (path, answer.text)
        assert await digest(api) == before, operation.path


async def test_the_inbox_of_a_person_stays_closed_to_another_organisations(
    api: Api, first: First, stranger: str
) -> None:
    await first.rows(
        "insert into inbox_message (org_id, send_id, ordinal, contact_id, inbox_id, title, content, expires_at) "
        "values (%(org_id)s, 1, 0, %(contact)s, %(id)s, %(mark)s, %(mark)s, now() + interval '1 day') returning 1",
        contact=first.ids["contact_id"],
        id=APP,
        mark=MARK,
    )
    before = await digest(api)
    answer = await api.post("/api/v1/auth/contact/token", {"email": "anna@example.com"}, key=stranger)
    token = answer.json()["token"]
    for method, path, body in (
        ("GET", "messages/count", None),
        ("GET", "messages?page=0&pageSize=20", None),
        ("POST", "messages/status", {"status": "OPENED", "ids": [APP]}),
        ("POST", "messages/status", {"status": "OPENED", "ids": None}),
    ):
        answer = await api.call(method, f"/appinbox/v1/{path}", body, key="", headers={"ES-TOKEN": token})
        assert answer.status_code == 200, answer.text
        assert MARK not in answer.text
        token = answer.headers["ES-TOKEN"]
    assert await digest(api) == before


async def test_a_site_reports_on_its_own_organisations_people_only(
    api: Api, first: First, stranger: str
) -> None:
    before = await digest(api)
    (site,) = (await api.get("/api/v1/site/domains", key=stranger)).json()
    general = {
        "eventName": "SearchRequest",
        "siteId": site["siteId"],
        "externalCustomerId": "CRM-1001",
        "user_email": f"{MARK}@first.example.com",
        "user_es_contact_id": str(first.ids["contact_id"]),
        "cookies": {"sc": "B-visitor"},
    }
    answer = await api.post(
        "/tracker/api/v2", {"GeneralInfo": general, "SearchRequest": {"search": "mug", "isFound": 1}}, key=""
    )
    assert answer.status_code == 200, answer.text
    assert await api.rows("select count(*) from visitor where org_id <> %(org_id)s") == [(1,)]
    assert await digest(api) == before
