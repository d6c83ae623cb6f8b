"""Messages of the old wire in Velocity: the language is told from the texts, and faults are found when saving."""

from __future__ import annotations

from typing import Any

from perigee.testing.api import Api

SMS = {"name": "Code", "from": "EXAMPLE", "text": "Your code: $!data.get('code')"}


async def engine_of(api: Api, message_id: int) -> str:
    answer = await api.get(f"/api/v4/messages/{message_id}")
    engine: str = answer.json()["engine"]
    return engine


async def create(api: Api, **members: Any) -> int:
    answer = await api.post("/api/v1/messages/sms", json={**SMS, **members})
    made: int = answer.json()["id"]
    return made


async def test_the_language_follows_the_texts(api: Api) -> None:
    message_id = await create(api)
    assert await engine_of(api, message_id) == "velocity"
    await api.put(f"/api/v1/messages/sms/{message_id}", json={**SMS, "text": "Code {{ code }}"})
    assert await engine_of(api, message_id) == "liquid"
    assert await engine_of(api, await create(api, text="Hello")) == "liquid"


async def test_a_translation_may_bring_the_language(api: Api) -> None:
    message_id = await create(api, text="Hello")
    await api.put(f"/api/v1/messages/sms/{message_id}/uk", json={**SMS, "text": "#if($data.a)x#end"})
    assert await engine_of(api, message_id) == "velocity"


async def test_a_fault_names_line_and_rule(api: Api) -> None:
    answer = await api.post("/api/v1/messages/sms", json={**SMS, "text": "Hi\n#if($data.a)x"})
    assert answer.status_code == 400
    assert "text: line 2: #if has no #end" in answer.text


async def test_the_language_may_be_given(api: Api) -> None:
    body = {"channel": "sms", "name": "n", "content": {"from": "EXAMPLE", "text": "$x"}, "engine": "velocity"}
    answer = await api.post("/api/v4/messages", json=body)
    assert answer.json()["engine"] == "velocity"
