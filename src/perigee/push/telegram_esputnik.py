"""The old wire's methods of Telegram tokens (contract 22.3 to 22.5).

400 `Wrong app uuid` and 404 `Not registered application` are those of `push.apps`.
"""

from __future__ import annotations

from typing import Final

from perigee.db.group_commit import run_set
from perigee.esputnik.face import Answer, Call, Right, Sentence, bulk_limit, operation, sentence
from perigee.push import apps, telegram
from perigee.push.telegram import WireMute, WireTokens, WireUnmute

APP: Final = "telegram"


@operation(
    "POST",
    "/v1/apps/{app_uuid:str}/tokens",
    section="22.3",
    right=Right.FULL,
    body=WireTokens,
    answer=Sentence,
    body_limit=bulk_limit,
    example={"tokens": [{"token": "555000111", "externalCustomerId": "CRM-1001", "phone": "380501112233"}]},
    answer_example="1 token has been added",
    refusals=(404,),
)
async def add_telegram_tokens(call: Call) -> Answer:
    """Give Telegram chat tokens to contacts, found by the identifiers named or made of them."""
    app_id = await _app(call)
    rows = telegram.clean_tokens(
        await call.json(WireTokens), app_id, most=call.context.settings.max_contacts_per_call
    )
    await run_set(call.context.database, telegram.add, call.org_id, rows)
    return sentence(f"{len(rows)} {'token has' if len(rows) == 1 else 'tokens have'} been added")


@operation(
    "POST",
    "/v1/apps/{app_uuid:str}/token/mute",
    section="22.4",
    right=Right.FULL,
    body=WireMute,
    answer=Sentence,
    example={"token": "555000111", "duration": 3600},
    answer_example="Token has been muted",
    refusals=(404,),
)
async def mute_telegram_token(call: Call) -> Answer:
    """Stop campaigns to a Telegram token for `duration` seconds, or for ever."""
    app_id = await _app(call)
    wire = await call.json(WireMute)
    token, seconds = telegram.read_token(wire.token), telegram.read_duration(wire.duration)
    async with call.context.database.transaction() as conn:
        await telegram.mute(conn, call.org_id, app_id, token, seconds)
    return sentence("Token has been muted")


@operation(
    "POST",
    "/v1/apps/{app_uuid:str}/token/unmute",
    section="22.5",
    right=Right.FULL,
    body=WireUnmute,
    answer=Sentence,
    example={"token": "555000111"},
    answer_example="Token has been unmuted",
    refusals=(404,),
)
async def unmute_telegram_token(call: Call) -> Answer:
    """Let campaigns through to a Telegram token again."""
    app_id = await _app(call)
    token = telegram.read_token((await call.json(WireUnmute)).token)
    async with call.context.database.transaction() as conn:
        await telegram.unmute(conn, call.org_id, app_id, token)
    return sentence("Token has been unmuted")


async def _app(call: Call) -> str:
    async with call.context.database.connection() as conn:
        return await apps.require(conn, call.org_id, str(call.path["app_uuid"]), APP)
