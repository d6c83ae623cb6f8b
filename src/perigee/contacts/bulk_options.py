"""What a bulk call may say beside its contacts (contract 10.1), as options and as the policy they come to. Pure."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from perigee.contacts.clean import SEGMENT_LENGTH
from perigee.contacts.policy import Key, Match, Policy, Write
from perigee.contacts.rows import ContactRow
from perigee.contacts.types import Scalar
from perigee.errors import Invalid
from perigee.events.keys import check_type_key
from perigee.lib.scalars import one_or_many, to_bool, to_id, to_text

_KEYS: Final[dict[str, tuple[Key, ...]]] = {
    "email": ("email",),
    "sms": ("phone",),
    "push": ("token",),
    "mobilepush": ("token",),
    "webpush": ("token",),
    "email_or_sms": ("email", "phone"),
    "id": ("id",),
    "externalCustomerId": (),
    "fieldId": ("field",),
}
"""`dedupeOn` → what contacts are looked for by, after the external id."""

_TOKEN_KINDS: Final = {
    "push": frozenset({"mobilepush", "webpush"}),
    "mobilepush": frozenset({"mobilepush"}),
    "webpush": frozenset({"webpush"}),
}

_KEPT: Final = {
    "email": frozenset({"email"}),
    "sms": frozenset({"phone"}),
    "email_or_sms": frozenset({"email", "phone"}),
    "externalCustomerId": frozenset({"external_id"}),
    **_TOKEN_KINDS,
}
"""The field named in `dedupeOn` is not updated; where the contact has none yet, it is filled. Of tokens, which are
many, none is taken away."""

COLUMNS: Final = {
    "firstName": "first_name",
    "lastName": "last_name",
    "contactKey": "contact_key",
    "ordersInfo": "orders_info",
    "languageCode": "language",
    "timeZone": "time_zone",
    "email": "email",
    "sms": "phone",
    "mobilepush": "mobilepush",
    "webpush": "webpush",
    "address": "street",
    "town": "town",
    "region": "region",
    "postcode": "postcode",
    "externalCustomerId": "external_id",
}
"""Names of `contactFields` → columns, and kinds of token."""


class WireOptions(msgspec.Struct, rename="camel"):
    """The members that a bulk call and an import file share, as they arrive."""

    dedupe_on: Scalar = None
    field_id: Scalar = None
    contact_fields: list[Scalar] | Scalar = None
    custom_fields_ids: list[Scalar] | Scalar = msgspec.field(default=None, name="customFieldsIDs")
    group_names: list[Scalar] | Scalar = None
    group_names_exclude: list[Scalar] | Scalar = None
    restore_deleted: Scalar = None
    event_key_for_new_contacts: Scalar = None


class Options(msgspec.Struct, frozen=True):
    """Cleaned; kept with the stored import as JSON."""

    dedupe_on: str
    field_id: int | None = None
    columns: frozenset[str] | None = None
    """Columns and kinds of token to update; None: whatever is given."""
    fields: frozenset[str] = frozenset()
    """Additional fields to update, by id."""
    groups: tuple[str, ...] = ()
    groups_exclude: tuple[str, ...] = ()
    restore: bool = False
    event_key: str | None = None

    def policy(self, source: str) -> Policy:
        external_only = self.dedupe_on == "externalCustomerId"
        return Policy(
            Match(
                _KEYS[self.dedupe_on],
                "create" if external_only else "search" if self.dedupe_on == "id" else "unowned",
                restore=self.restore,
                field_id=None if self.field_id is None else str(self.field_id),
                token_kinds=_TOKEN_KINDS.get(self.dedupe_on),
            ),
            Write(
                keep=_KEPT.get(self.dedupe_on, frozenset()),
                listed=self.columns,
                fields=self.fields - {str(self.field_id)},
            ),
            source=source,
        )

    def dedupe_value(self, row: ContactRow) -> str | None:
        """What `dedupeOn` looks at, as text; None when the row has no such value."""
        match self.dedupe_on:
            case "email":
                return row.email
            case "sms":
                return row.phone
            case "email_or_sms":
                return row.email or row.phone
            case "externalCustomerId":
                return row.external_id
            case "id":
                return None if row.contact_id is None else str(row.contact_id)
            case "fieldId":
                value = row.fields.get(str(self.field_id))
                return None if value is None else str(value)
        kinds = _TOKEN_KINDS[self.dedupe_on]
        return next((token.value for token in row.tokens if token.kind in kinds), None)

    def check_key(self, row: ContactRow) -> None:
        """Raises Invalid for a row that nothing could ever find again: each call would make it anew."""
        if row.external_id is None and self.dedupe_value(row) is None:
            raise Invalid(
                f"the contact has neither externalCustomerId nor a value for dedupeOn '{self.dedupe_on}'"
            )


def clean_options(wire: WireOptions) -> Options:
    """Raises Invalid."""
    dedupe_on = to_text("dedupeOn", wire.dedupe_on) or "email"
    if dedupe_on not in _KEYS:
        raise Invalid.of("dedupeOn", dedupe_on, "must be one of " + ", ".join(_KEYS))
    field_id = to_id("fieldId", wire.field_id) if dedupe_on == "fieldId" else None
    if dedupe_on == "fieldId" and field_id is None:
        raise Invalid("fieldId: is required with dedupeOn 'fieldId'", field="fieldId")
    event_key = to_text("eventKeyForNewContacts", wire.event_key_for_new_contacts)
    return Options(
        dedupe_on=dedupe_on,
        field_id=field_id,
        columns=_columns(wire.contact_fields),
        fields=frozenset(str(one) for one in _ids("customFieldsIDs", wire.custom_fields_ids)),
        groups=_names("groupNames", wire.group_names),
        groups_exclude=_names("groupNamesExclude", wire.group_names_exclude),
        restore=to_bool("restoreDeleted", wire.restore_deleted) or False,
        event_key=None if event_key is None else check_type_key(event_key, field="eventKeyForNewContacts"),
    )


def _columns(names: Any) -> frozenset[str] | None:
    """An empty list equals none. Names that we do not know are ignored."""
    given = [to_text("contactFields", name) for name in one_or_many(names)]
    return frozenset(COLUMNS[name] for name in given if name in COLUMNS) if given else None


def _ids(member: str, values: Any) -> list[int]:
    return [number for value in one_or_many(values) if (number := to_id(member, value)) is not None]


def _names(member: str, values: Any) -> tuple[str, ...]:
    names = (to_text(member, value, limit=SEGMENT_LENGTH) for value in one_or_many(values))
    return tuple(dict.fromkeys(name for name in names if name is not None))
