"""The offset of a row of the activity feed."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perigee.errors import Invalid
from perigee.reports.cursor import Place, read, write

PLACES = st.builds(
    Place,
    st.datetimes(datetime(1970, 1, 1), datetime(2200, 12, 31)).map(lambda moment: moment.replace(tzinfo=UTC)),
    st.integers(0, 2**62 - 1),
)


@given(PLACES)
def test_an_offset_is_read_back(place: Place) -> None:
    assert read(write(place)) == place
    assert read(f" {write(place).upper()} ") == place


@given(PLACES, PLACES)
def test_offsets_sort_as_their_rows(one: Place, other: Place) -> None:
    assert (write(one) < write(other)) == (one < other)


@given(st.text(max_size=60) | st.uuids().filter(lambda given: given.version != 8).map(str))
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="is not the offset of a row"):
        read(text)


@given(st.uuids(version=4).map(lambda given: str(given)[:14] + "8" + str(given)[15:]))
def test_a_made_up_uuid_is_a_place_or_refused(text: str) -> None:
    with contextlib.suppress(Invalid):
        assert write(read(text)) == text
