"""Short links of what was really sent by SMS and Viber, and what a click on one leads to."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from perigee.contacts.delete import delete
from perigee.messages import short_links
from perigee.messages.short_links import ShortLink
from perigee.testing.api import Api
from perigee.testing.sending import Shop

TARGET = "https://shop.example.com/a"
SMS = {"from": "SHOP", "text": f"Look {TARGET} or https://shop.example.com/?t=%TOWN%", "trackUrls": True}
VIBER = {
    "from": "SHOP",
    "text": f"Look {TARGET}",
    "img": "https://shop.example.com/i.png",
    "caption": "Go",
    "action": f"{TARGET}?b",
}


class Story:
    def __init__(self, api: Api, shop: Shop, anna: int) -> None:
        self.api = api
        self.shop = shop
        self.anna = anna
        self.sends = 0

    async def sent(self, channel: str = "sms", content: Any = SMS, **members: Any) -> str:
        """What arrived."""
        self.sends += 1
        body = {"channel": channel, "name": "News", "content": content, **members}
        made = await self.api.post("/api/v4/messages", body)
        assert made.status_code == 201, made.text
        segment = await self.shop.segment(f"Audience {self.sends}", [self.anna])
        wanted = {"message_id": made.json()["message_id"], "include": [segment], "title": "May sale"}
        campaign = (await self.api.post("/api/v4/campaigns", wanted)).json()
        launched = await self.shop.launch(campaign["campaign_id"])
        assert launched.state == "running", launched.error
        await self.shop.run_sender()
        body = await self.shop.value(
            "select body from sandbox_message where org_id = %(org)s and send_id = %(s)s", s=launched.send_id
        )
        return bytes(body).decode()

    async def click(self, path: str) -> str:
        answer = await self.api.call("GET", path, key="")
        assert answer.status_code == 302, answer.text
        return str(answer.headers["location"])

    async def clicks(self) -> list[tuple[Any, ...]]:
        return await self.shop.sql(
            "select contact_id, link_no, detail, meta ->> 'ua' from activity"
            " where org_id = %(org)s and status = 'CLICKED' order by at"
        )


def shorts(text: str) -> list[str]:
    return re.findall(r"(/s/[0-9A-Za-z]+)", text)


@pytest.fixture
async def story(api: Api) -> Story:
    shop = Shop(api.db, api.org_id)
    return Story(api, shop, await shop.person("anna@example.com", phone="380501112233", town="Kyiv"))


async def test_a_click_in_an_sms_counts_as_any_and_names_the_person(story: Story) -> None:
    text = await story.sent(utm={"enabled": True, "source": "s", "medium": "", "campaign": ""})
    (path,) = shorts(text)
    assert text.startswith(f"Look http://perigee.test{path} or http://perigee.test/c/")
    assert len(path) <= len("/s/") + 18
    assert await story.click(path) == f"{TARGET}?utm_source=s&utm_content=Yespo-{story.anna}"
    ((contact, number, url, agent),) = await story.clicks()
    assert (contact, number, url) == (story.anna, 1, TARGET)
    assert agent, "by which machines are told from people"
    sealed = text.partition("perigee.test/c/")[2]
    assert "t=Kyiv" in await story.click(f"/c/{sealed}")


async def test_viber_has_short_links_and_email_has_not(story: Story) -> None:
    for path, target in zip(shorts(await story.sent("viber", VIBER)), (TARGET, f"{TARGET}?b"), strict=True):
        assert (await story.click(path)).startswith(target)
    email = {
        "from": "Shop <news@shop.example.com>",
        "subject": "News",
        "htmlText": f'<a href="{TARGET}">A</a>',
    }
    mail = await story.sent("email", email)
    assert not shorts(mail)


async def test_the_organisation_s_address_goes_before_the_installation_s(story: Story) -> None:
    story.shop.settings = replace(story.shop.settings, short_url="https://s.test")
    first = await story.sent()
    assert first.startswith("Look https://s.test/s/")
    assert " or https://s.test/c/" in first
    await story.api.call("PATCH", "/api/v4/organisation", {"short_url": "https://go.example.com"})
    second = await story.sent()
    assert second.startswith("Look https://go.example.com/s/")
    await story.api.call("PATCH", "/api/v4/organisation", {"short_url": ""})
    for text in (first, second):
        assert await story.click(*shorts(text)) == TARGET, "links that went out lead on whatever it is now"


async def test_a_click_before_the_outcome_is_committed_names_the_person(story: Story) -> None:
    (path,) = shorts(await story.sent())
    await story.shop.sql("delete from delivery where org_id = %(org)s")
    await story.shop.sql("update send_batch set done_at = null, in_flight = '{0}' where org_id = %(org)s")
    await story.click(path)
    assert [row[0] for row in await story.clicks()] == [story.anna]


async def test_a_click_on_a_message_that_waits_for_another_try_names_the_person(story: Story) -> None:
    (path,) = shorts(await story.sent())
    await story.shop.sql("delete from delivery where org_id = %(org)s")
    await story.shop.sql(
        "insert into send_retry (org_id, send_id, ordinal, recipient, attempt, due_at, reason)"
        " select org_id, send_id, ordinals[1], recipients[1], 2, now(), 'x' from send_batch where org_id = %(org)s"
    )
    await story.click(path)
    assert [row[0] for row in await story.clicks()] == [story.anna]


async def test_a_link_of_somebody_erased_leads_on_and_names_nobody(story: Story) -> None:
    (path,) = shorts(await story.sent(utm={"enabled": True}))
    async with story.api.db.transaction() as connection:
        await delete(connection, story.api.org_id, story.anna, erase=True)
    location = await story.click(path)
    assert location.startswith(f"{TARGET}?utm_source=")
    assert "Yespo" not in location
    assert [row[0] for row in await story.clicks()] == [0], "counted as nobody's"


async def test_what_we_did_not_make_and_what_is_gone_is_not_found(story: Story) -> None:
    (path,) = shorts(await story.sent())
    send = await story.shop.value("select send_id from send where org_id = %(org)s")
    signer = story.shop.keys.links
    for code in (
        path[3:-1] + ("0" if path[-1] != "0" else "1"),
        short_links.write(signer, ShortLink(story.api.org_id, send, 0, 99)),
        short_links.write(signer, ShortLink(story.api.org_id, send + 1, 0, 1)),
        "x",
        "x" * 100,
    ):
        answer = await story.api.call("GET", f"/s/{code}", key="")
        assert answer.status_code == 404
    assert await story.clicks() == []
