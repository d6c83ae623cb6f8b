"""Conditions on a contact's email and phone: that there is one, its domain, its state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple

from perigee.errors import Invalid
from perigee.segments.comparisons import MAX_VALUES, Comparison, ValueKind, check_text
from perigee.segments.dates import Period
from perigee.segments.leaves.leaf import Leaf, PlainLeaf
from perigee.segments.person import Address, Needs, Person
from perigee.segments.sql import Sql, both
from perigee.segments.values import Text
from perigee.segments.world import Catalogue, World

StateName = Literal[
    "active", "confirmed", "unconfirmed", "unsubscribed", "complained", "blacklisted", "blocked", "soft_bounced",
    "doubted",
]  # fmt: skip


class State(NamedTuple):
    """A state of an address: SQL over its row as `{a}` with the present as `{now}`, and the same in Python; the columns
    that say since when, by what and why, where there are such."""

    sql: str
    holds: Callable[[Address, datetime], bool]
    since: str | None = None
    source: str | None = None
    reason: str | None = None


def _blocked(address: Address, now: datetime) -> bool:
    return address.blocked_until is not None and address.blocked_until > now


def _active(address: Address, now: datetime) -> bool:
    return address.confirmed and not (
        address.unsubscribed_at or address.complained_at or address.blacklisted_at or _blocked(address, now)
    )


def _marked(since: str, source: str | None = None, reason: str | None = None) -> State:
    """A state that lasts while its moment is written down."""
    return State(
        f"{{a}}.{since} is not null",
        lambda address, _: getattr(address, since) is not None,
        since,
        source,
        reason,
    )


STATES: Mapping[StateName, State] = {
    "active": State(
        "{a}.confirmed and {a}.unsubscribed_at is null and {a}.complained_at is null "
        "and {a}.blacklisted_at is null and ({a}.blocked_until is null or {a}.blocked_until <= {now})",
        _active,
    ),
    "confirmed": State("{a}.confirmed", lambda address, _: address.confirmed),
    "unconfirmed": State("not {a}.confirmed", lambda address, _: not address.confirmed),
    "unsubscribed": _marked("unsubscribed_at", "unsubscribe_source", "unsubscribe_reason"),
    "complained": _marked("complained_at"),
    "blacklisted": _marked("blacklisted_at", reason="blacklist_reason"),
    "blocked": State("{a}.blocked_until > {now}", _blocked),
    "soft_bounced": State("{a}.soft_bounces > 0", lambda address, _: address.soft_bounces > 0),
    "doubted": _marked("doubted_at"),
}
_PERIOD, _REASON = Period(), Text(folded=True)


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

    Who has no such address is in no state. `since`: when it came into it; `source`: by one of these; `reason`: for one
    like this; each taken only by states of which that is written down.
    """

    kind: Literal["email", "phone"]
    state: StateName
    since: Comparison | None = None
    source: Comparison | None = None
    reason: Comparison | None = None

    def check(self, at: str, catalogue: Catalogue) -> None:
        for name, column, kind, test in self._details():
            if test is not None and column is None:
                raise Invalid(f"{at}.{name}: is not taken by '{self.state}'", field=f"{at}.{name}")
            if test is not None:
                kind.check(test, f"{at}.{name}")

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
        conditions += [
            kind.sql(f"{a}.{column}", test, sql)
            for _, column, kind, test in self._details()
            if test is not None
        ]
        return f"{'' if wanted else 'not '}exists (select from address {a} where {both(conditions)})"

    def found(self, person: Person, world: World) -> Any:
        address = person.addresses.get(self.kind)
        if address is None:
            return None
        states = [name for name, state in STATES.items() if state.holds(address, world.moment.now)]
        if self.state not in states:
            return states
        said = {name: getattr(address, column) for name, column, *_ in self._details() if column is not None}
        return {"states": states, **said} if said else states

    def holds(self, person: Person, world: World) -> bool:
        address = person.addresses.get(self.kind)
        if address is None or not STATES[self.state].holds(address, world.moment.now):
            return False
        return all(
            kind.holds(getattr(address, str(column)), test, world.moment)
            for _, column, kind, test in self._details()
            if test is not None
        )

    def _details(self) -> list[tuple[str, str | None, ValueKind, Comparison | None]]:
        state = STATES[self.state]
        return [
            ("since", state.since, _PERIOD, self.since),
            ("source", state.source, _REASON, self.source),
            ("reason", state.reason, _REASON, self.reason),
        ]
