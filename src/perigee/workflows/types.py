"""Boundary types of workflows (/api/v4/workflows)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec

Status = Literal["active", "inactive"]
Tag = Annotated[str, msgspec.Meta(min_length=1, max_length=50)]


class WorkflowCreate(msgspec.Struct, forbid_unknown_fields=True):
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=250)]
    status: Status = "inactive"
    tags: Annotated[list[Tag], msgspec.Meta(max_length=100)] = []


class Workflow(msgspec.Struct):
    workflow_id: int
    name: str
    status: str
    tags: list[str]
    created_at: datetime
    updated_at: datetime
