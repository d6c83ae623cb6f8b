"""Conditions on where people are and what they speak. Region and town are fields (`fields`)."""

from __future__ import annotations

from typing import Any

from perigee.errors import Invalid
from perigee.lib.phone_countries import countries, country_of, plan
from perigee.segments.comparisons import MAX_VALUES
from perigee.segments.languages import check_languages, in_languages, language_sql
from perigee.segments.leaves.leaf import PlainLeaf
from perigee.segments.person import Person
from perigee.segments.sql import Sql
from perigee.segments.world import Catalogue, World

MAX_COUNTRIES = 300


class LanguageLeaf(PlainLeaf, frozen=True, tag="language"):
    """Speaks one of these languages, in whatever region: `{"is": "language", "languages": ["en", "pt-BR"]}`."""

    languages: tuple[str, ...]

    def check(self, at: str, catalogue: Catalogue) -> None:
        if not 1 <= len(self.languages) <= MAX_VALUES:
            raise Invalid(f"{at}.languages: must hold 1 to {MAX_VALUES} languages, has {len(self.languages)}")
        check_languages(self.languages, f"{at}.languages")

    def predicate(self, sql: Sql, contact: str) -> str:
        return language_sql(sql, f"{contact}.language", self.languages)

    def found(self, person: Person, world: World) -> Any:
        return person.columns.get("language")

    def holds(self, person: Person, world: World) -> bool:
        return in_languages(self.found(person, world), self.languages)


class PhoneCountryLeaf(PlainLeaf, frozen=True, tag="phone_country"):
    """The phone is of one of these countries: `{"is": "phone_country", "countries": ["UA", "PL"]}`.

    ISO 3166-1 alpha-2 codes in capitals, by the numbering plans (`perigee.lib.phone_countries`).
    """

    countries: tuple[str, ...]

    def check(self, at: str, catalogue: Catalogue) -> None:
        if not 1 <= len(self.countries) <= MAX_COUNTRIES:
            raise Invalid(
                f"{at}.countries: must hold 1 to {MAX_COUNTRIES} countries, has {len(self.countries)}"
            )
        for n, country in enumerate(self.countries):
            if country not in countries():
                raise Invalid.of(f"{at}.countries[{n}]", country, "is not a country's code like UA or GB")

    def predicate(self, sql: Sql, contact: str) -> str:
        plans = [plan(country) for country in self.countries]
        alone = "|".join(f"(?:{one.own})" for one in plans if not one.before)
        found = [f"{contact}.phone ~ {sql.bind(alone, 'text')}"] if alone else []
        for one in plans:
            if one.before:
                others = sql.bind(list(one.before), "text[]")
                own = f"{contact}.phone ~ {sql.bind(one.own, 'text')}"
                found.append(f"({own} and not {contact}.phone ~ any({others}))")
        return f"({' or '.join(found)})"

    def found(self, person: Person, world: World) -> Any:
        phone: str | None = person.columns.get("phone")
        return phone and country_of(phone)

    def holds(self, person: Person, world: World) -> bool:
        phone: str | None = person.columns.get("phone")
        return phone is not None and any(plan(country).has(phone) for country in self.countries)
