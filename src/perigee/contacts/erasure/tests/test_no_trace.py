"""A person with a trace in every table, made through what really happens to people; erased; and then looked for in every
column of every table (issue: "greps every table for the erased person's email, phone, name and ids and finds none")."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from perigee.bounces import mails
from perigee.contacts.erasure.erase import sweep
from perigee.delivery.channel import EventType
from perigee.delivery.events.apply import apply
from perigee.delivery.events.report import Report
from perigee.files import store as data_files
from perigee.promocodes.take import take
from perigee.testing.api import Api
from perigee.testing.sending import Shop
from perigee.testing.traces import traces

APP = "22222222-3333-4444-5555-666666666666"
CONTACT_ID = 918273645
EMAIL, SPELLING = "anna.zyzzyva@example.com", "Anna.Zyzzyva@example.com"
PHONE = "380501112299"
TEXTS = (EMAIL, PHONE, "Zyzzyva", "Quixandra", "CRM-77001", "tok-zyz", "browser-zyz")
NOW = datetime.now(UTC)
CONTACT = {
    "firstName": "Quixandra",
    "lastName": "Zyzzyva",
    "externalCustomerId": "CRM-77001",
    "groups": [{"name": "Customers"}],
    "channels": [
        {"type": "email", "value": SPELLING},
        {"type": "sms", "value": PHONE},
        {"type": "mobilepush", "value": "tok-zyz", "device": {"appId": APP, "os": "iOS"}},
    ],
}


async def ok(api: Api, method: str, path: str, body: Any = None, **more: Any) -> Any:
    answer = await api.call(method, path, body, **more)
    assert answer.status_code < 300, (path, answer.text)
    return answer.json() if answer.content.startswith((b"{", b"[")) else None


async def live(api: Api) -> None:
    """All that happens to a customer of a shop."""
    await api.rows(f"select setval('contact_id_seq', {CONTACT_ID - 1})")
    assert (await ok(api, "POST", "/api/v1/contact", CONTACT))["id"] == CONTACT_ID
    await _consents(api)
    await _buys_and_looks_around(api)
    await _is_imported(api)
    await _is_in_files_of_imports(api)
    await _gets_messages(api)
    await _is_in_files_and_jobs(api)


async def _consents(api: Api) -> None:
    category = await ok(api, "POST", "/api/v4/categories", {"name": "News"})
    keys = {"subscriptions": [category["key"]]}
    await ok(api, "PUT", f"/api/v1/contact/{CONTACT_ID}/subscriptions", keys)
    await ok(api, "POST", "/api/v1/emails/unsubscribed/add", {"emails": [EMAIL]})
    await ok(api, "POST", "/api/v1/emails/unsubscribed/delete", {"emails": [EMAIL]})
    again = {"external_id": "CRM-77001", "email": SPELLING}
    await ok(api, "POST", "/api/v4/contacts", again, headers={"Idempotency-Key": f"add {EMAIL}"})
    await ok(api, "POST", "/api/v4/contacts", again, headers={"Idempotency-Key": "add once"})


async def _buys_and_looks_around(api: Api) -> None:
    await ok(api, "POST", "/api/v1/orders", {"orders": [order("SO-1", externalCustomerId="CRM-77001")]})
    await ok(
        api, "POST", "/api/v3/event", {"eventTypeKey": "Viewed", "params": {"email": EMAIL, "phone": PHONE}}
    )
    await api.rows("update event_type set use_for_segments = false where org_id = %(org_id)s")
    stranger = {"eventTypeKey": "Viewed", "keyValue": "x", "params": {"who": "+" + PHONE}}
    await ok(api, "POST", "/api/v3/event", stranger)
    await ok(api, "POST", "/api/v1/site/domains", {"domain": "shop.example.com"})
    (site,) = await ok(api, "GET", "/api/v1/site/domains")
    general = {
        "eventName": "SearchRequest",
        "siteId": site["siteId"],
        "externalCustomerId": "CRM-77001",
        "user_email": EMAIL,
        "cookies": {"sc": "browser-zyz"},
    }
    frame = {"GeneralInfo": general, "SearchRequest": {"search": "mug", "isFound": 1}}
    assert (await api.post("/tracker/api/v2", frame, key="")).status_code == 200


def order(external: str, **who: Any) -> dict[str, Any]:
    return {
        "externalOrderId": external,
        "totalCost": 5,
        "status": "DELIVERED",
        "date": "2026-01-01T10:00:00Z",
        "deliveryAddress": "to Quixandra Zyzzyva",
        "email": EMAIL,
        "phone": PHONE,
        "items": [
            {"externalItemId": "1", "name": "Mug", "quantity": 1, "cost": 5, "engraving": "for Zyzzyva"}
        ],
        **who,
    }


async def _is_imported(api: Api) -> None:
    """Applied, refused, and waiting to be applied."""
    person = {"channels": [{"type": "email", "value": EMAIL}], "firstName": "Quixandra"}
    other = {"channels": [{"type": "email", "value": "bob@example.com"}], "externalCustomerId": "CRM-77001"}
    for contacts in ([person], [person, other]):
        await ok(api, "POST", "/api/v1/contacts", {"contacts": contacts, "dedupeOn": "email"})
        await api.run_jobs()
    await ok(api, "POST", "/api/v1/contacts", {"contacts": [person, other], "dedupeOn": "email"})


async def _is_in_files_of_imports(api: Api) -> None:
    """One imported, with remarks about the row; one not started."""
    lines = f"email,phone,first name,external id\n{SPELLING},no {PHONE},{'Zyzzyva ' * 9},\nbob@example.com,,,CRM-77001\n"
    for name in ("done", "waiting"):
        answer = await api.post(f"/api/v4/imports?name={name}.csv", content=lines)
        assert answer.status_code == 201, answer.text
        if name == "done":
            await ok(api, "POST", f"/api/v4/imports/{answer.json()['import_id']}/start", {})
            await api.run_jobs()


async def _gets_messages(api: Api) -> None:
    shop = Shop(api.db, api.org_id)
    content = {"htmlText": "<p>Dear %FIRSTNAME% %LASTNAME% {{ gift }}</p>"}
    email = await shop.message(versions={"en": content})
    campaign = await shop.campaign(email, [await shop.segment("All", [CONTACT_ID])])
    await shop.launch(campaign.campaign_id)
    recipient = {"locator": EMAIL, "externalRequestId": "R1", "jsonParam": '{"gift": "to Zyzzyva"}'}
    await ok(api, "POST", f"/api/v1/message/{email}/smartsend", {"recipients": [recipient]})
    mail = {"from": '"Shop" <news@example.com>', "subject": "Quixandra, look", "emails": [EMAIL]}
    await ok(api, "POST", "/api/v1/message/email", {**mail, "htmlText": "<p>Dear Mrs Zyzzyva</p>"})
    sms = {"from": "SHOP", "text": "Dear Quixandra", "phoneNumbers": [PHONE]}
    await ok(api, "POST", "/api/v1/message/sms", sms)
    inbox = await shop.message("appinbox", versions={"en": {"title": "News", "text": "Hi %FIRSTNAME%"}})
    await ok(api, "POST", f"/api/v1/message/{inbox}/smartsend", {"recipients": [{"contactId": CONTACT_ID}]})
    await ok(api, "POST", "/api/v1/auth/contact/token", {"email": EMAIL})
    await shop.run_sender()
    await _reports(api)


async def _reports(api: Api) -> None:
    """From providers and mailboxes: about messages that are in the ledger, and about one that is not yet."""
    ((send_id, ordinal),) = await api.rows(
        "select send_id, ordinal from delivery where org_id = %(org_id)s and contact_id = %(id)s"
        " and outcome = 'sent' order by send_id limit 1",
        id=CONTACT_ID,
    )
    text = f"550 <{SPELLING}> mailbox full"
    async with api.db.transaction() as conn:
        await apply(
            conn,
            api.org_id,
            [
                Report(type=EventType.BOUNCED, at=NOW, send_id=send_id, ordinal=ordinal, text=text),
                Report(type=EventType.BOUNCED, at=NOW, provider_id=1, message_id="later", text=text),
            ],
        )
        await mails.keep(
            conn,
            api.org_id,
            [mails.Incoming(b"of", "b+x", CONTACT_ID), mails.Incoming(f"to {SPELLING}".encode())],
        )


async def _is_in_files_and_jobs(api: Api) -> None:
    async with api.db.transaction() as conn:
        file_id = await data_files.insert_file(conn, api.org_id, "Key")
        await data_files.insert_values(conn, api.org_id, file_id, {EMAIL: '{"name": "Quixandra"}'})
        await conn.execute(
            "insert into promo_code (org_id, code, discount, expires_at) values (%s, 'C1', 5, %s)",
            [api.org_id, datetime(2100, 1, 1, tzinfo=UTC)],
        )
        assert await take(conn, api.org_id, CONTACT_ID, now=NOW) == "C1"
        # Two that only a file upload and a failed job leave behind.
        await conn.execute(
            "with i as (insert into contact_import (org_id, session_id, source, options, total)"
            " values (%(o)s, %(s)s, 'file', '{}', 1)), u as (insert into contact_upload (org_id, session_id)"
            " values (%(o)s, %(s)s)) insert into contact_upload_step values (%(o)s, %(s)s, 0, array[%(c)s, 5])",
            {"o": api.org_id, "s": APP, "c": CONTACT_ID},
        )
        await conn.execute(
            "insert into procrastinate_jobs (queue_name, task_name, args, status) values ('q', 't', %s, 'failed')",
            [msgspec.json.encode({"org_id": api.org_id, "contact_ids": [5, CONTACT_ID]}).decode()],
        )


async def erase(api: Api) -> None:
    await ok(api, "DELETE", f"/api/v4/contacts/{CONTACT_ID}?erase=true")
    await sweep(api.db, 0)


async def test_nothing_is_left_of_an_erased_person(api: Api) -> None:
    await live(api)
    before = {table for table, _ in await traces(api.db, TEXTS, [CONTACT_ID])}
    assert before >= EVERYWHERE, EVERYWHERE - before
    await erase(api)
    left = await traces(api.db, TEXTS, [CONTACT_ID])
    assert not left, left


EVERYWHERE = {
    "address",
    "bounce_mail",
    "consent_log",
    "contact",
    "contact_import",
    "contact_orders",
    "contact_upload_step",
    "data_value",
    "idempotency_key",
    "import_chunk",
    "import_remark",
    "inbox_message",
    "inbox_session",
    "order_item",
    "orders",
    "procrastinate_jobs",
    "promo_code",
    "push_token",
    "sandbox_message",
    "segment_member",
    "send_batch",
    "send_content",
    "send_recipient",
    "visitor",
    "waiting_report",
}
"""Where the person of the test is, beside the partitions: the test would prove nothing otherwise."""
