"""UTM tags of what was really sent: on by default, by settings, and off."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from typing import Any, cast

import pytest

from perigee.campaigns import manage
from perigee.client import AsyncClient
from perigee.db.pool import Connection, Database
from perigee.delivery.targets import Targets
from perigee.errors import NotFound
from perigee.messages.links import Click, Recipient
from perigee.messages.utm import Utm
from perigee.testing.api import Api
from perigee.testing.sending import Shop

EMAIL = {
    "from": '"Example Shop" <news@shop.example.com>',
    "subject": "News",
    "htmlText": '<a href="https://shop.example.com/a?x=1#top">A</a>'
    '<a href="https://shop.example.com/b?t=%TOWN%&utm_medium=own">B</a>',
}
SMS = {"from": "SHOP", "text": "Look https://shop.example.com/a"}


class Story:
    """Messages to Anna, made as a marketer makes them."""

    def __init__(self, api: Api, shop: Shop, anna: int) -> None:
        self.api = api
        self.shop = shop
        self.anna = anna
        self.sends = 0

    async def message(self, channel: str = "email", content: Any = EMAIL, **members: Any) -> int:
        body = {"channel": channel, "name": "News", "content": content, **members}
        answer = await self.api.post("/api/v4/messages", body)
        assert answer.status_code == 201, answer.text
        return int(answer.json()["message_id"])

    async def sent(self, message_id: int, **campaign: Any) -> str:
        """What arrived: the text of an SMS, the HTML of an email."""
        self.sends += 1
        segment = await self.shop.segment(f"Audience {self.sends}", [self.anna])
        wanted = {"message_id": message_id, "include": [segment], "title": "May sale", **campaign}
        answer = await self.api.post("/api/v4/campaigns", wanted)
        assert answer.status_code == 201, answer.text
        launched = await self.shop.launch(answer.json()["campaign_id"])
        assert launched.state == "running", launched.error
        await self.shop.run_sender()
        body = await self.shop.value(
            "select body from sandbox_message where org_id = %(org)s and send_id = %(s)s", s=launched.send_id
        )
        part = message_from_bytes(body, policy=policy.default).get_body(("html",))
        return bytes(body).decode() if part is None else str(part.get_content())

    async def clicked(self, body: str) -> list[str]:
        """Where the tracked links lead, in order."""
        paths = re.findall(r"http://perigee\.test(/[cs]/[^\"'\s<>]+)", body)
        answers = [
            await self.api.call("GET", path, key="") for path in dict.fromkeys(paths) if path[-2:] != ".0"
        ]
        assert {answer.status_code for answer in answers} <= {302}
        return [answer.headers["location"] for answer in answers]


@pytest.fixture
async def story(api: Api) -> Story:
    shop = Shop(api.db, api.org_id)
    return Story(api, shop, await shop.person("anna@example.com", phone="380501112233", town="Kyiv"))


async def test_a_click_leads_to_the_tagged_address_of_the_person(story: Story) -> None:
    body = await story.sent(await story.message())
    assert "utm_source" not in body, "the message does not grow"
    stored, rendered = await story.clicked(body)
    contact = f"utm_content=Yespo-{story.anna}"
    assert stored == (
        "https://shop.example.com/a?x=1&utm_source=perigee&utm_medium=email&utm_campaign=May%20sale"
        f"&{contact}#top"
    )
    assert rendered == (
        "https://shop.example.com/b?t=Kyiv&utm_medium=own&utm_source=perigee&utm_campaign=May%20sale"
        f"&{contact}"
    )
    urls = await story.shop.sql("select detail from activity where org_id = %(org)s and status = 'CLICKED'")
    assert {url for (url,) in urls} == {
        "https://shop.example.com/a?x=1#top",
        "https://shop.example.com/b?t=Kyiv&utm_medium=own",
    }, "reports count the author's address"


async def test_a_message_without_tags_names_nobody(story: Story) -> None:
    body = await story.sent(await story.message(utm={"enabled": False}))
    assert await story.clicked(body) == [
        "https://shop.example.com/a?x=1#top",
        "https://shop.example.com/b?t=Kyiv&utm_medium=own",
    ]


async def test_the_switch_of_the_organisation_counts_for_messages_sent_before(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Targets, "FRESH", -1.0)
    body = await story.sent(await story.message(utm={"enabled": True}))
    tagged = await story.clicked(body)
    await story.api.call("PATCH", "/api/v4/organisation", {"utm": False})
    assert not [url for url in await story.clicked(body) if "Yespo-" in url or "utm_source" in url]
    await story.api.call("PATCH", "/api/v4/organisation", {"utm": True})
    assert await story.clicked(body) == tagged


async def test_a_campaign_goes_before_its_message_and_that_before_the_organisation(story: Story) -> None:
    change = {"utm_source": "shop", "utm_medium": "{channel}-news", "utm_campaign": "all"}
    await story.api.call("PATCH", "/api/v4/organisation", change)
    message = await story.message(utm={"medium": "{message}", "campaign": "{message_id}"})
    body = await story.sent(message, utm={"campaign": "{campaign}/{channel}"})
    stored, _ = await story.clicked(body)
    assert "utm_source=shop&utm_medium=News&utm_campaign=May%20sale%2Femail&" in stored


async def test_a_campaign_can_switch_the_tags_of_its_message_off(story: Story) -> None:
    stored, _ = await story.clicked(await story.sent(await story.message(), utm={"enabled": False}))
    assert stored == "https://shop.example.com/a?x=1#top"


async def test_an_sms_is_tagged_when_asked_in_its_text_or_when_clicked(story: Story) -> None:
    assert (await story.sent(await story.message("sms", SMS))).endswith("Look https://shop.example.com/a")
    on = {"enabled": True, "source": "s", "campaign": ""}
    assert (await story.sent(await story.message("sms", SMS, utm=on))).endswith(
        f"Look https://shop.example.com/a?utm_source=s&utm_medium=sms&utm_content=Yespo-{story.anna}"
    )
    tracked = await story.sent(await story.message("sms", {**SMS, "trackUrls": True}, utm=on))
    assert "utm_" not in tracked
    assert await story.clicked(tracked) == [
        f"https://shop.example.com/a?utm_source=s&utm_medium=sms&utm_content=Yespo-{story.anna}"
    ]


async def test_a_message_is_changed_for_what_is_sent_from_then_on(story: Story, host: str) -> None:
    message = await story.message()
    before = await story.sent(message)
    async with AsyncClient(host, story.api.key) as perigee:
        changed = await perigee.change_message(message, utm=Utm(source="x", medium="", campaign=""))
        assert (await perigee.get_message(message)).utm == changed.utm
    stored, _ = await story.clicked(await story.sent(message))
    assert stored == f"https://shop.example.com/a?x=1&utm_source=x&utm_content=Yespo-{story.anna}#top"
    assert "utm_source=perigee" in (await story.clicked(before))[0]


@pytest.mark.parametrize(
    "utm", [{"source": "{who}"}, {"source": "x" * 101}, {"colour": "red"}, {"enabled": "?"}]
)
async def test_bad_settings_are_refused_and_nothing_is_made(story: Story, utm: dict[str, Any]) -> None:
    body = {"channel": "email", "name": "News", "content": EMAIL, "utm": utm}
    refused = await story.api.post("/api/v4/messages", body)
    assert refused.status_code == 400
    assert next(iter(utm)) in refused.text
    assert await story.shop.value("select count(*) from message where org_id = %(org)s") == 0
    message = await story.message()
    changed = await story.api.call("PATCH", f"/api/v4/messages/{message}", {"utm": utm})
    assert changed.status_code == 400
    segment = await story.shop.segment("all", [story.anna])
    campaign = {"message_id": message, "include": [segment], "utm": utm}
    assert (await story.api.post("/api/v4/campaigns", campaign)).status_code == 400


class Counting:
    """A database that counts who asks it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.asked = 0

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        self.asked += 1
        async with self.database.connection() as connection:
            yield connection


