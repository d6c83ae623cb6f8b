"""Faults of ours: logged with an id, shown to the caller as that id and nothing else."""

from __future__ import annotations

import uuid

import structlog
from psycopg import errors as pg
from psycopg_pool import PoolTimeout

from perigee.errors import PerigeeError, Unavailable

log = structlog.get_logger()


def known(error: Exception) -> PerigeeError | None:
    """The error as one of the family, where it is one or clearly stands for one."""
    if isinstance(error, PerigeeError):
        return error
    # A database that restarts or is full is a temporary state of ours, never the caller's mistake (reliability 4).
    if isinstance(error, (pg.OperationalError, PoolTimeout)):
        log.warning("database unavailable", error=type(error).__name__, detail=str(error).split("\n")[0])
        return Unavailable("the database is not available at the moment, try again")
    return None


def record(error: Exception, path: str) -> str:
    """Logs an unknown failure and returns its id."""
    failure_id = uuid.uuid4().hex[:12]
    log.error("request failed", failure_id=failure_id, path=path, exc_info=error)
    return failure_id
