"""Preference page and double opt-in, from messages that were really sent."""

from __future__ import annotations

import email
import email.policy
import re
from email.message import EmailMessage
from typing import Any

import pytest

from perigee.messages.links import PREFERENCES
from perigee.segments import categories
from perigee.testing.api import Api
from perigee.testing.sending import Shop

BROWSER = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
SUBSCRIBE = {"contact": {"channels": [{"type": "email", "value": "Anna@example.com"}]}}


class Person:
    """Anna, who got a campaign at her address and has the links of it."""

    def __init__(self, api: Api, shop: Shop, contact_id: int, html: str) -> None:
        self.api, self.shop, self.contact_id, self.html = api, shop, contact_id, html

    def link(self, kind: str) -> str:
        return str(re.findall(rf"http://perigee\.test(/{kind}/[^\"'\s<>]+)", self.html)[0])

    async def save(self, *on: str, shown: tuple[str, ...] = (), **form: str) -> str:
        """The page after saving; `shown` beside what is on."""
        data = {"shown": [*on, *shown], "on": list(on), "do": "save", **form}
        answer = await self.api.call("POST", self.link("p"), key="", data=data, headers=BROWSER)
        assert answer.status_code == 200, answer.text
        return answer.text

    async def log(self) -> list[Any]:
        return await self.shop.sql(
            "select kind, value, action, source, reason from consent_log where org_id = %(org)s order by log_id"
        )


