"""The old wire's preprocessor: data for messages from a JSON file (contract 21.4 to 21.6)."""

from __future__ import annotations

from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from perigee.contacts.types import Scalar
from perigee.errors import NotFound
from perigee.esputnik.face import Call, Right, operation
from perigee.files import store
from perigee.files.accept import accept_file, accept_update, clean_kind, clean_ttl
from perigee.files.download import rules
from perigee.files.links import clean_link


class WireDataUpdate(msgspec.Struct, rename="camel"):
    """Body of POST preprocessor/file/{id}."""

    link: Scalar = None
    ttl_hours: Scalar = None


class WireDataFile(WireDataUpdate):
    """Body of POST preprocessor/file/upload."""

    preprocessor_type: Scalar = None


class DataFileAccepted(msgspec.Struct, rename="camel"):
    message: str
    import_id: str
    """The session id of `GET preprocessor/file/{id}/status`."""
    file_id: str
    """The id of `POST preprocessor/file/{id}`."""
    valid: bool


class DataUpdateAccepted(msgspec.Struct, rename="camel"):
    message: str
    async_session_id: str
    valid: bool


class DataFileStatus(msgspec.Struct, omit_defaults=True):
    status: str
    """PENDING, PROCESSING, COMPLETED or ERROR."""
    description: str | UnsetType = UNSET


_SESSION = "01234567-89ab-cdef-0123-456789abcdef"


@operation(
    "POST",
    "/v1/preprocessor/file/upload",
    section="21.4",
    right=Right.FULL,
    body=WireDataFile,
    answer=DataFileAccepted,
    example={"link": "https://files.example.com/recs.json", "preprocessorType": "Key", "ttlHours": 240},
    answer_example={"message": "", "importId": _SESSION, "fileId": "91", "valid": True},
)
async def upload_data_file(call: Call) -> DataFileAccepted:
    """Data for messages from a JSON file by its link, by email or to draw from; messages read `recommendations`."""
    given = await call.json(WireDataFile)
    link = clean_link(given.link, rules(call.context.settings))
    kind, ttl_hours = clean_kind(given.preprocessor_type), clean_ttl(given.ttl_hours)
    async with call.context.database.transaction() as conn:
        accepted = await accept_file(
            conn, call.org_id, call.context.keys.sealing, link=link, kind=kind, ttl_hours=ttl_hours
        )
    return DataFileAccepted("", str(accepted.session_id), str(accepted.file_id), True)


@operation(
    "POST",
    "/v1/preprocessor/file/{file_id:int}",
    section="21.5",
    right=Right.FULL,
    body=WireDataUpdate,
    answer=DataUpdateAccepted,
    example={"link": "https://files.example.com/recs2.json", "ttlHours": 240},
    answer_example={"message": "", "asyncSessionId": _SESSION, "valid": True},
    refusals=(404,),
)
async def update_data_file(call: Call) -> DataUpdateAccepted:
    """New data for a file, in place of the old; until they are loaded the old ones hold."""
    given = await call.json(WireDataUpdate)
    link = clean_link(given.link, rules(call.context.settings))
    ttl_hours, file_id = clean_ttl(given.ttl_hours), call.path["file_id"]
    async with call.context.database.transaction() as conn:
        accepted = await accept_update(
            conn, call.org_id, call.context.keys.sealing, file_id, link=link, ttl_hours=ttl_hours
        )
    return DataUpdateAccepted("", str(accepted.session_id), True)


@operation(
    "GET",
    "/v1/preprocessor/file/{session_id:str}/status",
    section="21.6",
    right=Right.FULL,
    answer=DataFileStatus,
    answer_example={"status": "COMPLETED"},
    refusals=(404,),
)
async def get_data_file_status(call: Call) -> DataFileStatus:
    """How far the loading of a file has come, by its session id."""
    try:
        session_id = UUID(call.path["session_id"])
    except ValueError:
        raise _unknown() from None
    async with call.context.database.connection() as conn:
        state = await store.state(conn, call.org_id, session_id)
    if state is None:
        raise _unknown()
    return DataFileStatus(state.status, state.description or UNSET)


def _unknown() -> NotFound:
    return NotFound("The file's session is not found")
