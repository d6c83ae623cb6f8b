"""/api/v4/sandbox on the wire."""

from __future__ import annotations

from typing import Any

from perigee.testing.api import Api, make_organisation

MAIL = (
    b"From: Shop <news@shop.example.com>\r\nTo: a@example.com\r\nSubject: =?utf-8?q?=D0=90=D0=BD=D0=BD=D0=BE?=\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain\r\n\r\nHello\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>Hello</p>\r\n--b--\r\n"
)


async def keep(api: Api, *messages: tuple[int, str, str, bytes]) -> None:
    async with api.db.transaction() as conn:
        for ordinal, (send_id, channel, address, body) in enumerate(messages):
            await conn.execute(
                "insert into sandbox_message (org_id, send_id, ordinal, channel, address, sender, body) "
                "values (%s, %s, %s, %s, %s, 'Shop', %s)",
                [api.org_id, send_id, ordinal, channel, address, body],
            )


async def listed(api: Api, query: str = "") -> Any:
    answer = await api.get(f"/api/v4/sandbox{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_the_list_is_narrowed_and_comes_in_pages(api: Api) -> None:
    sms = "Привіт".encode()
    await keep(
        api,
        (1, "email", "a@example.com", MAIL),
        (1, "sms", "380501112233", sms),
        (2, "sms", "380501112244", sms),
    )
    first = await listed(api, "?limit=2")
    assert [(one["address"], one["headline"]) for one in first["items"]] == [
        ("380501112244", "Привіт"),
        ("380501112233", "Привіт"),
    ]
    second = await listed(api, f"?limit=2&cursor={first['next']}")
    assert [one["headline"] for one in second["items"]] == ["Анно"]
    assert "next" not in second
    assert len((await listed(api, "?send_id=1"))["items"]) == 2
    assert len((await listed(api, "?channel=email"))["items"]) == 1
    assert len((await listed(api, "?address=A@example.com"))["items"]) == 1


async def test_a_message_taken_apart(api: Api) -> None:
    await keep(api, (1, "email", "a@example.com", MAIL), (1, "sms", "380501112233", "Привіт".encode()))
    sms, mail = [
        (await api.get(f"/api/v4/sandbox/{one['sandbox_id']}")).json() for one in (await listed(api))["items"]
    ]
    assert (mail["headline"], mail["text"].strip(), mail["html"].strip()) == ("Анно", "Hello", "<p>Hello</p>")
    assert ["From", "Shop <news@shop.example.com>"] in mail["headers"]
    assert (sms["headline"], sms["text"], sms["headers"]) == ("Привіт", "Привіт", [])


async def test_another_organisations_message_looks_like_none(api: Api) -> None:
    await keep(api, (1, "email", "a@example.com", MAIL))
    number = (await listed(api))["items"][0]["sandbox_id"]
    _, key = await make_organisation(api.db, "Other")
    assert (await api.get("/api/v4/sandbox", key=key)).json()["items"] == []
    theirs, none = [await api.get(f"/api/v4/sandbox/{n}", key=key) for n in (number, 10**30)]
    assert (theirs.status_code, none.status_code) == (404, 404)


async def test_bad_queries_are_problems(api: Api) -> None:
    for query, field in (("?send_id=x", "send_id"), ("?limit=501", "limit"), ("?cursor=-1", "cursor")):
        answer = await api.get(f"/api/v4/sandbox{query}")
        assert (answer.status_code, answer.json()["field"]) == (400, field)
