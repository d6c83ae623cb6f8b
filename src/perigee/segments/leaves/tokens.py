"""Conditions on push and messenger tokens: the devices, browsers and chats by which a contact is reached."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from perigee.errors import Invalid
from perigee.segments.comparisons import Comparison, check_text
from perigee.segments.dates import Period
from perigee.segments.leaves.counting import COUNT, ONCE, effort, happened
from perigee.segments.leaves.leaf import Effort, Members, SetLeaf
from perigee.segments.moments import Moment
from perigee.segments.person import Needs, Person, Token
from perigee.segments.sql import Sql, both
from perigee.segments.values import Text
from perigee.segments.world import Catalogue, World

MAX_TESTS = 10
_PERIOD, _TEXT = Period(), Text(folded=True)


class DeviceTest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A comparison of what is known of a device or browser (contract 7.1), without regard to case."""

    about: Literal[
        "os", "deviceModel", "locale", "appVersion", "clientVersion", "userAgent", "userAgentVersion",
        "userAgentLanguage", "subscriptionPage",
    ]  # fmt: skip
    test: Comparison


class TokenLeaf(SetLeaf, frozen=True, tag="token"):
    """Has a push or messenger token: `{"is": "token", "kind": "webpush", "app_id": "…", "active": true}`.

    Without `app_id` of any application or site; `site` is a web push site by its domain. `active` null counts
    switched-off tokens too. `device`: what must be known of it, all of it. `created`: when it came to be known.
    `times`: how many such tokens.
    """

    kind: Literal["mobilepush", "webpush", "telegram", "appinbox", "widget", "inapp"]
    app_id: str | None = None
    site: str | None = None
    active: bool | None = True
    device: tuple[DeviceTest, ...] = ()
    created: Comparison | None = None
    times: Comparison = ONCE

    @property
    def effort(self) -> Effort:
        return Effort.SMALL if effort(self.times) is Effort.LOOK else Effort.COUNT

    def check(self, at: str, catalogue: Catalogue) -> None:
        for name, text in (("app_id", self.app_id), ("site", self.site)):
            if text is not None:
                check_text(text, f"{at}.{name}", 255)
        if self.site is not None and self.kind != "webpush":
            raise Invalid.of(f"{at}.site", self.site, f"is not taken with kind '{self.kind}'")
        if len(self.device) > MAX_TESTS:
            raise Invalid(f"{at}.device: has {len(self.device)} comparisons, the most are {MAX_TESTS}")
        for n, one in enumerate(self.device):
            _TEXT.check(one.test, f"{at}.device[{n}].test")
        if self.created is not None:
            _PERIOD.check(self.created, f"{at}.created")
        COUNT.check(self.times, f"{at}.times")

    def need(self, needs: Needs, catalogue: Catalogue) -> None:
        needs.tokens = True

    def members(self, sql: Sql) -> Members:
        t = sql.alias()
        conditions = [
            f"{t}.org_id = {sql.org}",
            f"{t}.kind = {sql.bind(self.kind, 'text')}",
            *sql.among(f"{t}.contact_id"),
        ]
        if self.app_id is not None:
            conditions.append(f"{t}.app_id = {sql.bind(self.app_id, 'text')}")
        if self.site is not None:
            w = sql.alias()
            conditions.append(
                f"{t}.app_id in (select {w}.app_id::text from webpush_domain {w} where {w}.org_id = {sql.org} "
                f"and {w}.domain = {sql.bind(self.site.lower(), 'text')})"
            )
        if self.active is not None:
            conditions.append(f"{t}.active" if self.active else f"not {t}.active")
        for one in self.device:
            conditions.append(_TEXT.sql(f"({t}.device ->> {sql.bind(one.about, 'text')})", one.test, sql))
        if self.created is not None:
            conditions += sql.within(f"{t}.created_at", _PERIOD.window(self.created, sql.world.moment))
        return happened(sql, self.times, f"{t}.contact_id", f"from push_token {t} where {both(conditions)}")

    def found(self, person: Person, world: World) -> Any:
        return sum(self._takes(token, world.moment) for token in person.tokens)

    def holds(self, person: Person, world: World) -> bool:
        return COUNT.holds(self.found(person, world), self.times, world.moment)

    def _takes(self, token: Token, moment: Moment) -> bool:
        return (
            token.kind == self.kind
            and self.app_id in (None, token.app_id)
            and (self.site is None or self.site.lower() == token.site)
            and self.active in (None, token.active)
            and all(_TEXT.holds(token.device.get(one.about), one.test, moment) for one in self.device)
            and (self.created is None or _PERIOD.holds(token.created_at, self.created, moment))
        )
