"""The country of a phone number, by its calling code and, where countries share one, by the digits behind it. Pure.

The plans of numbers are those of `phonenumbers`. Its import takes 100 ms, so it waits until somebody asks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Any


@cache
def countries() -> frozenset[str]:
    """Every country that has numbers: ISO 3166-1 alpha-2, in capitals."""
    import phonenumbers

    return frozenset(phonenumbers.SUPPORTED_REGIONS)


@cache
def pattern(country: str) -> str:
    """A regular expression that the numbers of a country meet from their start, for PostgreSQL and for Python alike.

    Numbers are digits with the calling code and without a plus sign. Raises KeyError for what is no country.
    """
    import phonenumbers

    calling_code = _calling_codes()[country]
    sharing = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[calling_code]
    if len(sharing) == 1:
        return f"^{calling_code}"
    # The first country whose plan a number meets has it, so those before must not.
    before = "".join(f"(?!{_plan(other)})" for other in sharing[: sharing.index(country)])
    return f"^{calling_code}{before}{_plan(country)}"


@lru_cache(maxsize=65_536)
def country_of(phone: str) -> str | None:
    """The country of a number; None where its calling code is no country's, or no country's plan has it."""
    import phonenumbers

    for length in (1, 2, 3):
        for country in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(phone[:length] or 0), ()):
            if country in countries() and re.match(pattern(country), phone, re.ASCII):
                return str(country)
    return None


@cache
def _calling_codes() -> dict[str, int]:
    import phonenumbers

    codes = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items()
    return {country: code for code, sharing in codes for country in sharing if country in countries()}


def _plan(country: str) -> str:
    """What distinguishes a country's numbers behind a shared calling code: their first digits, or the whole plan."""
    from phonenumbers import PhoneMetadata

    metadata: Any = PhoneMetadata.metadata_for_region(country)
    if metadata.leading_digits:
        return f"(?:{metadata.leading_digits})"
    kinds = [
        metadata.premium_rate, metadata.toll_free, metadata.shared_cost, metadata.voip, metadata.personal_number,
        metadata.pager, metadata.uan, metadata.voicemail, metadata.fixed_line, metadata.mobile,
    ]  # fmt: skip
    return f"(?={_numbers([metadata.general_desc])}){_numbers(kinds)}"


def _numbers(described: Iterable[Any]) -> str:
    return (
        "(?:"
        + "|".join(
            f"{_lengths(one.possible_length)}(?:{one.national_number_pattern})"
            for one in described
            if one is not None and one.national_number_pattern
        )
        + ")$"
    )


def _lengths(possible: Iterable[int]) -> str:
    lengths = "|".join(f"[0-9]{{{length}}}" for length in possible)
    return f"(?=(?:{lengths})$)" if lengths else ""
