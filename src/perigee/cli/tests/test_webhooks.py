"""Setting up an endpoint, and a message for it, by command."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from perigee.cli import messages, providers
from perigee.cli.remote import Server
from perigee.delivery.channels.webhook.signing import read_secret
from perigee.errors import OperatorError
from perigee.testing.api import Api


async def test_without_a_secret_one_is_made_and_shown_once(
    api: Api, host: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("getpass.getpass", lambda prompt: "")
    server = Server(url=host, key=api.key, json=True)
    await asyncio.to_thread(
        providers.add_webhook, "https://crm.example.com/take", header=["X-Api-Key=abc"], server=server
    )
    shown = json.loads(capsys.readouterr().out)
    assert len(read_secret(shown["secret"])) == 32
    assert shown["settings"] == {"url": "https://crm.example.com/take", "connections": 16}
    listed = (await api.get("/api/v4/providers")).text
    assert "https://crm.example.com/take" in listed
    assert shown["secret"] not in listed


async def test_a_message_is_made_from_a_json_file(api: Api, host: str, tmp_path: Path) -> None:
    source = tmp_path / "bonus.json"
    source.write_text('{"name": "{{ first_name }}"}')
    server = Server(url=host, key=api.key)
    await asyncio.to_thread(messages.create, "Bonus", body=source, server=server)
    (made,) = (await api.get("/api/v4/messages?channel=webhook")).json()["items"]
    assert list(made["versions"].values()) == [{"body": '{"name": "{{ first_name }}"}'}]
    with pytest.raises(OperatorError, match="a webhook has no --from"):
        messages.create("Bonus", sender="Shop", body=source, server=server)
    with pytest.raises(OperatorError, match="need --from"):
        messages.create("Code", text="Hi", server=server)
