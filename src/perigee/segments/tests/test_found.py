"""What an explanation says that a person has, condition by condition."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from perigee.db.pool import Connection, Database
from perigee.segments.conditions import read
from perigee.segments.people import explain_tree
from perigee.segments.tests.cast import ALICE, BOB, CHARLIE, DORA, ORG, VIP
from perigee.segments.tests.population import MOMENT

FILLED = {"op": "filled"}
AT_LEAST = {"op": "at_least", "value": 1}


@pytest.fixture(scope="module")
async def conn(cast_url: str) -> AsyncIterator[Connection]:
    async with Database(cast_url) as database, database.connection() as connection:
        yield connection


def message(what: str, **more: Any) -> dict[str, Any]:
    return {"is": "message", "what": what, **more}


def last(what: str, **more: Any) -> dict[str, Any]:
    return {"is": "message_time", "what": what, "test": FILLED, **more}


def rate(of: str, per: str, **more: Any) -> dict[str, Any]:
    return {"is": "message_rate", "of": of, "per": per, "percent": AT_LEAST, **more}


UNSUBSCRIBED: dict[str, Any] = {"is": "address_state", "kind": "email", "state": "unsubscribed"}


@pytest.mark.parametrize(
    ("condition", "contact_id", "holds", "found"),
    [
        ({"is": "field", "field": "externalCustomerId", "test": FILLED}, BOB, True, "CRM-2"),
        ({"is": "language", "languages": ["en"]}, ALICE, False, "uk"),
        ({"is": "phone_country", "countries": ["PL"]}, ALICE, False, "UA"),
        ({"is": "phone_country", "countries": ["UA"]}, BOB, False, None),
        ({"is": "token", "kind": "webpush"}, ALICE, True, 2),
        ({"is": "token", "kind": "mobilepush"}, BOB, False, 0),
        (
            UNSUBSCRIBED,
            BOB,
            True,
            {
                "states": ["confirmed", "unsubscribed", "complained", "soft_bounced", "doubted"],
                "since": "2026-03-01T02:00:00+02:00",
                "source": "link",
                "reason": "too_often",
            },
        ),
        (UNSUBSCRIBED, ALICE, False, ["active", "confirmed"]),
        (UNSUBSCRIBED, CHARLIE, False, None),
        ({"is": "segment", "id": VIP}, ALICE, True, "2026-03-29T00:00:00+02:00"),
        ({"is": "segment", "id": VIP}, CHARLIE, False, None),
        (message("opened"), ALICE, True, 2),
        (message("opened", tags=["spring"]), ALICE, True, 1),
        (message("unavailable"), DORA, True, 1),
        (message("unavailable"), ALICE, False, 0),
        (last("opened"), ALICE, True, "2026-03-29T12:00:00+03:00"),
        (last("opened", which="first", channel="email"), ALICE, True, "2026-03-28T14:00:00+02:00"),
        (last("opened"), BOB, False, None),
        (rate("delivered", "sent"), ALICE, True, "50.0000"),
        (rate("delivered", "sent", least=3), ALICE, False, None),
    ],
)
async def test_an_explanation_says_what_was_found(
    condition: dict[str, Any], contact_id: int, holds: bool, found: Any, conn: Connection
) -> None:
    answer = await explain_tree(conn, ORG, read(condition), contact_id, MOMENT.now)
    assert (answer.holds, msgspec.to_builtins(answer).get("found")) == (holds, found)
