"""Boundary types of accounts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

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

    @property
    def actor(self) -> str:
        """Who is told apart where one person asks and another one approves: the key or, without one, the user."""
        return f"user {self.user_email}" if self.key_id is None else f"key {self.key_id}"

    def may(self, right: Right) -> bool:
        return right in ACCESS[self.access]


class Organisation(msgspec.Struct):
    """`time_zone` (tz database), `currency` (ISO 4217) and `language` (RFC 5646) count where a caller gives none.

    `postal_address` stands in the footer of marketing email. `always_arrays`: one-element results of the old wire stay
    arrays (contract section 3). `contact_activity`: the activity feed answers (contract 11.3). `utm`: links of messages are
    tagged; the texts are those of messages that have none of their own (`messages.utm`). `short_url`: what short links of
    SMS and Viber begin with; '' for the installation's address.

    `double_opt_in`: addresses from subscription forms wait for their owner's word. `confirmation_mail`: we ask for it,
    with message `confirmation_message_id` (0: the built-in one); who confirmed is led to `confirmation_redirect` ('':
    our own page). `honeypot`: marketing email holds a link that nobody sees, by which link scanners are known.
    """

    org_id: int
    name: str
    time_zone: str
    currency: str
    language: str
    postal_address: str
    always_arrays: bool
    contact_activity: bool
    utm: bool
    utm_source: str
    utm_medium: str
    utm_campaign: str
    short_url: str
    double_opt_in: bool
    confirmation_mail: bool
    confirmation_message_id: int
    confirmation_redirect: str
    honeypot: bool


class OrganisationUpdate(msgspec.Struct, forbid_unknown_fields=True):
    """What is absent stays."""

    name: str | UnsetType = UNSET
    time_zone: str | UnsetType = UNSET
    currency: str | UnsetType = UNSET
    language: str | UnsetType = UNSET
    postal_address: str | UnsetType = UNSET
    always_arrays: bool | UnsetType = UNSET
    contact_activity: bool | UnsetType = UNSET
    utm: bool | UnsetType = UNSET
    utm_source: str | UnsetType = UNSET
    utm_medium: str | UnsetType = UNSET
    utm_campaign: str | UnsetType = UNSET
    short_url: str | UnsetType = UNSET
    double_opt_in: bool | UnsetType = UNSET
    confirmation_mail: bool | UnsetType = UNSET
    confirmation_message_id: int | UnsetType = UNSET
    confirmation_redirect: str | UnsetType = UNSET
    honeypot: bool | UnsetType = UNSET


class ApiKey(msgspec.Struct):
    """`hint` is how the key begins; the key itself is never shown again. `last_used_at` is noted once an hour."""

    key_id: int
    hint: str
    description: str
    access: str
    enabled: bool
    created_at: datetime
    last_used_at: datetime | None


class ApiKeyCreate(msgspec.Struct, forbid_unknown_fields=True):
    """`access` as contract section 6 names the rights: full, events, events_contacts, events_contacts_write, messages."""

    description: str = ""
    access: str = "full"


class ApiKeyCreated(msgspec.Struct):
    """The only time that the key is shown."""

    key_id: int
    key: str
    description: str
    access: str


class ApiKeyUpdate(msgspec.Struct, forbid_unknown_fields=True):
    """What is absent stays."""

    description: str | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET
