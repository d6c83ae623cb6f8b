"""What every answer of the old wire is held to, whatever it says (contract 2.3 to 2.5)."""

from __future__ import annotations

from typing import Any

import httpx

JSON = "application/json;charset=UTF-8"


def ok(answer: httpx.Response, status: int = 200) -> httpx.Response:
    """Exactly this status, labelled JSON, never cached."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == JSON
    assert answer.headers["cache-control"] == "no-store"
    return answer


def empty(answer: httpx.Response) -> None:
    """The third kind of body: none at all, its length said."""
    assert (ok(answer).content, answer.headers["content-length"]) == (b"", "0")


def sentence(answer: httpx.Response) -> str:
    """The second kind of body: words that are no JSON, neither quoted nor in brackets."""
    text = ok(answer).text
    assert text[:1].isalnum(), text
    return text


def data(answer: httpx.Response) -> Any:
    """The first kind of body: the JSON value of a success."""
    return ok(answer).json()


def listed(answer: httpx.Response) -> tuple[list[Any], int]:
    """(the rows of a top-level list, its `TotalCount`)."""
    rows = data(answer)
    assert isinstance(rows, list)
    return rows, int(answer.headers["TotalCount"])


def refused(answer: httpx.Response, status: int = 400, *words: str) -> str:
    """An error body that serves each of the four ways in which clients read one (contract 4); its message.

    `words` are parts of the message.
    """
    body: dict[str, Any] = ok(answer, status).json()
    assert (body["status"], body["path"]) == (status, answer.request.url.path)
    assert isinstance(body["error"], str)
    assert isinstance(body["message"], str)
    for part in words:
        assert part in body["message"], body["message"]
    return str(body["message"])
