"""Contract section 18 on the wire: seven methods of six channels, and the link that shows an email."""

from __future__ import annotations

import dataclasses
from typing import Any

import msgspec
import pytest

from perigee.messages.contents import Sms, Viber
from perigee.settings import Settings
from perigee.testing.api import SETTINGS, Api
from perigee.testing.wire import data, listed, ok, refused, sentence

SENDER = '"Example Shop" <news@example.com>'
HTML = '<html><body>Hi<a href="https://esputnik.com/unsubscribe">Unsubscribe</a></body></html>'
EXAMPLES: dict[str, dict[str, Any]] = {
    "email": {
        "name": "Welcome",
        "from": SENDER,
        "subject": "Hello, %FIRSTNAME|friend%",
        "htmlText": HTML,
        "css": "",
        "languageCode": "en",
        "tags": ["promo"],
        "subscriptionsKeys": ["news"],
    },
    "sms": {
        "name": "Code",
        "from": "EXAMPLE",
        "text": "Your code: $!data.get('code')",
        "trackUrls": False,
        "tags": ["service"],
    },
    "viber": {
        "name": "Sale",
        "from": "EXAMPLE",
        "text": "Sale today",
        "img": "https://shop.example.com/s.png",
        "caption": "Open",
        "action": "https://shop.example.com/sale",
        "smsFallback": True,
        "smsSender": "EXAMPLE",
        "smsContent": "Sale today",
    },
    "mobilepush": {
        "name": "Order paid",
        "title": "Order confirmed",
        "text": "Order $!data.get('externalOrderId') is confirmed",
        "link": "https://shop.example.com/orders",
        "ttlSec": 3600,
        "buttons": [{"actionId": "open", "label": "Open"}],
        "soundEnabled": True,
    },
    "appinbox": {
        "name": "Bonus",
        "title": "A gift",
        "text": "You have 50 points",
        "link": "https://shop.example.com/bonus",
        "imageSource": "https://shop.example.com/b.png",
        "customData": '{"category":"bonus"}',
    },
    "telegram": {
        "name": "Bot hello",
        "text": "Hello",
        "buttons": [{"text": "Open shop", "link": "https://shop.example.com"}],
    },
}
REQUIRED = {
    "email": ("name", "from", "subject", "htmlText"),
    "sms": ("name", "from", "text"),
    "viber": ("name", "from", "text"),
    "mobilepush": ("name", "title", "text"),
    "appinbox": ("name", "title", "text"),
    "telegram": ("name",),
}
OPTIONAL: dict[str, dict[str, Any]] = {
    "email": {
        "rawHtml": "<p>Hi</p>",
        "css": ".a{color:red}",
        "ampHtml": "<!doctype html><html ⚡4email><head></head><body>Hi</body></html>",
        "plainText": "Hi",
    },
    "sms": {"trackUrls": True},
    "viber": {"ttlSec": 600},
    "mobilepush": {
        "subtitle": "Paid",
        "imageSource": "https://shop.example.com/p.png",
        "images": ["https://shop.example.com/1.png", "https://shop.example.com/2.png"],
        "customData": '{"a":1}',
        "badgeCount": 2**40,
        "buttons": [
            {
                "actionId": "open",
                "label": "Open",
                "iosIconPath": "icon.png",
                "link": "https://shop.example.com/o",
                "customData": '{"b":2}',
            }
        ],
    },
    "appinbox": {"ttlSec": 3600},
    "telegram": {"imageSource": "https://shop.example.com/t.png"},
}
CHANGED = {"telegram": "text", "email": "subject"}
CHANNELS = pytest.mark.parametrize("channel", EXAMPLES)
EVERY_REQUIRED = pytest.mark.parametrize(
    ("channel", "member"), [(channel, one) for channel, names in REQUIRED.items() for one in names]
)


@pytest.fixture(autouse=True)
async def news(api: Api) -> None:
    """The category that the email's example names."""
    assert (await api.post("/api/v4/categories", {"name": "News"})).status_code == 201


def words(channel: str) -> str:
    """A member to change."""
    return CHANGED.get(channel, "text")


