"""Conditions on a contact's channels: addresses and their state, the email's domain, tokens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple

from perigee.errors import Invalid
from perigee.segments.comparisons import MAX_VALUES, check_text
from perigee.segments.leaves.leaf import Leaf, Members, PlainLeaf, SetLeaf
from perigee.segments.person import Address, Needs, Person
from perigee.segments.sql import Sql, both
from perigee.segments.world import Catalogue, World


class State(NamedTuple):
    """A state of an address: SQL over its row as `{a}` with the present as `{now}`, and the same in Python."""

    sql: str
    holds: Callable[[Address, datetime], bool]


def _blocked(address: Address, now: datetime) -> bool:
    return address.blocked_until is not None and address.blocked_until > now


def _active(address: Address, now: datetime) -> bool:
    return address.confirmed and not (
        address.unsubscribed_at or address.complained_at or address.blacklisted_at or _blocked(address, now)
    )


STATES: Mapping[str, State] = {
    "active": State(
        "{a}.confirmed and {a}.unsubscribed_at is null and {a}.complained_at is null "
        "and {a}.blacklisted_at is null and ({a}.blocked_until is null or {a}.blocked_until <= {now})",
        _active,
    ),
    "confirmed": State("{a}.confirmed", lambda address, _: address.confirmed),
    "unconfirmed": State("not {a}.confirmed", lambda address, _: not address.confirmed),
    "unsubscribed": State(
        "{a}.unsubscribed_at is not null", lambda address, _: address.unsubscribed_at is not None
    ),
    "complained": State(
        "{a}.complained_at is not null", lambda address, _: address.complained_at is not None
    ),
    "blacklisted": State(
        "{a}.blacklisted_at is not null", lambda address, _: address.blacklisted_at is not None
    ),
    "blocked": State("{a}.blocked_until > {now}", _blocked),
}


class HasAddressLeaf(PlainLeaf, frozen=True, tag="has_address"):
    """Has an email or a phone, in whatever state: `{"is": "has_address", "kind": "phone"}`."""

    kind: Literal["email", "phone"]

    def predicate(self, sql: Sql, contact: str) -> str:
        return f"{contact}.{self.kind} is not null"

    def found(self, person: Person, world: World) -> Any:
        return person.columns.get(self.kind)

    def holds(self, person: Person, world: World) -> bool:
        return self.found(person, world) is not None


class EmailDomainLeaf(PlainLeaf, frozen=True, tag="email_domain"):
    """The email is at one of these domains: `{"is": "email_domain", "domains": ["example.com"]}`."""

    domains: tuple[str, ...]

    def check(self, at: str, catalogue: Catalogue) -> None:
        if not 1 <= len(self.domains) <= MAX_VALUES:
            raise Invalid(f"{at}.domains: must hold 1 to {MAX_VALUES} domains, has {len(self.domains)}")
        for n, domain in enumerate(self.domains):
            check_text(domain, f"{at}.domains[{n}]", 255)

    def predicate(self, sql: Sql, contact: str) -> str:
        return f"split_part({contact}.email, '@', 2) = any({sql.bind(self._folded(), 'text[]')})"

    def found(self, person: Person, world: World) -> Any:
        email: str | None = person.columns.get("email")
        return email and email.partition("@")[2].partition("@")[0]

    def holds(self, person: Person, world: World) -> bool:
        return self.found(person, world) in self._folded()

    def _folded(self) -> list[str]:
        return [domain.lower() for domain in self.domains]


class AddressStateLeaf(Leaf, frozen=True, tag="address_state"):
    """The email or phone is in a state: `{"is": "address_state", "kind": "email", "state": "unsubscribed"}`.

    Who has no such address is in no state.
    """

    kind: Literal["email", "phone"]
    state: Literal[
        "active", "confirmed", "unconfirmed", "unsubscribed", "complained", "blacklisted", "blocked"
    ]

    def need(self, needs: Needs, catalogue: Catalogue) -> None:
        needs.addresses = True

    def conjunct(self, sql: Sql, contact: str, wanted: bool) -> str:
        a = sql.alias()
        state = STATES[self.state].sql
        now = sql.bind(sql.world.moment.now, "timestamptz") if "{now}" in state else ""
        conditions = [
            f"{a}.org_id = {sql.org}",
            f"{a}.kind = {sql.bind(self.kind, 'text')}",
            f"{a}.value = {contact}.{self.kind}",
            state.format(a=a, now=now),
        ]
        return f"{'' if wanted else 'not '}exists (select from address {a} where {both(conditions)})"

    def found(self, person: Person, world: World) -> Any:
        address = person.addresses.get(self.kind)
        if address is None:
            return None
        return [name for name, state in STATES.items() if state.holds(address, world.moment.now)]

    def holds(self, person: Person, world: World) -> bool:
        return self.state in (self.found(person, world) or ())


class TokenLeaf(SetLeaf, frozen=True, tag="token"):
    """Has a push or messenger token: `{"is": "token", "kind": "webpush", "app_id": "…", "active": true}`.

    Without `app_id` of any application or site; `active` null counts switched-off tokens too.
    """

    kind: Literal["mobilepush", "webpush", "telegram", "appinbox", "widget", "inapp"]
    app_id: str | None = None
    active: bool | None = True

    def check(self, at: str, catalogue: Catalogue) -> None:
        if self.app_id is not None:
            check_text(self.app_id, f"{at}.app_id", 255)

    def need(self, needs: Needs, catalogue: Catalogue) -> None:
        needs.tokens = True

    def members(self, sql: Sql) -> Members:
        t = sql.alias()
        conditions = [f"{t}.org_id = {sql.org}", f"{t}.kind = {sql.bind(self.kind, 'text')}"]
        if self.app_id is not None:
            conditions.append(f"{t}.app_id = {sql.bind(self.app_id, 'text')}")
        if self.active is not None:
            conditions.append(f"{t}.active" if self.active else f"not {t}.active")
        return Members(f"select {t}.contact_id from push_token {t} where {both(conditions)}")

    def found(self, person: Person, world: World) -> Any:
        return sum(
            token.kind == self.kind
            and self.app_id in (None, token.app_id)
            and self.active in (None, token.active)
            for token in person.tokens
        )

    def holds(self, person: Person, world: World) -> bool:
        return bool(self.found(person, world))
