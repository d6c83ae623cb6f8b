"""What a mail program finds in a message."""

from __future__ import annotations

from datetime import UTC, datetime

from perigee.delivery.channels.sandbox.types import SandboxLetter
from perigee.demo.reactions import Found, find

PAGE = """<p>Hello <a href="http://perigee.test/c/a.1?x=1&amp;y=2">list</a>
<a href="https://shop.example.com/">shop</a><img alt="" src="http://perigee.test/o/abc" width="1"></p>"""


def letter(headers: list[tuple[str, str]]) -> SandboxLetter:
    sent_at = datetime(2026, 1, 1, tzinfo=UTC)
    return SandboxLetter(1, 2, 3, "email", "a@example.com", "s@example.com", "Hi", sent_at, headers, "", PAGE)


def test_pictures_links_and_one_click() -> None:
    headers = [
        ("List-Unsubscribe", "<mailto:u@example.com>, <http://perigee.test/u/abc>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    ]
    assert find(letter(headers)) == Found(
        pictures=["http://perigee.test/o/abc"],
        links=["http://perigee.test/c/a.1?x=1&y=2", "https://shop.example.com/"],
        one_click="http://perigee.test/u/abc",
    )


def test_without_its_second_header_there_is_no_button() -> None:
    assert find(letter([("List-Unsubscribe", "<http://perigee.test/u/abc>")])).one_click is None