async def make(api: Api, channel: str, **members: Any) -> int:
    body = {**EXAMPLES[channel], **members}
    made = data(await api.post(f"/api/v1/messages/{channel}", body))
    assert made.keys() == {"id"}
    return int(made["id"])


async def read(api: Api, channel: str, message_id: int) -> dict[str, Any]:
    found: dict[str, Any] = data(await api.get(f"/api/v1/messages/{channel}/{message_id}"))
    return found


async def names(api: Api, channel: str, **query: Any) -> tuple[list[str], int]:
    rows, total = listed(await api.get(f"/api/v1/messages/{channel}", params=query))
    return sorted(row["name"] for row in rows), total


@CHANNELS
async def test_the_example_is_created_and_read_back(api: Api, channel: str) -> None:
    message_id = await make(api, channel)
    found = await read(api, channel, message_id)
    for name, value in EXAMPLES[channel].items():
        if value not in ("", False):
            assert found[name] == value, name
    assert (found["id"], found["languageCode"], found["languages"]) == (message_id, "en", ["en"])
    assert found.get("translations", []) == []


@CHANNELS
async def test_every_optional_member_is_kept(api: Api, channel: str) -> None:
    found = await read(api, channel, await make(api, channel, **OPTIONAL[channel]))
    assert {name: found[name] for name in OPTIONAL[channel]} == OPTIONAL[channel]


@EVERY_REQUIRED
async def test_a_required_member_is_required(api: Api, channel: str, member: str) -> None:
    body = {name: value for name, value in EXAMPLES[channel].items() if name != member}
    for bad in (body, {**body, member: None}):
        refused(await api.post(f"/api/v1/messages/{channel}", bad), 400, member)
    assert await names(api, channel) == ([], 0)


@EVERY_REQUIRED
async def test_a_change_wants_all_required_members_too(api: Api, channel: str, member: str) -> None:
    message_id = await make(api, channel)
    before = await read(api, channel, message_id)
    body = {name: value for name, value in EXAMPLES[channel].items() if name != member}
    refused(await api.put(f"/api/v1/messages/{channel}/{message_id}", body), 400, member)
    assert await read(api, channel, message_id) == before


@CHANNELS
async def test_an_empty_body_is_refused_on_create_and_change(api: Api, channel: str) -> None:
    message_id = await make(api, channel)
    before = await read(api, channel, message_id)
    refused(await api.post(f"/api/v1/messages/{channel}", {}), 400)
    refused(await api.put(f"/api/v1/messages/{channel}/{message_id}", {}), 400)
    refused(await api.put(f"/api/v1/messages/{channel}/{message_id}/uk", {}), 400)
    assert await read(api, channel, message_id) == before


@CHANNELS
async def test_a_change_leaves_absent_optional_members_unchanged(api: Api, channel: str) -> None:
    message_id = await make(api, channel, **OPTIONAL[channel])
    before = await read(api, channel, message_id)
    required = {name: EXAMPLES[channel][name] for name in REQUIRED[channel]}
    changed = {**required, words(channel): "Changed"}
    sentence(await api.put(f"/api/v1/messages/{channel}/{message_id}", changed))
    assert await read(api, channel, message_id) == {**before, words(channel): "Changed"}


@CHANNELS
async def test_translations_are_added_changed_and_deleted(api: Api, channel: str) -> None:
    message_id = await make(api, channel)
    path = f"/api/v1/messages/{channel}/{message_id}"
    for text in ("Вітаємо", "Привіт"):
        sentence(
            await api.put(f"{path}/uk", {**EXAMPLES[channel], "languageCode": "uk", words(channel): text})
        )
        found = await read(api, channel, message_id)
        assert found["languages"] == ["en", "uk"]
        assert found[words(channel)] == EXAMPLES[channel][words(channel)]
        (translation,) = found["translations"]
        assert (translation["languageCode"], translation[words(channel)]) == ("uk", text)
        assert translation["name"] == EXAMPLES[channel]["name"]
        assert not {"translations", "languages", "id"} & translation.keys()
    sentence(await api.delete(f"{path}/uk"))
    found = await read(api, channel, message_id)
    assert (found["languages"], found.get("translations", [])) == (["en"], [])
    refused(await api.delete(f"{path}/uk"), 404)


