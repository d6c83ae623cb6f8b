"""Why a live segment stands still, as its readers are told: what the database says of it is for the log alone."""

from __future__ import annotations

import uuid

import structlog
from psycopg import errors as pg

from perigee.errors import PerigeeError

log = structlog.get_logger()


def told(error: Exception, *, org_id: int, segment_id: int) -> str:
    """For the member `error` of a segment; writes the whole of it to the log, under an id where it is a fault of ours."""
    if isinstance(error, PerigeeError):
        message = error.message
    elif isinstance(error, pg.QueryCanceled):
        message = "The segment takes longer than is allowed to work out; narrow its conditions"
    else:
        failure_id = uuid.uuid4().hex[:12]
        message = f"The condition failed on what is stored of somebody; the id in the log is {failure_id}"
    log.warning(
        "a live segment stands still",
        org_id=org_id,
        segment_id=segment_id,
        error=message,
        detail=str(error).split("\n")[0],
    )
    return message
