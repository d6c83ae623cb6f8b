"""Senders: added over /api/v4, shown on the old wire (contract 20.5, 20.6), asked for when a message is saved."""

from __future__ import annotations

from typing import Any

import pytest

from perigee.errors import Invalid
from perigee.senders.check import check_sender
from perigee.senders.forms import normal
from perigee.testing.api import Api, make_organisation

PATH = "/api/v4/senders"
NEWS = '"Example Shop" <news@example.com>'


async def add(api: Api, channel: str, value: str) -> dict[str, Any]:
    answer = await api.post(PATH, {"channel": channel, "value": value})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_senders_are_listed_by_channel_in_the_documented_form(api: Api) -> None:
    assert (await api.get("/api/v1/interfaces/email")).json() == []
    await add(api, "email", NEWS)
    await add(api, "sms", "EXAMPLE")
    await add(api, "viber", "Example shop and friends")
    assert (await api.get("/api/v1/interfaces/email")).json() == [{"type": "email", "value": NEWS}]
    assert (await api.get("/api/v1/interfaces/sms")).json() == [{"type": "sms", "value": "EXAMPLE"}]


async def test_only_confirmed_senders_are_listed(api: Api) -> None:
    await api.rows(
        "insert into sender (org_id, channel, value) values (%(org_id)s, 'email', %(value)s)", value=NEWS
    )
    assert (await api.get("/api/v1/interfaces/email")).json() == []
    await add(api, "email", NEWS)
    assert (await api.get("/api/v1/interfaces/email")).json() == [{"type": "email", "value": NEWS}]


async def test_a_sender_is_added_once_and_removed(api: Api) -> None:
    made = await add(api, "email", "Example Shop <news@example.com>")
    assert made["value"] == NEWS
    assert await add(api, "email", NEWS) == made
    assert (await api.get(f"{PATH}?channel=email")).json() == {"items": [made]}
    assert (await api.get(f"{PATH}?channel=sms")).json() == {"items": []}
    path = f"{PATH}/{made['sender_id']}"
    assert [(await api.delete(path)).status_code for _ in range(2)] == [204, 404]
    assert (await api.get(PATH)).json() == {"items": []}


async def test_organisations_do_not_share_senders(api: Api) -> None:
    made = await add(api, "email", NEWS)
    _, key = await make_organisation(api.db, "Other")
    assert (await api.get("/api/v1/interfaces/email", key=key)).json() == []
    assert (await api.delete(f"{PATH}/{made['sender_id']}", key=key)).status_code == 404


@pytest.mark.parametrize(
    ("channel", "value"),
    [
        ("email", "news@example.com"),
        ("email", "<news@example.com>"),
        ("email", '"Shop" <news>'),
        ("email", '"info@bank.example" <news@example.com>'),
        ("email", '"Shop\nBcc: x" <news@example.com>'),
        ("sms", "TWELVELETTER"),
        ("sms", "Магазин"),
        ("viber", "v" * 29),
        ("viber", "   "),
        ("fax", "12345"),
    ],
)
async def test_what_is_no_sender_is_refused(api: Api, channel: str, value: str) -> None:
    answer = await api.post(PATH, {"channel": channel, "value": value})
    assert answer.status_code == 400
    assert answer.json()["field"] in ("value", "channel")
    assert (await api.get(PATH)).json() == {"items": []}


def test_quotes_in_a_name_survive() -> None:
    text = r'"The \"Old\" Shop" <news@example.com>'
    assert normal("email", text) == text


async def checked(api: Api, channel: str, sender: str) -> str | None:
    async with api.db.connection() as conn:
        try:
            await check_sender(conn, api.org_id, channel, sender)
        except Invalid as error:
            return error.field
    return None


async def test_without_confirmed_senders_any_will_do(api: Api) -> None:
    await add(api, "sms", "EXAMPLE")
    assert await checked(api, "email", '"Anybody" <any@shop.example.com>') is None


async def test_with_confirmed_senders_the_address_decides(api: Api) -> None:
    await add(api, "email", NEWS)
    assert await checked(api, "email", '"Another name" <News@Example.com>') is None
    assert await checked(api, "email", '"Example Shop" <other@example.com>') == "from"


async def test_the_name_of_an_sms_decides(api: Api) -> None:
    await add(api, "sms", "EXAMPLE")
    assert await checked(api, "sms", "EXAMPLE") is None
    assert await checked(api, "sms", "OTHER") == "from"


async def test_a_sender_of_merge_tags_is_known_only_later(api: Api) -> None:
    await add(api, "email", NEWS)
    assert await checked(api, "email", '"Shop" <{{ shop.email }}>') is None


MAIL = {"name": "News", "from": NEWS, "subject": "News", "htmlText": "<p>Hello</p>"}


async def test_a_message_from_somebody_else_is_not_saved(api: Api) -> None:
    await add(api, "email", NEWS)
    made = await api.post("/api/v1/messages/email", MAIL)
    assert made.status_code == 200, made.text
    path = f"/api/v1/messages/email/{made.json()['id']}"
    stranger = {"from": '"Stranger" <news@stranger.example.com>'}
    for answer in (
        await api.post("/api/v1/messages/email", MAIL | stranger),
        await api.put(path, MAIL | stranger),
        await api.put(f"{path}/uk", MAIL | stranger),
    ):
        assert (answer.status_code, answer.json().get("field")) == (400, "from"), answer.text
    stored = (await api.get(path)).json()
    assert (stored["from"], stored["languages"]) == (NEWS, [stored["languageCode"]])


async def test_a_message_is_mended_under_a_confirmed_sender_only(api: Api) -> None:
    made = await api.post("/api/v1/messages/email", MAIL)
    await add(api, "email", '"New" <new@example.com>')
    path, mended = f"/api/v1/messages/email/{made.json()['id']}", {**MAIL, "subject": "Other"}
    assert (await api.put(path, mended)).status_code == 400
    answer = await api.put(path, {**mended, "from": '"New" <new@example.com>'})
    assert answer.status_code == 200, answer.text