@CHANNELS
async def test_a_message_is_deleted_with_its_translations(api: Api, channel: str) -> None:
    message_id = await make(api, channel)
    path = f"/api/v1/messages/{channel}/{message_id}"
    sentence(await api.put(f"{path}/uk", {**EXAMPLES[channel], "languageCode": "uk"}))
    sentence(await api.delete(path))
    refused(await api.get(path), 404)
    assert await names(api, channel) == ([], 0)
    refused(await api.delete(f"{path}/uk"), 404)
    refused(await api.put(f"{path}/uk", EXAMPLES[channel]), 404)


@CHANNELS
async def test_an_unknown_id_is_not_found(api: Api, channel: str) -> None:
    body = EXAMPLES[channel]
    path = f"/api/v1/messages/{channel}/404"
    for answer in (
        await api.get(path),
        await api.put(path, body),
        await api.delete(path),
        await api.put(f"{path}/uk", body),
        await api.delete(f"{path}/uk"),
    ):
        refused(answer, 404)


@CHANNELS
async def test_a_message_of_another_channel_is_not_found(api: Api, channel: str) -> None:
    other = "sms" if channel != "sms" else "email"
    refused(await api.get(f"/api/v1/messages/{channel}/{await make(api, other)}"), 404)


@CHANNELS
async def test_a_search_goes_by_a_part_of_the_name_or_by_a_tag(api: Api, channel: str) -> None:
    await make(api, channel, name="Spring sale", tags=["promo"])
    await make(api, channel, name="Autumn news", tags=["news", "spring"])
    await make(api, channel, name="Else", tags=["springtime"])
    for query, expected in (
        ({}, ["Autumn news", "Else", "Spring sale"]),
        ({"search": ""}, ["Autumn news", "Else", "Spring sale"]),
        ({"search": "prin"}, ["Spring sale"]),
        ({"search": "spring"}, ["Autumn news", "Spring sale"]),
        ({"search": "promo"}, ["Spring sale"]),
        ({"search": "%"}, []),
    ):
        assert await names(api, channel, **query) == (expected, len(expected)), query


@CHANNELS
async def test_rows_of_a_search_are_base_messages_with_their_translations(api: Api, channel: str) -> None:
    message_id = await make(api, channel)
    sentence(await api.put(f"/api/v1/messages/{channel}/{message_id}/uk", EXAMPLES[channel]))
    rows, total = listed(await api.get(f"/api/v1/messages/{channel}"))
    assert (rows, total) == ([await read(api, channel, message_id)], 1)


@CHANNELS
async def test_a_search_counts_from_one_and_has_500_rows_at_most(api: Api, channel: str) -> None:
    first = await make(api, channel)
    await api.rows(
        "with made as (insert into message (org_id, channel, name, language)"
        " select org_id, channel, name, language from message, generate_series(1, 500)"
        " where org_id = %(org_id)s and message_id = %(id)s returning org_id, message_id, language)"
        " insert into message_version (org_id, message_id, language, content)"
        " select org_id, m.message_id, m.language, v.content from made m join message_version v using (org_id)"
        " where v.message_id = %(id)s",
        id=first,
    )
    for query, count in (
        ({}, 500),
        ({"maxrows": 499}, 499),
        ({"maxrows": 500}, 500),
        ({"maxrows": 501}, 500),
        ({"startindex": 1}, 500),
        ({"startindex": 501}, 1),
        ({"startindex": 502}, 0),
    ):
        found, total = await names(api, channel, **query)
        assert (len(found), total) == (count, 501), query
    refused(await api.get(f"/api/v1/messages/{channel}?startindex=0"), 400, "startindex")


@CHANNELS
async def test_subscription_keys_must_be_categories(api: Api, channel: str) -> None:
    body = {**EXAMPLES[channel], "subscriptionsKeys": ["nope"]}
    refused(await api.post(f"/api/v1/messages/{channel}", body), 400, "subscriptionsKeys", "nope")
    found = await read(api, channel, await make(api, channel, subscriptionsKeys=["news"]))
    assert found["subscriptionsKeys"] == ["news"]


