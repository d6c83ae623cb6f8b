"""What the client does with answers, refusals and broken connections."""

from __future__ import annotations

import asyncio
import base64

import pytest

from perigee.client import ApiError, AsyncClient, Client, ClientError, Unreachable
from perigee.client.tests.conftest import QUICK, Script
from perigee.client.transport import nothing

WHO = {"userEmail": "owner@example.com", "organisationName": "Shop", "orgId": 1001}


async def test_the_key_is_sent_as_the_password(script: Script) -> None:
    script.answer(WHO)
    async with AsyncClient(script.url + "/", "a key") as perigee:
        assert (await perigee.account_info()).organisation_name == "Shop"
    asked = script.asked[0]
    assert (asked.method, asked.path) == ("GET", "/api/v1/account/info")
    assert base64.b64decode(asked.authorization.removeprefix("Basic ")).decode() == "client:a key"


async def test_the_blocking_client_has_the_same_methods(script: Script) -> None:
    script.answer(WHO)

    def work() -> int:
        with Client(script.url, "k") as perigee:
            return perigee.account_info().org_id

    assert await asyncio.to_thread(work) == 1001


async def test_a_refusal_of_our_api_is_read(script: Script) -> None:
    problem = {
        "status": 400,
        "code": "invalid",
        "detail": "name: '' must have 1 to 255 characters",
        "field": "name",
    }
    script.answer(problem, 400)
    async with AsyncClient(script.url, "k") as perigee:
        with pytest.raises(ApiError, match="must have 1 to 255") as caught:
            await perigee.create_list("")
    assert (caught.value.status, caught.value.code, caught.value.field) == (400, "invalid", "name")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"status": 404, "error": "Not Found", "message": "no such contact"}', "no such contact"),
        (b"Domain already exists", "Domain already exists"),
        (b'"quoted"', "quoted"),
        (b"", "Not Found"),
        (b"[1]", "Not Found"),
    ],
)
async def test_a_refusal_of_the_old_wire_is_read(script: Script, body: bytes, message: str) -> None:
    script.answer(body, 404)
    async with AsyncClient(script.url, "k") as perigee:
        with pytest.raises(ApiError) as caught:
            await perigee.get_contact(1)
    assert (caught.value.message, caught.value.code) == (message, "not_found")


@pytest.mark.parametrize("status", [429, 503])
async def test_come_back_later_is_obeyed_even_where_nothing_may_be_repeated(
    script: Script, status: int
) -> None:
    script.answer({}, status, Retry_After="0")
    script.answer({}, status)
    script.answer({"segment_id": 7, "name": "VIP", "kind": "static", "tags": [], "condition": None, "description": "",
                   "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z"}, 201)  # fmt: skip
    async with AsyncClient(script.url, "k", patience=QUICK) as perigee:
        assert (await perigee.create_list("VIP")).segment_id == 7
    assert len(script.asked) == 3


async def test_patience_ends(script: Script) -> None:
    for _ in range(QUICK.tries):
        script.answer({"message": "too fast"}, 429)
    async with AsyncClient(script.url, "k", patience=QUICK) as perigee:
        with pytest.raises(ApiError, match="too fast"):
            await perigee.account_info()
    assert len(script.asked) == QUICK.tries


async def test_a_pause_longer_than_patience_is_not_waited_for(script: Script) -> None:
    script.answer({"message": "too fast"}, 429, Retry_After="3600")
    async with AsyncClient(script.url, "k", patience=QUICK) as perigee:
        with pytest.raises(ApiError, match="too fast"):
            await perigee.account_info()
    assert len(script.asked) == 1


async def test_a_broken_connection_is_tried_again_where_repeating_does_no_harm(script: Script) -> None:
    script.cut()
    script.answer(b"")
    async with AsyncClient(script.url, "k", patience=QUICK) as perigee:
        assert await perigee.add_orders([{"externalOrderId": "1"}]) == []
    assert [asked.body for asked in script.asked] == [b'{"orders":[{"externalOrderId":"1"}]}'] * 2


CAMPAIGN = {
    "campaign_id": 5,
    "title": "",
    "message_id": 1,
    "channel": "email",
    "include": [1],
    "exclude": [],
    "state": "scheduled",
    "scheduled_at": None,
    "pace": None,
    "send_id": None,
    "app_id": None,
    "error": None,
    "created_at": "2026-01-01T00:00:00Z",
    "updated_at": "2026-01-01T00:00:00Z",
}


async def test_a_launch_whose_answer_was_lost_is_asked_for_again_under_the_same_key(script: Script) -> None:
    script.cut()
    script.answer({"code": "conflict", "detail": "the same request is still running"}, 409)
    script.answer(CAMPAIGN)
    script.answer(CAMPAIGN)
    async with AsyncClient(script.url, "k", patience=QUICK) as perigee:
        assert (await perigee.launch_campaign(5)).state == "scheduled"
        await perigee.launch_campaign(5)
    first, second, third, other = [asked.idempotency_key for asked in script.asked]
    assert first == second == third != other
    assert first


async def test_a_conflict_is_not_waited_out(script: Script) -> None:
    script.answer({"code": "conflict", "detail": "the campaign is finished"}, 409)
    async with AsyncClient(script.url, "k", patience=QUICK) as perigee:
        with pytest.raises(ApiError, match="finished"):
            await perigee.launch_campaign(5)
    assert len(script.asked) == 1


async def test_a_post_of_the_old_wire_is_not_repeated_unless_it_does_no_harm(script: Script) -> None:
    script.cut()
    async with AsyncClient(script.url, "k", patience=QUICK) as perigee:
        with pytest.raises(Unreachable, match="broke"):
            await perigee.transport.call("POST", "/api/v1/event", nothing, body={})
    assert [asked.idempotency_key for asked in script.asked] == [""]


async def test_no_server_is_said_in_one_line() -> None:
    async with AsyncClient("http://127.0.0.1:1", "k", patience=QUICK) as perigee:
        with pytest.raises(
            Unreachable, match=r"^no server answers at http://127.0.0.1:1: Connection refused$"
        ):
            await perigee.account_info()


@pytest.mark.parametrize("body", [b"<html>", b'{"userEmail": 5}', b""])
async def test_another_program_at_the_address_is_noticed(script: Script, body: bytes) -> None:
    script.answer(body)
    async with AsyncClient(script.url, "k") as perigee:
        with pytest.raises(Unreachable, match="does not answer like a Perigee server"):
            await perigee.account_info()


async def test_a_redirect_is_not_followed_with_the_key(script: Script) -> None:
    script.answer(b"", 301, Location="http://elsewhere.example.com/")
    async with AsyncClient(script.url, "k") as perigee:
        with pytest.raises(Unreachable, match="redirects"):
            await perigee.account_info()


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(ClientError, match="http"):
        AsyncClient("127.0.0.1:8025", "k")
