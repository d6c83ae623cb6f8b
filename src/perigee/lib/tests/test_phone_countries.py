"""Countries of phone numbers."""

from __future__ import annotations

import phonenumbers
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perigee.lib.phone_countries import countries, country_of, plan

KINDS = [
    getattr(phonenumbers.PhoneNumberType, name)
    for name in ("MOBILE", "FIXED_LINE", "TOLL_FREE", "VOIP", "UAN")
]
NUMBERS = sorted(
    {
        f"{number.country_code}{phonenumbers.national_significant_number(number)}"
        for country in phonenumbers.SUPPORTED_REGIONS
        for kind in KINDS
        if (number := phonenumbers.example_number_for_type(country, kind)) is not None
    }
)  # fmt: skip


def by_library(phone: str) -> str | None:
    return phonenumbers.region_code_for_number(phonenumbers.parse(f"+{phone}"))


def test_the_example_numbers_of_all_plans_have_the_country_that_the_library_says() -> None:
    assert len(NUMBERS) > 700
    assert {phone: country_of(phone) for phone in NUMBERS} == {phone: by_library(phone) for phone in NUMBERS}


@pytest.mark.parametrize("country", ["US", "CA", "VI", "RU", "KZ", "GB", "JE", "IT", "VA", "FI", "AX", "UA"])
def test_a_number_is_one_country_s_only(country: str) -> None:
    mine = [phone for phone in NUMBERS if plan(country).has(phone)]
    assert mine
    assert {by_library(phone) for phone in mine} == {country}


@given(
    st.sampled_from(["1", "7", "39", "44", "47", "61", "212", "262", "358", "599"]),
    st.from_regex("[1-9][0-9]{7,9}", fullmatch=True),
)
def test_any_valid_number_has_the_country_that_the_library_says(code: str, rest: str) -> None:
    number = phonenumbers.parse(f"+{code}{rest}")
    if phonenumbers.is_valid_number(number):
        assert country_of(f"{code}{rest}") == phonenumbers.region_code_for_number(number)


@pytest.mark.parametrize("phone", ["", "0", "12", "8005551234567", "999123", "44"])
def test_what_is_no_country_s_has_none(phone: str) -> None:
    assert country_of(phone) is None


def test_every_country_has_a_calling_code() -> None:
    assert {"UA", "US", "GB", "KZ"} < countries()
    assert all(plan(country).own.startswith("^") for country in countries())


def test_postgresql_reads_the_patterns_as_python_does(database_url: str) -> None:
    shared = ["US", "CA", "DO", "VI", "RU", "KZ", "GB", "GG", "IM", "JE", "IT", "VA", "FI", "AX", "RE", "YT"]
    with psycopg.connect(database_url) as connection:
        for country in shared:
            rows = connection.execute(
                "select n from unnest(%s::text[]) n where n ~ %s and not n ~ any(%s::text[])",
                [NUMBERS, plan(country).own, list(plan(country).before)],
            ).fetchall()
            assert sorted(phone for (phone,) in rows) == [p for p in NUMBERS if plan(country).has(p)]