# 18.1


async def test_an_email_is_read_as_in_the_example(api: Api) -> None:
    message_id = await make(api, "email", rawHtml=HTML, css=".a{}")
    ukrainian = {"name": "Welcome", "from": SENDER, "subject": "Вітаємо", "htmlText": HTML}
    sentence(await api.put(f"/api/v1/messages/email/{message_id}/uk", ukrainian))
    found = await read(api, "email", message_id)
    expected = {
        **EXAMPLES["email"],
        "id": message_id,
        "languages": ["en", "uk"],
        "rawHtml": HTML,
        "css": ".a{}",
    }
    del expected["htmlText"]  # the styles of `css` stand in it
    assert {name: found[name] for name in expected} == expected
    assert 'Hi<a href="https://esputnik.com/unsubscribe">Unsubscribe</a>' in found["htmlText"]
    (translation,) = found["translations"]
    expected = {**ukrainian, "languageCode": "uk"}
    del expected["htmlText"]
    assert "Unsubscribe</a>" in translation["htmlText"]
    assert {name: translation[name] for name in expected} == expected


@pytest.mark.parametrize("sender", ["news@example.com", "Example Shop", '"Example Shop"', ""])
async def test_an_email_is_not_from_a_bare_address(api: Api, sender: str) -> None:
    refused(await api.post("/api/v1/messages/email", {**EXAMPLES["email"], "from": sender}), 400, "from")


async def confirm(api: Api, channel: str, value: str) -> None:
    answer = await api.post("/api/v4/senders", {"channel": channel, "value": value})
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize(
    ("channel", "known", "unknown"),
    [
        ("email", SENDER, '"Other" <other@example.com>'),
        ("viber", "EXAMPLE", "OTHER"),
        ("sms", "EXAMPLE", "OTHER"),
    ],
)
async def test_a_sender_must_be_a_confirmed_one(api: Api, channel: str, known: str, unknown: str) -> None:
    await confirm(api, channel, known)
    message_id = await make(api, channel)
    body = {**EXAMPLES[channel], "from": unknown}
    refused(await api.post(f"/api/v1/messages/{channel}", body), 400, "from")
    refused(await api.put(f"/api/v1/messages/{channel}/{message_id}", body), 400, "from")


async def test_an_email_posted_with_an_id_changes_that_message_or_adds_a_language(api: Api) -> None:
    message_id = await make(api, "email")
    assert await make(api, "email", id=message_id, subject="Changed") == message_id
    assert await make(api, "email", id=str(message_id), languageCode="uk", subject="Вітаємо") == message_id
    found = await read(api, "email", message_id)
    assert (found["subject"], found["languages"]) == ("Changed", ["en", "uk"])
    assert found["translations"][0]["subject"] == "Вітаємо"
    refused(await api.post("/api/v1/messages/email", {**EXAMPLES["email"], "id": 404}), 404)


async def test_the_view_link_shows_the_email(api: Api) -> None:
    message_id = await make(api, "email")
    answer = data(await api.get(f"/api/v1/messages/email/{message_id}/viewLink"))
    assert answer.keys() == {"link"}
    page = await api.get(answer["link"].removeprefix("http://perigee.test"), key="")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "Hi" in page.text
    refused(await api.get("/api/v1/messages/email/404/viewLink"), 404)


# 18.2 to 18.6


def test_defaults_are_those_of_the_contract() -> None:
    sms = msgspec.convert({"from": "EXAMPLE", "text": "x"}, Sms)
    viber = msgspec.convert({"from": "EXAMPLE", "text": "x"}, Viber)
    assert sms.track_urls is False
    assert (viber.transactional, viber.ttl_sec, viber.sms_fallback) == (False, 86_400, False)


PICTURE = ("img", "caption", "action")


