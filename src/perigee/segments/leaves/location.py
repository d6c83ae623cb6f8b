"""Conditions on where people are and what they speak. Region and town are fields (`fields`)."""

from __future__ import annotations

import re
from typing import Any

from perigee.errors import Invalid
from perigee.lib.languages import normal_language
from perigee.lib.phone_countries import countries, country_of, pattern
from perigee.segments.comparisons import MAX_VALUES
from perigee.segments.languages import in_languages, language_sql
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
        for n, language in enumerate(self.languages):
            if normal_language(language) is None:
                raise Invalid.of(f"{at}.languages[{n}]", language, "is not a language code like en or es-AR")

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
        patterns = sql.bind(self._patterns(), "text[]")
        return f"{contact}.phone ~ any({patterns})"

    def found(self, person: Person, world: World) -> Any:
        phone: str | None = person.columns.get("phone")
        return phone and country_of(phone)

    def holds(self, person: Person, world: World) -> bool:
        phone: str | None = person.columns.get("phone")
        return phone is not None and any(re.match(one, phone, re.ASCII) for one in self._patterns())

    def _patterns(self) -> list[str]:
        return [pattern(country) for country in self.countries]