async def test_a_click_costs_no_statement_once_its_link_is_known(story: Story) -> None:
    await story.sent(await story.message())
    send_id = await story.shop.value("select send_id from send where org_id = %(org)s")
    counting = Counting(story.api.db)
    targets = Targets(cast("Database", counting))
    for contact in (1, 2, 3):
        who = Recipient(story.api.org_id, send_id, contact, contact)
        assert f"Yespo-{contact}" in (await targets.of(Click(who, 1, None))).location
        assert f"Yespo-{contact}" in (await targets.of(Click(who, 2, "https://x.example/1"))).location
    assert counting.asked == 3, (
        "the send's variants, the stored link, the tags of the rendered one: once each"
    )
    for _ in range(2):
        with pytest.raises(NotFound):
            await targets.of(Click(who, 99, None))
    assert counting.asked == 5, "what does not exist takes no place"


async def test_a_send_from_before_the_tags_has_none(story: Story) -> None:
    body = await story.sent(await story.message())
    await story.shop.sql("update send set utm = null where org_id = %(org)s")
    assert (await story.clicked(body))[0] == "https://shop.example.com/a?x=1#top"


async def test_a_draft_shows_its_settings(story: Story) -> None:
    segment = await story.shop.segment("all", [story.anna])
    campaign = await story.shop.campaign(await story.message(), [segment], utm=Utm(medium=" m "))
    assert campaign.utm == Utm(medium="m")
    assert (await story.shop.act(manage.stop, campaign.campaign_id)).utm == Utm(medium="m")