@pytest.mark.parametrize("given", [(), *((one,) for one in PICTURE), PICTURE[:2], PICTURE[1:], PICTURE])
async def test_a_viber_picture_comes_with_caption_and_action_or_not_at_all(
    api: Api, given: tuple[str, ...]
) -> None:
    body = {name: value for name, value in EXAMPLES["viber"].items() if name not in PICTURE or name in given}
    answer = await api.post("/api/v1/messages/viber", body)
    if len(given) in (0, 3):
        ok(answer)
    else:
        refused(answer, 400, "all three or none")
    message_id = (ok(answer).json() if answer.status_code == 200 else {"id": await make(api, "viber")})["id"]
    if given:
        transactional = {**{name: body.get(name) for name in REQUIRED["viber"]}, "transactional": True}
        transactional |= {name: body[name] for name in given}
        refused(await api.post("/api/v1/messages/viber", transactional), 400)
        refused(await api.put(f"/api/v1/messages/viber/{message_id}", transactional), 400)


async def test_a_transactional_viber_message_is_text_only(api: Api) -> None:
    plain = dict.fromkeys(PICTURE)
    found = await read(api, "viber", await make(api, "viber", transactional=True, **plain))
    assert found["transactional"] is True


async def test_a_push_has_ten_images_and_four_buttons_at_most(api: Api) -> None:
    image, button = "https://shop.example.com/i.png", {"actionId": "a", "label": "A"}
    for count in (9, 10):
        await make(api, "mobilepush", images=[image] * count)
    for count in (3, 4):
        await make(api, "mobilepush", buttons=[button] * count)
    for member, value in (("images", [image] * 11), ("buttons", [button] * 5)):
        answer = await api.post("/api/v1/messages/mobilepush", {**EXAMPLES["mobilepush"], member: value})
        refused(answer, 400, member)


@pytest.mark.parametrize(
    ("channel", "button"),
    [
        ("mobilepush", {"label": "A"}),
        ("mobilepush", {"actionId": "a"}),
        ("telegram", {"text": "A"}),
        ("telegram", {"link": "https://shop.example.com"}),
    ],
)
async def test_a_button_has_its_required_members(api: Api, channel: str, button: dict[str, str]) -> None:
    answer = await api.post(f"/api/v1/messages/{channel}", {**EXAMPLES[channel], "buttons": [button]})
    refused(answer, 400, "buttons")


@pytest.mark.parametrize("channel", ["mobilepush", "appinbox"])
async def test_custom_data_is_json_text(api: Api, channel: str) -> None:
    answer = await api.post(f"/api/v1/messages/{channel}", {**EXAMPLES[channel], "customData": "{no"})
    refused(answer, 400, "customData")


async def test_a_telegram_message_needs_a_name_only(api: Api) -> None:
    data(await api.post("/api/v1/messages/telegram", {"name": "Bot hello"}))


async def test_web_push_templates_have_no_methods(api: Api) -> None:
    refused(await api.get("/api/v1/messages/webpush"), 404)
    refused(await api.post("/api/v1/messages/webpush", {"name": "x", "title": "x", "text": "x"}), 404)


class TestRates:
    @pytest.fixture
    def settings(self) -> Settings:
        return dataclasses.replace(SETTINGS, rate_template_reads_per_hour=4)

    async def test_reading_of_all_channels_and_view_links_share_one_rate_an_hour(self, api: Api) -> None:
        message_id = await make(api, "email")
        paths = [f"email/{message_id}/viewLink", *EXAMPLES]
        answers = [await api.get(f"/api/v1/messages/{path}") for path in paths]
        assert [answer.status_code for answer in answers] == [200] * 4 + [429] * 3
        assert int(answers[-1].headers["Retry-After"]) >= 1
        await make(api, "sms")


class TestEmailRate:
    @pytest.fixture
    def settings(self) -> Settings:
        return dataclasses.replace(SETTINGS, rate_email_template=1)

    async def test_an_email_by_its_id_has_a_rate_a_second_too(self, api: Api) -> None:
        message_id = await make(api, "email")
        for _ in range(30):
            answer = await api.get(f"/api/v1/messages/email/{message_id}")
            if answer.status_code == 429:
                break
        refused(answer, 429)
        listed(await api.get("/api/v1/messages/email"))


def test_the_default_rates_are_those_of_the_contract() -> None:
    defaults = Settings(home=SETTINGS.home, secret_key="-")
    assert (defaults.rate_template_reads_per_hour, defaults.rate_email_template) == (500, 10)
