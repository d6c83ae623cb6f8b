"""The country of a phone number, by its calling code and, where countries share one, by the digits behind it. Pure.

The plans of numbers are those of `phonenumbers`. Its import takes 100 ms, so it waits until somebody asks.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Any, NamedTuple


@cache
def countries() -> frozenset[str]:
    """Every country that has numbers: ISO 3166-1 alpha-2, in capitals."""
    import phonenumbers

    return frozenset(phonenumbers.SUPPORTED_REGIONS)


class Plan(NamedTuple):
    """A country has the numbers that `own` finds and none of `before` does: regular expressions for PostgreSQL and
    Python alike, over the digits with the calling code and without a plus sign. The first of the countries that
    share a calling code whose plan a number meets has it. Without look-ahead, which makes PostgreSQL slow."""

    own: str
    before: tuple[str, ...] = ()

    def has(self, phone: str) -> bool:
        return _finds(self.own, phone) and not any(_finds(other, phone) for other in self.before)


@cache
def plan(country: str) -> Plan:
    """Raises KeyError for what is no country."""
    import phonenumbers

    code = _calling_codes()[country]
    sharing = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]
    if len(sharing) == 1:
        return Plan(f"^{code}")
    numbers = [f"^{code}{_numbers(other)}" for other in sharing[: sharing.index(country) + 1]]
    return Plan(numbers[-1], tuple(numbers[:-1]))


def _finds(pattern: str, phone: str) -> bool:
    return re.match(pattern, phone, re.ASCII) is not None


@lru_cache(maxsize=65_536)
def country_of(phone: str) -> str | None:
    """The country of a number; None where its calling code is no country's, or no country's plan has it."""
    import phonenumbers

    for length in (1, 2, 3):
        for country in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(phone[:length] or 0), ()):
            if country in countries() and plan(country).has(phone):
                return str(country)
    return None


@cache
def _calling_codes() -> dict[str, int]:
    import phonenumbers

    codes = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items()
    return {country: code for code, sharing in codes for country in sharing if country in countries()}


def _numbers(country: str) -> str:
    """What distinguishes a country's numbers behind a shared calling code: their first digits, or the whole plan."""
    from phonenumbers import PhoneMetadata

    metadata: Any = PhoneMetadata.metadata_for_region(country)
    if metadata.leading_digits:
        return f"(?:{metadata.leading_digits})"
    kinds = [
        metadata.premium_rate, metadata.toll_free, metadata.shared_cost, metadata.voip, metadata.personal_number,
        metadata.pager, metadata.uan, metadata.voicemail, metadata.fixed_line, metadata.mobile,
    ]  # fmt: skip
    patterns = [kind.national_number_pattern for kind in kinds if kind is not None]
    return f"(?:{'|'.join(dict.fromkeys(filter(None, patterns)))})$"
