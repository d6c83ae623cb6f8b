"""Exports by command, over a real socket."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from perigee.cli import exports, segments
from perigee.cli.remote import Server
from perigee.errors import OperatorError
from perigee.testing.api import Api


@pytest.fixture
async def people(api: Api) -> int:
    """A list of two."""
    for name in ("anna", "bo"):
        await api.post("/api/v4/contacts", {"email": f"{name}@example.com", "lists": ["News"]})
    await api.post("/api/v4/contacts", {"email": "cy@example.com"})
    (found,) = (await api.get("/api/v4/segments")).json()["items"]
    return int(found["segment_id"])


async def run_beside(api: Api) -> None:
    """The worker's part, as soon as there is a job."""
    for _ in range(100):
        if await api.rows("select 1 from export where org_id = %(org_id)s and state = 'waiting'"):
            await api.run_jobs()
            return
        await asyncio.sleep(0.05)


async def test_a_segment_is_saved_as_a_file(api: Api, host: str, people: int, tmp_path: Path) -> None:
    to = tmp_path / "news.csv"
    server = Server(url=host, key=api.key)
    saving = asyncio.to_thread(segments.export, people, to, columns=["email"], server=server)
    await asyncio.gather(saving, run_beside(api))
    assert to.read_text("utf-8-sig").split() == ["email", "anna@example.com", "bo@example.com"]
    assert not to.with_name("news.csv.part").exists()


async def test_an_export_is_started_watched_saved_cancelled_and_deleted(
    api: Api, host: str, people: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server = Server(url=host, key=api.key, json=True)
    await asyncio.to_thread(exports.start, "contacts", new_list="All", columns=["contact_id"], server=server)
    started = json.loads(capsys.readouterr().out)
    assert started["state"] == "waiting"
    await api.run_jobs()
    await asyncio.to_thread(exports.show, started["export_id"], server=server)
    shown = json.loads(capsys.readouterr().out)
    assert (shown["state"], shown["done"], shown["attached"]) == ("done", 3, 3)
    to = tmp_path / "all.csv"
    await asyncio.to_thread(exports.save, started["export_id"], to, server=server)
    assert len(to.read_text().splitlines()) == 4
    await asyncio.to_thread(exports.delete, started["export_id"], server=server)
    await asyncio.to_thread(exports.start, "orders", server=server)
    capsys.readouterr()
    await asyncio.to_thread(exports.list_exports, server=server)
    (left,) = json.loads(capsys.readouterr().out)
    await asyncio.to_thread(exports.cancel, left["export_id"], server=server)
    with pytest.raises(OperatorError, match="is cancelled"):
        await asyncio.to_thread(exports.save, left["export_id"], to, server=server)
    with pytest.raises(OperatorError, match="need --campaign"):
        exports.start("recipients", server=server)
