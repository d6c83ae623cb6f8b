"""/sandbox and /api/v4/sandbox: who may look, and that what is shown is harmless."""

from __future__ import annotations

import argon2
import pytest

from perigee.testing.api import Api, make_organisation
from perigee.testing.sending import Shop

EVIL = "<script>alert(1)</script>"


@pytest.fixture
async def shop(api: Api) -> Shop:
    shop = Shop(api.db, api.org_id)
    person = await shop.person("Anna@Example.com", first_name=EVIL, phone="380501112201")
    await shop.started([person])
    await shop.started([person], channel="sms")
    await shop.run_sender()
    return shop


async def kept(shop: Shop, channel: str) -> int:
    return int(
        await shop.value(
            "select sandbox_id from sandbox_message where org_id = %(org)s and channel = %(c)s", c=channel
        )
    )


async def test_nobody_looks_without_a_login(api: Api, shop: Shop) -> None:
    email = await kept(shop, "email")
    for path in ("/sandbox", *(f"/sandbox/{email}{part}" for part in ("", "/html", "/raw"))):
        for key in ("", "wrong"):
            answer = await api.call("GET", path, key=key)
            assert answer.status_code == 401, path
            assert "basic" in answer.headers["www-authenticate"].lower()
            assert "anna" not in answer.text.lower()
        assert (await api.get(path)).status_code == 200


async def test_pages_name_their_character_set_once(api: Api, shop: Shop) -> None:
    email = await kept(shop, "email")
    kinds = {"/sandbox": "html", f"/sandbox/{email}/html": "html", f"/sandbox/{email}/raw": "plain"}
    kinds |= {"/api/docs": "html", "/api/docs/swagger-ui.css": "css"}
    for path, kind in kinds.items():
        assert (await api.get(path)).headers["content-type"] == f"text/{kind}; charset=utf-8", path


async def test_the_owner_signs_in_with_the_password(api: Api, shop: Shop) -> None:
    await shop.sql(
        "update login_user set password_hash = %(h)s", h=argon2.PasswordHasher().hash("correct horse")
    )
    login = await shop.value("select email from login_user")
    for password, status in (("correct horse", 200), ("wrong horse", 401)):
        answer = await api.client.get("/sandbox", auth=(login, password))
        assert answer.status_code == status


async def test_the_list_shows_text_and_narrows(api: Api, shop: Shop) -> None:
    page = await api.get("/sandbox")
    assert EVIL not in page.text
    assert "&lt;script&gt;" in page.text
    for query, messages in (
        ("channel=sms", 1),
        ("channel=email", 1),
        ("address=ANNA@example.com", 1),
        ("address=380501112201", 1),
        ("address=nobody@example.com", 0),
        (f"address={EVIL}", 0),
        ("before=1", 0),
    ):
        page = await api.get(f"/sandbox?{query}")
        assert page.status_code == 200
        assert page.text.count('href="/sandbox/') == messages, query
        assert EVIL not in page.text
    assert (await api.get("/sandbox?before=x")).status_code == 400


async def test_a_preview_is_a_sandboxed_frame(api: Api, shop: Shop) -> None:
    email = await kept(shop, "email")
    page = await api.get(f"/sandbox/{email}")
    assert EVIL not in page.text
    assert f'<iframe sandbox src="/sandbox/{email}/html"' in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in page.text
    html = await api.get(f"/sandbox/{email}/html")
    assert html.headers["content-type"].startswith("text/html")
    assert html.headers["content-security-policy"].startswith("sandbox;")
    assert "Dear &lt;script&gt;" in html.text
    raw = await api.get(f"/sandbox/{email}/raw")
    assert raw.headers["content-type"].startswith("text/plain")
    assert raw.headers["x-content-type-options"] == "nosniff"
    sms = await api.get(f"/sandbox/{await kept(shop, 'sms')}")
    assert EVIL not in sms.text
    assert "Hi &lt;script&gt;" in sms.text


async def test_another_organisation_sees_nothing(api: Api, shop: Shop) -> None:
    _, key = await make_organisation(api.db, "Other Shop")
    email = await kept(shop, "email")
    assert "Nothing was sent" in (await api.get("/sandbox", key=key)).text
    for part in ("", "/html", "/raw"):
        theirs = await api.get(f"/sandbox/{email}{part}", key=key)
        absent = await api.get(f"/sandbox/404{part}", key=key)
        assert theirs.status_code == absent.status_code == 404
        assert theirs.text.replace(f"message {email} ", "message 404 ") == absent.text
    assert (await api.get(f"/api/v4/sandbox/{email}", key=key)).status_code == 404
    assert (await api.get("/api/v4/sandbox", key=key)).json()["items"] == []


async def test_programs_read_it_too(api: Api, shop: Shop) -> None:
    assert (await api.get("/api/v4/sandbox", key="")).status_code == 401
    first = (await api.get("/api/v4/sandbox?limit=1")).json()
    rest = (await api.get(f"/api/v4/sandbox?cursor={first['next']}")).json()
    lines = first["items"] + rest["items"]
    assert {line["channel"] for line in lines} == {"sms", "email"}
    assert lines[0]["sandbox_id"] > lines[1]["sandbox_id"], "newest first"
    letter = (await api.get(f"/api/v4/sandbox/{await kept(shop, 'email')}")).json()
    assert letter["address"] == "Anna@Example.com"
    assert letter["headline"].startswith("News for <script>")
    assert "Dear" in letter["text"]
