"""Idempotency-Key: one effect, the same answer again, another request refused."""

from __future__ import annotations

import asyncio

from perigee.testing.api import Api

KEYED = {"Idempotency-Key": "a-1"}
MESSAGE = {"channel": "sms", "name": "Hello", "content": {"from": "SHOP", "text": "Hi"}}


async def count(api: Api) -> int:
    return int((await api.rows("select count(*) from message where org_id = %(org_id)s"))[0][0])


async def test_a_repeated_request_has_one_effect_and_the_same_answer(api: Api) -> None:
    first = await api.post("/api/v4/messages", MESSAGE, headers=KEYED)
    again = await api.post("/api/v4/messages", MESSAGE, headers=KEYED)
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert await count(api) == 1


async def test_another_key_or_none_is_another_request(api: Api) -> None:
    for headers in (KEYED, {"Idempotency-Key": "a-2"}, {}, {}):
        assert (await api.post("/api/v4/messages", MESSAGE, headers=headers)).status_code == 201
    assert await count(api) == 4


async def test_another_request_under_the_same_key_is_refused(api: Api) -> None:
    await api.post("/api/v4/messages", MESSAGE, headers=KEYED)
    other = await api.post("/api/v4/messages", {**MESSAGE, "name": "Other"}, headers=KEYED)
    assert other.status_code == 422
    assert other.json()["code"] == "idempotency_key_reused"
    assert await count(api) == 1


async def test_a_refusal_is_kept_too(api: Api) -> None:
    bad = {**MESSAGE, "content": {"from": "SHOP"}}
    first = await api.post("/api/v4/messages", bad, headers=KEYED)
    again = await api.post("/api/v4/messages", bad, headers=KEYED)
    assert first.status_code == again.status_code == 400
    assert first.json() == again.json()


async def test_twins_at_the_same_time_have_one_effect(api: Api) -> None:
    answers = await asyncio.gather(*[api.post("/api/v4/messages", MESSAGE, headers=KEYED) for _ in range(8)])
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert await count(api) == 1


async def test_a_request_that_died_without_an_answer_is_run_again(api: Api) -> None:
    await api.post("/api/v4/messages", MESSAGE, headers=KEYED)
    await api.rows(
        "update idempotency_key set status = null, body = null, at = now() - interval '5 minutes' "
        "where org_id = %(org_id)s"
    )
    assert (await api.post("/api/v4/messages", MESSAGE, headers=KEYED)).status_code == 201
    assert await count(api) == 2


async def test_a_key_must_be_printable_text(api: Api) -> None:
    answer = await api.post("/api/v4/messages", MESSAGE, headers={"Idempotency-Key": "x" * 256})
    assert answer.status_code == 400
    assert answer.json()["field"] == "Idempotency-Key"
