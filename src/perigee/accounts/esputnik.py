"""The old wire's methods of the account (contract section 8)."""

from __future__ import annotations

from perigee import __version__
from perigee.accounts.keys import create_event_token
from perigee.accounts.types import AccountInfo, Version
from perigee.esputnik.face import Call, Right, operation

PROTOCOL = "1.0"


@operation(
    "GET",
    "/v1/account/info",
    section="8.1",
    right=Right.GENERAL,
    answer=AccountInfo,
    answer_example={"userEmail": "owner@example.com", "organisationName": "Example Shop", "orgId": 1001},
)
async def get_account_info(call: Call) -> AccountInfo:
    """Who am I; plugins test a key with it."""
    caller = call.principal
    return AccountInfo(
        user_email=caller.user_email, organisation_name=caller.organisation, org_id=caller.org_id
    )


@operation(
    "GET",
    "/v1/version",
    section="8.2",
    right=Right.GENERAL,
    answer=Version,
    answer_example={"version": "0.1.0", "protocolVersion": "1.0"},
)
async def get_version(call: Call) -> Version:
    """Version of the server and of the protocol."""
    return Version(version=__version__, protocol_version=PROTOCOL)


@operation(
    "GET",
    "/v2/version",
    section="8.2",
    right=Right.GENERAL,
    answer=Version,
    answer_example={"version": "0.1.0", "protocolVersion": "1.0"},
)
async def get_version_v2(call: Call) -> Version:
    """Version of the server and of the protocol."""
    return Version(version=__version__, protocol_version=PROTOCOL)


@operation("POST", "/v1/auth/token", section="8.5", right=Right.FULL, answer=str)
async def create_api_token(call: Call) -> str:
    """Create a Bearer token for the event methods."""
    async with call.context.database.transaction() as connection:
        return await create_event_token(
            connection,
            call.org_id,
            call.principal.key_id,
            call.context.keys.pepper,
            days=call.context.settings.api_token_days,
        )
