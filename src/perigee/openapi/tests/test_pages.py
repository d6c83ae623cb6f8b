"""The document and the interactive page over HTTP: from our host alone."""

from __future__ import annotations

import re

from perigee.testing.api import Api


async def test_the_document_needs_no_key(api: Api) -> None:
    answer = await api.get("/api/openapi.json", key="")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["openapi"] == "3.1.0"


async def test_the_page_and_all_its_parts_are_served_from_here(api: Api) -> None:
    answer = await api.get("/api/docs", key="")
    assert answer.headers["content-type"].startswith("text/html")
    parts = re.findall(r'(?:src|href)="([^"]+)"', answer.text)
    assert len(parts) == 4
    for part in parts:
        found = await api.get(part, key="")
        assert found.status_code == 200, part
        assert found.content
        assert found.headers["x-content-type-options"] == "nosniff"


async def test_the_page_may_load_nothing_from_elsewhere(api: Api) -> None:
    policy = (await api.get("/api/docs", key="")).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "http" not in policy
    assert "unsafe-eval" not in policy


async def test_an_unknown_part_is_not_found(api: Api) -> None:
    assert (await api.get("/api/docs/LICENSE", key="")).status_code == 404
