"""Rules tried and people explained, put on lists and taken off, by command."""

from __future__ import annotations

import asyncio

import pytest

from perigee.cli import segments
from perigee.cli.remote import Server
from perigee.testing.api import Api

RULE = '{"is": "field", "field": "town", "test": {"op": "equals", "value": "Kyiv"}}'


async def test_a_rule_is_tried_and_a_person_explained(
    api: Api, host: str, capsys: pytest.CaptureFixture[str]
) -> None:
    server = Server(url=host, key=api.key)
    anna, bo = [await person(api, name, town) for name, town in (("anna", "Kyiv"), ("bo", "Lviv"))]
    await asyncio.to_thread(segments.preview, RULE, server=server)
    shown = capsys.readouterr().out
    assert "1 person" in shown
    assert "CRM-anna" in shown
    assert "CRM-bo" not in shown
    made = (await api.post("/api/v4/segments", {"name": "Kyiv", "condition": {"is": "all", "of": [
        {"is": "has_address", "kind": "email"},
        {"is": "field", "field": "town", "test": {"op": "equals", "value": "Kyiv"}}]}})).json()  # fmt: skip
    await asyncio.to_thread(segments.explain, made["segment_id"], bo, server=server)
    _, top, email, town = capsys.readouterr().out.splitlines()
    assert top == "  no: all"
    assert email.startswith("    yes: has_address")
    assert town.startswith("    no: field")
    assert town.endswith('found: "Lviv"')
    await asyncio.to_thread(segments.explain, made["segment_id"], anna, server=server)
    assert capsys.readouterr().out.startswith("yes: segment")


async def test_people_join_a_list_and_leave_it(
    api: Api, host: str, capsys: pytest.CaptureFixture[str]
) -> None:
    server = Server(url=host, key=api.key)
    anna = await person(api, "anna", "Kyiv")
    made = (await api.post("/api/v4/segments", {"name": "VIP"})).json()["segment_id"]
    await asyncio.to_thread(segments.attach, made, contact_id=[anna], server=server)
    assert "1 person new on the list" in capsys.readouterr().out
    await asyncio.to_thread(segments.detach, made, external_id=["CRM-anna"], server=server)
    assert "1 person taken off the list" in capsys.readouterr().out
    await asyncio.to_thread(segments.count, made, server=server)
    assert capsys.readouterr().out.strip() == "0"


async def person(api: Api, name: str, town: str) -> int:
    channels = [{"type": "email", "value": f"{name}@example.com"}]
    contact = {"channels": channels, "externalCustomerId": f"CRM-{name}", "address": {"town": town}}
    return int((await api.post("/api/v1/contact", contact)).json()["id"])