async def html_to(shop: Shop, contact_id: int) -> str:
    body = await shop.value(
        "select body from sandbox_message where org_id = %(org)s and contact_id = %(c)s order by sandbox_id desc limit 1",
        c=contact_id,
    )
    mail = email.message_from_bytes(body, policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    part = mail.get_body(("html",))
    assert part is not None
    return str(part.get_content())


@pytest.fixture
async def anna(api: Api) -> Person:
    shop = Shop(api.db, api.org_id)
    contact_id = await shop.person("anna@example.com", phone="380501112233", language="uk")
    async with api.db.transaction() as connection:
        await categories.create(connection, api.org_id, "News", "news")
        await categories.create(connection, api.org_id, "Sales", "sales")
        await categories.set_for_contact(connection, api.org_id, contact_id, ["news"])
    await shop.sql("delete from consent_log where org_id = %(org)s")
    letter = {"htmlText": '<p>Hi</p><a href="{{ preferences_url }}">What you get</a>'}
    await shop.started([contact_id], versions={"en": letter})
    await shop.run_sender()
    return Person(api, shop, contact_id, await html_to(shop, contact_id))


async def test_the_page_shows_what_a_person_gets_in_their_language(anna: Person) -> None:
    shown = await anna.api.call("GET", anna.link("p"), key="")
    assert shown.status_code == 200
    assert '<html lang="uk">' in shown.text
    boxes = re.findall(r'name="on" value="([^"]+)"( checked)?', shown.text)
    assert boxes == [
        ("category:news", " checked"),
        ("category:sales", ""),
        ("email", " checked"),
        ("phone", " checked"),
    ]
    assert "anna@" not in shown.text, "the page shows nobody's address"
    assert "<script" not in shown.text


async def test_saving_changes_what_was_shown_and_logs_each_change(anna: Person) -> None:
    page = await anna.save("category:sales", "email", shown=("category:news", "phone"))
    assert "Ваш вибір збережено" in page
    assert sorted(await anna.log()) == [
        ("category", "news", "unsubscribed", "preferences", None),
        ("category", "sales", "subscribed", "preferences", None),
        ("phone", "380501112233", "unsubscribed", "preferences", None),
    ]
    assert await anna.save("category:sales", "email", shown=("category:news", "phone"))
    assert len(await anna.log()) == 3, "the same again changes nothing"


async def test_what_came_up_since_the_page_was_shown_stays(anna: Person) -> None:
    await anna.save("email")
    async with anna.api.db.connection() as connection:
        kept = await categories.of_contact(connection, anna.api.org_id, anna.contact_id)
    assert [one.key for one in kept] == ["news"]
    assert await anna.log() == []


async def test_everything_is_left_at_once_with_reason_and_comment(anna: Person) -> None:
    await anna.save(
        "category:news", "email", "phone", do="none", reason="often", comment="every day\x00 is too much"
    )
    assert {(row[0], row[2]) for row in await anna.log()} == {
        ("email", "unsubscribed"),
        ("phone", "unsubscribed"),
        ("category", "unsubscribed"),
    }
    answer = await anna.api.get("/api/v4/unsubscribe-reasons?limit=1")
    assert answer.status_code == 200, answer.text
    second = await anna.api.get(f"/api/v4/unsubscribe-reasons?cursor={answer.json()['next']}")
    rows = answer.json()["items"] + second.json()["items"]
    assert {row["value"] for row in rows} == {"anna@example.com", "380501112233"}
    assert {(row["reason"], row["comment"]) for row in rows} == {
        ("Too many messages", "every day is too much")
    }
    assert rows[0]["message_name"] == "News"
    counted = await anna.shop.value(
        "select count(*) from activity where org_id = %(org)s and status = 'UNSUBSCRIBED'"
    )
    assert counted == 1, "for the message whose link it was"


async def test_coming_back_lifts_unsubscribe_and_complaint_with_proof(anna: Person) -> None:
    for column in ("unsubscribed_at", "complained_at"):
        await anna.shop.mark("anna@example.com", column)
    await anna.save("email", shown=("phone",))
    state = await anna.shop.sql(
        "select confirmed, unsubscribed_at, complained_at from address where org_id = %(org)s and kind = 'email'"
    )
    assert state == [(True, None, None)]
    history = (await anna.api.get(f"/api/v4/contacts/{anna.contact_id}/consent")).json()["items"]
    back = next(row for row in history if row["kind"] == "email")
    assert (back["action"], back["source"]) == ("resubscribed", "preferences")
    assert back["detail"]["ua"] == BROWSER["user-agent"]
    assert back["detail"]["text"]


async def test_tokens_are_switched_off_and_on(anna: Person) -> None:
    await anna.shop.sql(
        "insert into push_token (org_id, kind, token, contact_id) values (%(org)s, 'webpush', 't1', %(c)s)",
        c=anna.contact_id,
    )
    state = "select active from push_token where org_id = %(org)s"
    await anna.save(shown=("webpush",))
    assert await anna.shop.value(state) is False
    await anna.save("webpush")
    assert await anna.shop.value(state) is True
    assert [row[2] for row in await anna.log()] == ["unsubscribed", "resubscribed"]


async def test_the_unsubscribe_page_leads_there(anna: Person) -> None:
    one_click = re.findall(r"http://perigee\.test(/u/[^\"'\s<>]+)", anna.html)[0]
    shown = await anna.api.call("GET", one_click, key="")
    assert f'href="{anna.link("p")}"' in shown.text


async def test_looking_saves_nothing(anna: Person) -> None:
    for method in ("GET", "HEAD"):
        assert (
            await anna.api.call(method, anna.link("p") + "?do=none&shown=email", key="")
        ).status_code == 200
    assert await anna.log() == []


async def test_another_links_token_and_a_person_who_is_gone_are_not_found(anna: Person) -> None:
    forged = anna.link("u").replace("/u/", "/p/")
    assert (await anna.api.call("POST", forged, key="", data={"do": "none"})).status_code == 404
    await anna.shop.sql("update contact set deleted_at = now() where org_id = %(org)s")
    assert (await anna.api.call("GET", anna.link("p"), key="")).status_code == 404


def test_a_link_outlives_the_key_it_was_signed_with() -> None:
    from perigee.lib.tokens import Signer
    from perigee.messages.links import SignedLinks, read_recipient

    old = SignedLinks(Signer({1: b"first"}, 1), "", 7, 8).of(9, 10).preferences()
    rotated = Signer({1: b"first", 2: b"second"}, 2)
    recipient = read_recipient(rotated, PREFERENCES, old.removeprefix("/p/"))
    assert (recipient.org_id, recipient.contact_id) == (7, 10)


async def subscribed(api: Api) -> tuple[Shop, int]:
    """Anna filled in the form, and what is to be sent is sent."""
    shop = Shop(api.db, api.org_id)
    answer = await api.post("/api/v1/contact/subscribe", SUBSCRIBE)
    assert answer.status_code == 200, answer.text
    await api.run_jobs()
    await shop.run_sender()
    return shop, answer.json()["id"]


async def mails(shop: Shop) -> int:
    return int(await shop.value("select count(*) from sandbox_message where org_id = %(org)s"))


@pytest.fixture
async def sender(api: Api) -> None:
    await api.post("/api/v4/senders", {"channel": "email", "value": '"Shop" <news@shop.example.com>'})


@pytest.mark.usefixtures("sender")
async def test_a_form_asks_the_owner_who_confirms_with_a_button(api: Api) -> None:
    shop, contact_id = await subscribed(api)
    link = Person(api, shop, contact_id, await html_to(shop, contact_id)).link("confirm")
    state = "select confirmed from address where org_id = %(org)s"
    for method in ("GET", "HEAD"):
        assert (await api.call(method, link, key="")).status_code == 200
    assert await shop.value(state) is False
    for _ in range(2):
        done = await api.call("POST", link, key="", headers=BROWSER)
        assert done.status_code == 200
    assert await shop.value(state) is True
    proof = await shop.sql(
        "select action, source, contact_id, detail from consent_log where org_id = %(org)s and kind = 'email'"
    )
    assert len(proof) == 1, "once"
    assert proof[0][:3] == ("confirmed", "confirmation", contact_id)
    assert set(proof[0][3]) >= {"text", "ua"}
    events = await shop.sql(
        "select e.params from event e join event_type t using (org_id, event_type_id)"
        " where org_id = %(org)s and t.key = 'ConfirmedSubscription'"
    )
    assert events == [({"ContactId": contact_id, "EmailAddress": "anna@example.com"},)]


@pytest.mark.usefixtures("sender")
async def test_an_address_is_asked_once_in_three_days(api: Api) -> None:
    shop, _ = await subscribed(api)
    await shop.sql("delete from recent_request")
    await subscribed(api)
    assert await mails(shop) == 1
    await shop.sql("delete from recent_request")
    await shop.sql(
        "update address set confirmation_asked_at = now() - interval '73 hours' where org_id = %(org)s"
    )
    await subscribed(api)
    assert await mails(shop) == 2


async def test_without_a_sender_the_form_still_works(api: Api) -> None:
    shop, _ = await subscribed(api)
    assert await mails(shop) == 0
    assert await shop.value("select confirmation_asked_at from address where org_id = %(org)s") is None


@pytest.mark.usefixtures("sender")
async def test_without_double_opt_in_everybody_is_confirmed(api: Api) -> None:
    await api.call("PATCH", "/api/v4/organisation", {"double_opt_in": False})
    answer = await api.post("/api/v1/contact/subscribe", SUBSCRIBE)
    assert answer.json()["emailStatus"] == "SUBSCRIBED"
    await api.run_jobs()
    assert not await api.rows("select 1 from send where org_id = %(org_id)s")


async def test_the_organisations_own_message_asks_and_its_page_thanks(api: Api) -> None:
    shop = Shop(api.db, api.org_id)
    useless = await shop.message()
    refused = await api.call("PATCH", "/api/v4/organisation", {"confirmation_message_id": useless})
    assert refused.status_code == 400
    assert "confirmation link" in refused.json()["detail"]
    own = await shop.message(versions={"en": {"htmlText": '<a href="%CONFIRM_URL%">Yes, it was me</a>'}})
    change = {"confirmation_message_id": own, "confirmation_redirect": "https://shop.example.com/thanks"}
    assert (await api.call("PATCH", "/api/v4/organisation", change)).status_code == 200
    _, contact_id = await subscribed(api)
    html = await html_to(shop, contact_id)
    assert "Yes, it was me" in html
    done = await api.call("POST", Person(api, shop, contact_id, html).link("confirm"), key="")
    assert (done.status_code, done.headers["location"]) == (303, "https://shop.example.com/thanks")
