"""Files of contacts over our own API."""

from __future__ import annotations

from perigee.testing.api import Api
from perigee.testing.files import Files


async def test_a_file_by_link(api: Api, files: Files) -> None:
    body = {"link": files.link("email\nanna@example.com\nbad@@example\n"), "lists": ["Import"]}
    answer = await api.post("/api/v4/link-imports", body)
    assert answer.status_code == 201
    path = f"/api/v4/link-imports/{answer.json()['session_id']}"
    assert (await api.get(path)).json()["status"] == "STARTED"
    await api.run_jobs()
    done = (await api.get(path)).json()
    assert done["status"] == "FINISHED"
    assert done["description"].startswith("1 contacts created, 0 updated, 0 skipped; 1 contacts were refused")
    assert await api.rows("select name from segment where org_id = %(org_id)s") == [("Import",)]


async def test_bad_calls(api: Api) -> None:
    for body, status in (
        ({}, 400),
        ({"link": "http://10.0.0.1/a.csv"}, 400),
        ({"link": "https://files.example.com/a.csv", "dedupe_on": "fieldId"}, 400),
    ):
        assert (await api.post("/api/v4/link-imports", body)).status_code == status
    assert (await api.get("/api/v4/link-imports/nothing")).status_code == 404
