"""Boundary types of accounts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from perigee.accounts.rights import ACCESS, Right


class AccountInfo(msgspec.Struct, rename="camel"):
    """Answer of GET v1/account/info (contract 8.1)."""

    user_email: str
    organisation_name: str
    org_id: int


class Version(msgspec.Struct, rename="camel"):
    """Answer of GET v1/version (contract 8.2): both are strings."""

    version: str
    protocol_version: str


@dataclass(frozen=True, slots=True)
class ApiKeyRow:
    key_id: int
    hint: str
    description: str
    access: str
    enabled: bool
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Principal:
    """The authenticated caller and what handlers need to know of the organisation."""

    org_id: int
    organisation: str
    access: str
    key_id: int | None
    user_email: str
    time_zone: str
    currency: str
    language: str
    settings: dict[str, Any]

    def may(self, right: Right) -> bool:
        return right in ACCESS[self.access]
