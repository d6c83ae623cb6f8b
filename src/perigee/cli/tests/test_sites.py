"""The site and people's carts by command."""

from __future__ import annotations

import asyncio
import json

import pytest

from perigee.cli import sites
from perigee.cli.remote import Server
from perigee.testing.api import Api


async def test_what_the_site_reports_and_what_is_in_a_cart(
    api: Api, host: str, capsys: pytest.CaptureFixture[str]
) -> None:
    server = Server(url=host, key=api.key)
    await asyncio.to_thread(sites.list_sites, server=server)
    assert "There is no site yet" in capsys.readouterr().out
    await asyncio.to_thread(sites.check, server=server)
    assert "There is no site yet" in capsys.readouterr().out
    site = (await api.post("/api/v1/site/domains", {"domain": "shop.invalid"})).json()
    person = {"channels": [{"type": "email", "value": "anna@example.com"}]}
    anna = (await api.post("/api/v1/contact", person)).json()["id"]
    info = {"eventName": "StatusCart", "siteId": site["siteId"], "user_email": "anna@example.com"}
    goods = {"GUID": "g1", "Products": [{"productKey": "SKU-1", "price": "9.50 EUR", "quantity": 2}]}
    await api.post("/tracker/api/v2", {"GeneralInfo": info, "StatusCart": goods}, key="")

    await asyncio.to_thread(sites.list_sites, server=server)
    shown = capsys.readouterr().out
    assert "shop.invalid" in shown
    assert "cartUpdated" in shown
    await asyncio.to_thread(sites.cart, anna, server=server)
    shown = capsys.readouterr().out
    assert "open" in shown
    assert "Total: 19 EUR" in shown
    await asyncio.to_thread(sites.check, server=Server(url=host, key=api.key, json=True))
    (found,) = json.loads(capsys.readouterr().out)
    assert found["status"] == "unreachable"
