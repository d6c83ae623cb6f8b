"""Data files in the messages people get (contract 21.4)."""

from __future__ import annotations

import json
import re

from perigee.testing.api import Api
from perigee.testing.files import Files
from perigee.testing.sending import Shop

HTML = "<html><body><p>{% for item in data.recommendations %}[{{ item.name }}]{% endfor %}</p></body></html>"
PATH = "/api/v1/preprocessor/file/upload"


async def put(api: Api, files: Files, kind: str, data: object) -> None:
    link = files.link(json.dumps(data), f"/{kind}")
    answer = await api.post(PATH, {"link": link, "preprocessorType": kind})
    assert answer.status_code == 200
    await api.run_jobs()


async def sent(shop: Shop, people: list[int], html: str = HTML) -> dict[int, str]:
    """What each of the people got, the newest mail."""
    await shop.started(people, versions={"en": {"htmlText": html}})
    await shop.run_sender()
    rows = await shop.sql(
        "select contact_id, body from sandbox_message where org_id = %(org)s order by sandbox_id"
    )
    return {contact_id: body.decode() for contact_id, body in rows}


async def test_each_person_gets_their_own_or_what_was_drawn(api: Api, files: Files) -> None:
    shop = Shop(api.db, api.org_id)
    people = [await shop.person("Anna@Example.com"), *await shop.people(9)]
    await put(api, files, "Key", {"anna@example.com": [{"name": "Mug"}, {"name": "Cup"}]})
    bodies = await sent(shop, people)
    assert "[Mug][Cup]" in bodies[people[0]]
    assert not any("[" + name in bodies[one] for one in people[1:] for name in ("Mug", "Cup"))

    await put(api, files, "Random", {"all": [{"name": "Tea"}, {"name": "Jam"}]})
    bodies = await sent(shop, people)
    assert "[Mug][Cup]" in bodies[people[0]]
    for one in people[1:]:
        assert len(set(re.findall(r"\[(Tea|Jam)\]", bodies[one]))) == 1


async def test_the_web_version_shows_the_same_draw(api: Api, files: Files) -> None:
    shop = Shop(api.db, api.org_id)
    await put(api, files, "Random", {"all": [{"name": f"item {n}"} for n in range(1000)]})
    person = await shop.person("anna@example.com")
    view = '<a href="https://esputnik.com/viewInBrowser">browser</a></body>'
    body = (await sent(shop, [person], HTML.replace("</body>", view)))[person]
    body = body.replace("=\r\n", "").replace("=3D", "=")
    (name,) = set(re.findall(r"\[item \d+\]", body))
    path = re.findall(r"href=\"http://perigee\.test(/v/[^\"]+)\"", body)[0]
    page = await api.call("GET", path, key="")
    assert page.status_code == 200
    assert name in page.text
