"""What the worker is given (top of push/assets/worker.js)."""

from __future__ import annotations

import re
import uuid
from typing import Any

import msgspec
import pytest

from perigee.delivery.channels.webpush.notification import DEFAULT_TTL, LONGEST_TTL, read

IID = "5e0d7a52-3e43-4c1f-9c39-8f3a0c0f2a11"


def shown(**card: Any) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(read(msgspec.json.encode(card), IID).body)
    return found


def test_members_have_the_names_that_the_worker_reads() -> None:
    assert shown(
        title="Sale",
        text="50 %",
        link="https://perigee.test/c/1",
        linkRaw="https://shop.example.com/",
        iconSource="https://shop.example.com/i.png",
        imageSource="https://shop.example.com/big.png",
        buttons=[{"label": "Buy", "link": "https://perigee.test/c/2"}, {"label": "Look"}],
    ) == {
        "es_interaction_id": IID,
        "es_title": "Sale",
        "es_content": "50 %",
        "es_link": "https://perigee.test/c/1",
        "es_link_raw": "https://shop.example.com/",
        "icon": "https://shop.example.com/i.png",
        "image": "https://shop.example.com/big.png",
        "tag": IID,
        "es_buttons": [{"title": "Buy", "link": "https://perigee.test/c/2"}, {"title": "Look"}],
    }


def test_what_a_message_does_not_have_is_left_out() -> None:
    assert shown(title="Sale") == {"es_interaction_id": IID, "es_title": "Sale", "tag": IID}


@pytest.mark.parametrize(
    ("named", "seconds"),
    [({}, DEFAULT_TTL), ({"ttlSec": 0}, DEFAULT_TTL), ({"ttlSec": -1}, DEFAULT_TTL), ({"ttlSec": 60}, 60),
     ({"ttlSec": 10**12}, LONGEST_TTL)],
)  # fmt: skip
def test_the_life_is_the_messages_or_a_day_and_never_nothing(named: dict[str, int], seconds: int) -> None:
    assert read(msgspec.json.encode({"title": "x", **named}), IID).ttl == seconds


def test_the_urgency_is_normal_unless_the_message_says_so() -> None:
    assert read(b'{"title":"x"}', IID).urgency == "normal"
    assert read(b'{"title":"x","urgency":"very-low"}', IID).urgency == "very-low"
    with pytest.raises(msgspec.ValidationError):
        read(b'{"title":"x","urgency":"now"}', IID)


def test_the_topic_is_the_messages_own_and_fits() -> None:
    topics = {read(b'{"title":"x"}', str(uuid.uuid4())).topic for _ in range(100)}
    assert len(topics) == 100
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,32}", topic) for topic in topics)
    assert read(b'{"title":"x"}', IID).topic == read(b'{"title":"y"}', IID).topic
