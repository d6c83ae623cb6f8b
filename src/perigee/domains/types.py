"""Boundary types of sender domains (/api/v4/domains)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType

State = Literal["unchecked", "met", "not_met", "unknown"]
"""`unknown`: the DNS gave no answer at the last check."""

Purpose = Literal["dkim_rsa", "dkim_ed25519", "spf", "dmarc", "bounce_mx", "bounce_spf", "tracking"]

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=253)]


class DomainCreate(msgspec.Struct, forbid_unknown_fields=True):
    """`domain` as it stands behind the @ of senders. `bounce_domain` and `tracking_domain` are names below it, by
    themselves `bounce.` and `links.` and the domain; they are used once their records are there."""

    domain: Name
    bounce_domain: Name | None = None
    tracking_domain: Name | None = None
    allow_unverified: bool = False


class DomainUpdate(msgspec.Struct, forbid_unknown_fields=True):
    """What is absent stays. `allow_unverified`: campaigns may leave from this domain although its records are not
    there."""

    bounce_domain: Name | UnsetType = UNSET
    tracking_domain: Name | UnsetType = UNSET
    allow_unverified: bool | UnsetType = UNSET


class Record(msgspec.Struct):
    """A record to copy into the DNS. `required`: the domain is verified only with it. `found`: what the last check saw
    under the name; `why`: what is wrong with it, or worth knowing."""

    purpose: Purpose
    type: Literal["TXT", "MX", "CNAME", "A", "AAAA"]
    name: str
    value: str
    required: bool
    state: State
    why: str
    found: list[str]


class OldKey(msgspec.Struct):
    """Records of keys that were replaced: leave them in the DNS until `keep_until`, when the last message they signed
    has lost its signature's validity."""

    names: list[str]
    keep_until: datetime


class SenderDomain(msgspec.Struct):
    """`verified`: SPF, DKIM and DMARC are met. `signed`: our own keys were found, so email from the domain is signed with
    them. `bounces`: the envelope sender is at `bounce_domain`; `tracked`: links lead to `tracking_domain`. `rotating`: new
    keys wait for their records."""

    domain_id: int
    domain: str
    bounce_domain: str
    tracking_domain: str
    allow_unverified: bool
    verified: bool
    signed: bool
    bounces: bool
    tracked: bool
    rotating: bool
    verified_at: datetime | None
    checked_at: datetime | None
    created_at: datetime
    records: list[Record]
    old_keys: list[OldKey]
