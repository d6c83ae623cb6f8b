"""Templates on the wire: seven methods of each of six channels (contract 18), and `/api/v4/messages`."""

from __future__ import annotations

from typing import Any

import pytest

from perigee.testing.api import Api

SENDER = '"Example Shop" <news@example.com>'
EXAMPLES: dict[str, dict[str, Any]] = {
    "email": {
        "name": "Welcome",
        "from": SENDER,
        "subject": "Hello, %FIRSTNAME|friend%",
        "htmlText": "<html><body>Hi</body></html>",
    },
    "sms": {"name": "Code", "from": "EXAMPLE", "text": "Your code: $!data.get('code')"},
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
CHANGING = {"email": "subject", "sms": "text", "viber": "text", "telegram": "text"}
CHANNELS = pytest.mark.parametrize("channel", EXAMPLES)


async def make(api: Api, channel: str, **more: Any) -> int:
    answer = await api.post(f"/api/v1/messages/{channel}", {**EXAMPLES[channel], **more})
    assert answer.status_code == 200, answer.text
    (message_id,) = answer.json().values()
    return int(message_id)


async def read(api: Api, channel: str, message_id: int) -> dict[str, Any]:
    answer = await api.get(f"/api/v1/messages/{channel}/{message_id}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def search(api: Api, channel: str, **query: Any) -> tuple[list[int], str]:
    answer = await api.get(f"/api/v1/messages/{channel}", params=query)
    assert answer.status_code == 200, answer.text
    return [row["id"] for row in answer.json()], answer.headers["TotalCount"]


@CHANNELS
async def test_the_example_is_created_and_read_back(api: Api, channel: str) -> None:
    message_id = await make(api, channel, tags=["promo"], languageCode="en")
    found = await read(api, channel, message_id)
    expected = {**EXAMPLES[channel], "id": message_id, "tags": ["promo"], "languageCode": "en"}
    if channel == "email":
        assert "Hi" in found.pop("htmlText")
        del expected["htmlText"]
    assert found.items() >= expected.items()
    assert (found["languages"], found["translations"]) == (["en"], [])


@CHANNELS
async def test_every_required_member_is_required(api: Api, channel: str) -> None:
    for name in REQUIRED[channel]:
        for value in (None, "absent"):
            body = {**EXAMPLES[channel], name: value}
            if value == "absent":
                del body[name]
            answer = await api.post(f"/api/v1/messages/{channel}", body)
            assert (answer.status_code, answer.json()["field"]) == (400, name), answer.text
    assert (await api.post(f"/api/v1/messages/{channel}", {})).status_code == 400
    assert (await api.post(f"/api/v1/messages/{channel}")).status_code == 400
    assert await search(api, channel) == ([], "0")


@CHANNELS
async def test_a_change_leaves_what_it_does_not_name(api: Api, channel: str) -> None:
    message_id = await make(api, channel, tags=["promo"])
    before = await read(api, channel, message_id)
    member = CHANGING.get(channel, "title")
    body = {name: EXAMPLES[channel][name] for name in REQUIRED[channel]} | {"name": "New", member: "Changed"}
    answer = await api.put(f"/api/v1/messages/{channel}/{message_id}", body)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json;charset=UTF-8"
    assert answer.text == f"Message with id='{message_id}' has been updated"
    assert await read(api, channel, message_id) == {**before, "name": "New", member: "Changed"}


@CHANNELS
async def test_translations_come_change_and_go(api: Api, channel: str) -> None:
    message_id = await make(api, channel, languageCode="en")
    path = f"/api/v1/messages/{channel}/{message_id}/uk"
    member = CHANGING.get(channel, "title")
    for text in ("Вітаємо", "Привіт"):
        answer = await api.put(path, {**EXAMPLES[channel], member: text})
        assert answer.status_code == 200, answer.text
        found = await read(api, channel, message_id)
        (translation,) = found["translations"]
        assert (found["languages"], translation["languageCode"]) == (["en", "uk"], "uk")
        assert (translation[member], found[member]) == (text, EXAMPLES[channel][member])
        assert "translations" not in translation
    assert (await api.delete(path)).status_code == 200
    assert (await read(api, channel, message_id))["languages"] == ["en"]
    assert (await api.delete(path)).status_code == 404
    base = await api.delete(f"/api/v1/messages/{channel}/{message_id}/en")
    assert (base.status_code, base.json()["field"]) == (400, "language")
    wrong = await api.put(f"/api/v1/messages/{channel}/{message_id}/no-language-at-all", EXAMPLES[channel])
    assert (wrong.status_code, wrong.json()["field"]) == (400, "language")


@CHANNELS
async def test_a_deleted_message_is_gone_with_its_translations(api: Api, channel: str) -> None:
    message_id = await make(api, channel)
    path = f"/api/v1/messages/{channel}/{message_id}"
    await api.put(f"{path}/uk", EXAMPLES[channel])
    assert (await api.delete(path)).text == f"Message with id='{message_id}' has been deleted"
    assert await search(api, channel) == ([], "0")
    for method, where, body in (
        ("GET", path, None),
        ("PUT", path, EXAMPLES[channel]),
        ("DELETE", path, None),
        ("PUT", f"{path}/uk", EXAMPLES[channel]),
        ("DELETE", f"{path}/uk", None),
    ):
        answer = await api.call(method, where, body)
        assert (answer.status_code, answer.json()["status"]) == (404, 404), (method, where)


@CHANNELS
async def test_search_by_part_of_the_name_or_a_tag_with_the_total(api: Api, channel: str) -> None:
    first = await make(api, channel, name="Spring sale", tags=["promo", "2025"])
    second = await make(api, channel, name="Summer sale")
    third = await make(api, channel, name="Receipt", tags=["sale"])
    assert await search(api, channel) == ([third, second, first], "3")
    assert await search(api, channel, search="") == ([third, second, first], "3")
    assert await search(api, channel, search="SUMMER") == ([second], "1")
    assert await search(api, channel, search="promo") == ([first], "1")
    assert await search(api, channel, search="sale") == ([third, second, first], "3")
    assert await search(api, channel, search="prom") == ([], "0")
    assert await search(api, channel, search="%") == ([], "0")
    assert await search(api, channel, startindex=2, maxrows=1) == ([second], "3")
    assert await search(api, channel, startindex=4) == ([], "3")


async def test_an_id_of_another_channel_is_not_found(api: Api) -> None:
    message_id = await make(api, "sms")
    for channel in EXAMPLES.keys() - {"sms"}:
        path = f"/api/v1/messages/{channel}/{message_id}"
        assert (await api.get(path)).status_code == 404
        assert (await api.delete(path)).status_code == 404
        assert (await api.put(path, EXAMPLES[channel])).status_code == 404
    assert (await read(api, "sms", message_id))["name"] == "Code"


@pytest.mark.parametrize("as_text", [False, True])
async def test_email_post_with_an_id_updates_that_message_or_adds_a_language(api: Api, as_text: bool) -> None:
    message_id = await make(api, "email", languageCode="en")
    given: Any = str(message_id) if as_text else message_id
    assert await make(api, "email", id=given, subject="Changed") == message_id
    assert await make(api, "email", id=given, subject="Вітаємо", languageCode="uk") == message_id
    found = await read(api, "email", message_id)
    assert (found["subject"], found["languages"]) == ("Changed", ["en", "uk"])
    assert found["translations"][0]["subject"] == "Вітаємо"
    assert await search(api, "email") == ([message_id], "1")
    assert await make(api, "email", id=None) != message_id
    unknown = await api.post("/api/v1/messages/email", {**EXAMPLES["email"], "id": 999_999})
    assert unknown.status_code == 404


async def test_subscription_keys_must_exist(api: Api) -> None:
    answer = await api.post("/api/v1/messages/sms", {**EXAMPLES["sms"], "subscriptionsKeys": ["news"]})
    assert (answer.status_code, answer.json()["field"]) == (400, "subscriptionsKeys")
    made = await api.post("/api/v4/categories", {"name": "News"})
    key = made.json()["key"]
    message_id = await make(api, "sms", subscriptionsKeys=[key])
    assert (await read(api, "sms", message_id))["subscriptionsKeys"] == [key]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"transactional": True}, "img"),
        ({"img": None}, "img"),
        ({"caption": None, "action": None}, "img"),
    ],
)
async def test_viber_pictures_come_whole_and_never_in_transactional_ones(
    api: Api, change: dict[str, Any], field: str
) -> None:
    answer = await api.post("/api/v1/messages/viber", {**EXAMPLES["viber"], **change})
    assert (answer.status_code, answer.json()["field"]) == (400, field), answer.text


async def test_push_limits(api: Api) -> None:
    for change in ({"images": ["https://x.example.com/i.png"] * 11}, {"buttons": [{"label": "x"}]}):
        answer = await api.post("/api/v1/messages/mobilepush", {**EXAMPLES["mobilepush"], **change})
        assert answer.status_code == 400, answer.text
        assert next(iter(change)) in answer.json()["message"]


@CHANNELS
async def test_v4_has_all_channels_in_one_resource(api: Api, channel: str) -> None:
    content = {name: value for name, value in EXAMPLES[channel].items() if name != "name"}
    member = CHANGING.get(channel, "title")
    wanted = {
        "channel": channel,
        "name": "Hello",
        "content": content,
        "language": "en",
        "tags": ["promo"],
        "translations": {"uk": {**content, member: "Вітаємо"}},
    }
    made = await api.post("/api/v4/messages", wanted)
    assert made.status_code == 201, made.text
    message = made.json()
    assert message.items() >= {"channel": channel, "name": "Hello", "language": "en"}.items()
    assert message["versions"]["uk"][member] == "Вітаємо"
    path = f"/api/v4/messages/{message['message_id']}"
    assert (await api.get(path)).json() == message
    assert (await api.get(f"/api/v4/messages?channel={channel}&search=promo")).json() == {"items": [message]}
    assert (await read(api, channel, message["message_id"]))["languages"] == ["en", "uk"]
    assert (await api.delete(path)).status_code == 204
    gone = await api.get(path)
    assert (gone.status_code, gone.headers["content-type"]) == (404, "application/problem+json")


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"channel": "pigeon", "name": "x", "content": {}},
        {"channel": "sms", "name": "", "content": {"from": "X", "text": "x"}},
        {"channel": "sms", "name": "x", "content": {"from": "X"}},
        {"channel": "sms", "name": "x", "content": {"from": "X", "text": "x"}, "unknown": 1},
        {"channel": "sms", "name": "x", "content": {"from": "X", "text": "x"}, "language": "no language"},
    ],
)
async def test_v4_refusals_are_problems_and_leave_nothing(api: Api, wanted: Any) -> None:
    answer = await api.post("/api/v4/messages", wanted)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert (await api.get("/api/v4/messages")).json() == {"items": []}
