"""Telegram chat tokens over the wire (contract 22.3 to 22.5)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from perigee.testing.api import Api, make_organisation
from perigee.testing.sending import Shop

APP = "11111111-2222-4333-8444-555555555555"


class Bot:
    def __init__(self, api: Api) -> None:
        self.api = api

    async def add(self, *tokens: Any, app: str = APP) -> httpx.Response:
        return await self.api.post(f"/api/v1/apps/{app}/tokens", {"tokens": list(tokens)})

    async def mute(self, body: Any, *, app: str = APP, verb: str = "mute") -> httpx.Response:
        return await self.api.post(f"/api/v1/apps/{app}/token/{verb}", body)

    async def contact(self, **body: Any) -> int:
        answer = await self.api.post("/api/v1/contact", body)
        assert answer.status_code == 200, answer.text
        return int(answer.json()["id"])

    async def read(self, contact_id: int) -> dict[str, Any]:
        answer = await self.api.get(f"/api/v1/contact/{contact_id}")
        assert answer.status_code == 200
        return dict(answer.json())

    async def tokens(self, contact_id: int) -> list[str]:
        channels = (await self.read(contact_id))["channels"]
        return sorted(one["value"] for one in channels if one["type"] == "telegram")

    async def holder(self, token: str) -> int:
        ((contact_id,),) = await self.api.rows(
            "select contact_id from push_token where org_id = %(org_id)s and token = %(token)s", token=token
        )
        return int(contact_id)

    async def people(self) -> int:
        ((count,),) = await self.api.rows("select count(*) from contact where org_id = %(org_id)s")
        return int(count)

    async def silence(self, token: str = "1") -> Any:
        """Seconds until the end of the mute, rounded; a date where it is for ever; None: not muted."""
        ((seconds, until),) = await self.api.rows(
            "select round(extract(epoch from muted_until - now()))::bigint, muted_until::text"
            " from push_token where org_id = %(org_id)s and token = %(token)s",
            token=token,
        )
        return until[:19] if until and until.startswith("9999") else seconds


@pytest.fixture
async def bot(api: Api) -> Bot:
    answer = await api.post("/api/v4/apps", {"kind": "telegram", "name": "Bot", "app_id": APP})
    assert answer.status_code == 201
    return Bot(api)


def email(value: str) -> dict[str, str]:
    return {"type": "email", "value": value}


def sms(value: str) -> dict[str, str]:
    return {"type": "sms", "value": value}


class TestWhoseTokenItIs:
    async def test_the_answer_is_a_bare_sentence(self, bot: Bot) -> None:
        answer = await bot.add(
            {"token": "1", "email": "a@example.com"}, {"token": "2", "phone": "380501112233"}
        )
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json;charset=UTF-8"
        assert answer.text == "2 tokens have been added"

    async def test_a_new_person_gets_all_identifiers(self, bot: Bot) -> None:
        await bot.add(
            {
                "token": 555000111,
                "externalCustomerId": 1001,
                "phone": "+38 050 111-22-33",
                "email": "Anna@Example.com",
            }
        )
        read = await bot.read(await bot.holder("555000111"))
        assert read["externalCustomerId"] == "1001"
        assert read["channels"] == [
            email("Anna@example.com"),
            sms("380501112233"),
            {"type": "telegram", "value": "555000111"},
        ]

    async def test_the_search_goes_by_contact_id_external_id_phone_email(self, bot: Bot) -> None:
        by_email = await bot.contact(channels=[email("a@example.com")])
        by_phone = await bot.contact(channels=[sms("380501112233")])
        by_external = await bot.contact(channels=[email("x@example.com")], externalCustomerId="X")
        by_id = await bot.contact(channels=[email("i@example.com")])
        who: dict[str, Any] = {}
        steps: list[tuple[str, Any, int]] = [
            ("email", "a@example.com", by_email),
            ("phone", "380501112233", by_phone),
            ("externalCustomerId", "X", by_external),
            ("contactId", by_id, by_id),
        ]
        for member, value, expected in steps:
            who[member] = value
            await bot.add({"token": f"of {member}", **who})
            assert await bot.holder(f"of {member}") == expected
        assert await bot.people() == 4

    async def test_an_unknown_contact_id_leaves_the_search_to_the_others(self, bot: Bot) -> None:
        anna = await bot.contact(channels=[email("a@example.com")])
        await bot.add({"token": "1", "contactId": "999", "email": "a@example.com"})
        assert await bot.holder("1") == anna

    async def test_who_is_found_keeps_identifiers_and_older_tokens(self, bot: Bot) -> None:
        anna = await bot.contact(channels=[email("a@example.com")], externalCustomerId="A")
        await bot.add({"token": "1", "externalCustomerId": "A"})
        before = await bot.read(anna)
        await bot.add(
            {"token": "2", "externalCustomerId": "A", "phone": "380501112233", "email": "other@example.com"},
            {"token": "3", "email": "a@example.com", "externalCustomerId": "B", "phone": "380501112234"},
            {"token": "4", "contactId": anna, "externalCustomerId": "C"},
        )
        after = await bot.read(anna)
        assert await bot.tokens(anna) == ["1", "2", "3", "4"]
        assert {**after, "channels": after["channels"][:2]} == before

    async def test_a_token_goes_to_its_last_user(self, bot: Bot) -> None:
        await bot.add({"token": "1", "email": "a@example.com"})
        await bot.add({"token": "1", "email": "b@example.com"})
        assert (await bot.read(await bot.holder("1")))["channels"][0] == email("b@example.com")

    async def test_rows_of_one_new_person_make_one_contact(self, bot: Bot) -> None:
        await bot.add(
            {"token": "1", "externalCustomerId": "A", "phone": "380501112233"},
            {"token": "2", "externalCustomerId": "A"},
            {"token": "3", "phone": "380501112233"},
        )
        assert await bot.people() == 1
        assert await bot.tokens(await bot.holder("1")) == ["1", "2", "3"]

    async def test_a_deleted_person_comes_back(self, bot: Bot) -> None:
        anna = await bot.contact(channels=[email("a@example.com")])
        await bot.api.delete(f"/api/v1/contact/{anna}")
        await bot.add({"token": "1", "contactId": anna})
        assert await bot.tokens(anna) == ["1"]

    async def test_one_token_may_stand_without_its_list(self, bot: Bot) -> None:
        answer = await bot.api.post(
            f"/api/v1/apps/{APP}/tokens/", {"tokens": {"token": "1", "email": "a@example.com"}}
        )
        assert answer.text == "1 token has been added"

    @pytest.mark.parametrize(
        ("tokens", "message"),
        [
            ([], "tokens: is required"),
            ([{"email": "b@example.com"}], "Token must be specified"),
            ([{"token": " ", "email": "b@example.com"}], "Token must be specified"),
            ([{"token": "2"}], "tokens[1]: at least one of contactId"),
            ([{"token": "2", "contactId": 0, "email": " "}], "tokens[1]: at least one of contactId"),
            ([{"token": "2", "email": "b@@example.com"}], "'b@@example.com' is not valid email"),
            ([{"token": "2", "phone": "12"}], "'12' is not valid phone number"),
            ([{"token": "2", "contactId": "x"}], "tokens[1].contactId: 'x' is not a whole number"),
        ],
    )
    async def test_one_bad_token_refuses_the_call_and_writes_nothing(
        self, bot: Bot, tokens: list[Any], message: str
    ) -> None:
        good = [{"token": "1", "email": "a@example.com"}] if tokens else []
        answer = await bot.add(*good, *tokens)
        assert answer.status_code == 400
        assert message in answer.json()["message"]
        assert await bot.people() == 0

    async def test_too_many_are_refused(self, bot: Bot) -> None:
        answer = await bot.add(*[{"token": str(n), "email": "a@example.com"} for n in range(3001)])
        assert answer.status_code == 400
        assert "3001 tokens are more than 3000" in answer.json()["message"]


class TestMuting:
    @pytest.mark.parametrize(
        ("duration", "seconds"),
        [(5, 5), (3600, 3600), ("3600", 3600), (31_536_000, 31_536_000)],
    )
    async def test_for_a_time(self, bot: Bot, duration: Any, seconds: int) -> None:
        await bot.add({"token": "1", "email": "a@example.com"})
        answer = await bot.mute({"token": "1", "duration": duration})
        assert answer.status_code == 200
        assert abs(await bot.silence() - seconds) <= 5

    @pytest.mark.parametrize("more", [{}, {"duration": None}])
    async def test_for_ever(self, bot: Bot, more: dict[str, Any]) -> None:
        await bot.add({"token": "1", "email": "a@example.com"})
        assert (await bot.mute({"token": 1, **more})).status_code == 200
        assert await bot.silence() == "9999-12-31 23:59:59"

    async def test_unmuting_ends_it(self, bot: Bot) -> None:
        await bot.add({"token": "1", "email": "a@example.com"})
        await bot.mute({"token": "1"})
        for _ in range(2):
            answer = await bot.mute({"token": "1"}, verb="unmute")
            assert answer.status_code == 200
        assert await bot.silence() is None

    async def test_a_token_given_again_stays_muted(self, bot: Bot) -> None:
        await bot.add({"token": "1", "email": "a@example.com"})
        await bot.mute({"token": "1"})
        await bot.add({"token": "1", "email": "a@example.com"})
        assert await bot.silence() is not None

    async def test_a_token_that_a_contact_brought_without_application_can_be_muted(self, bot: Bot) -> None:
        await bot.contact(channels=[{"type": "telegram", "value": "1"}])
        assert (await bot.mute({"token": "1", "duration": 60})).status_code == 200

    @pytest.mark.parametrize("verb", ["mute", "unmute"])
    async def test_refusals_have_the_texts_of_the_wire(self, bot: Bot, verb: str) -> None:
        async def refused(body: Any, app: str = APP) -> tuple[int, str]:
            answer = await bot.mute(body, app=app, verb=verb)
            return answer.status_code, answer.json()["message"]

        assert await refused({"token": "1"}, "7") == (400, "Wrong app uuid")
        assert await refused({"token": "1"}, APP.replace("-", "")) == (400, "Wrong app uuid")
        unknown = "99999999-2222-4333-8444-555555555555"
        assert await refused({"token": "1"}, unknown) == (404, "Not registered application")
        for empty in ({}, {"token": None}, {"token": "  "}):
            assert await refused(empty) == (400, "Token must be specified")
        assert await refused({"token": "1"}) == (404, "The token is not found")

    @pytest.mark.parametrize("duration", ["x", 0, -5, 1.5, True, [], "12s"])
    async def test_a_duration_must_be_a_positive_integer(self, bot: Bot, duration: Any) -> None:
        answer = await bot.mute({"token": "1", "duration": duration})
        assert (answer.status_code, answer.json()["message"]) == (400, "Duration must be positive integer")

    @pytest.mark.parametrize("duration", [1, 4, 31_536_001])
    async def test_a_duration_must_be_in_its_range(self, bot: Bot, duration: int) -> None:
        answer = await bot.mute({"token": "1", "duration": duration})
        assert answer.status_code == 400
        assert answer.json()["message"] == "Duration must be positive integer from 5 to 31536000"


async def test_an_application_of_another_kind_has_no_telegram_tokens(bot: Bot) -> None:
    other = "22222222-2222-4333-8444-555555555555"
    await bot.api.post("/api/v4/apps", {"kind": "mobilepush", "name": "App", "app_id": other})
    answer = await bot.add({"token": "1", "email": "a@example.com"}, app=other)
    assert (answer.status_code, answer.json()["message"]) == (404, "Not registered application")
    assert (await bot.add({"token": "1", "email": "a@example.com"}, app="7")).status_code == 400


async def test_another_organisations_application_and_tokens_are_unknown(bot: Bot) -> None:
    await bot.add({"token": "1", "email": "a@example.com"})
    _, key = await make_organisation(bot.api.db, "Other Shop")
    path = f"/api/v1/apps/{APP}/token/mute"
    assert (await bot.api.post(path, {"token": "1"}, key=key)).status_code == 404
    await bot.api.post("/api/v4/apps", {"kind": "telegram", "name": "B", "app_id": APP}, key=key)
    assert (await bot.api.post(path, {"token": "1"}, key=key)).status_code == 404
    assert await bot.silence() is None


async def test_a_muted_chat_still_gets_what_was_sent_to_it_alone(bot: Bot) -> None:
    """Contract 19.1."""
    shop = Shop(bot.api.db, bot.api.org_id)
    await bot.add({"token": "555000111", "externalCustomerId": "CRM-1001"})
    await bot.mute({"token": "555000111"})
    message_id = await shop.message("telegram", versions={"en": {"text": "Your code is {{ code }}"}})
    answer = await bot.api.post(
        f"/api/v1/message/{message_id}/smartsend",
        {"recipients": [{"locator": "555000111", "jsonParam": '{"code": 7}'}], "email": False},
    )
    assert answer.json()["results"]["status"] == "OK"
    await shop.run_sender()
    ((address, body),) = await shop.sql("select address, body from sandbox_message where org_id = %(org)s")
    assert address == "555000111"
    assert b"Your code is 7" in body
