from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perigee.errors import Invalid
from perigee.lib import dates

KYIV = ZoneInfo("Europe/Kyiv")
NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2025-03-08T09:30", "2025-03-08T07:30:00"),
        ("2025-03-08T09:30:00", "2025-03-08T07:30:00"),
        ("2025-03-08T09:30:00Z", "2025-03-08T09:30:00"),
        ("2025-03-08T09:30:00z", "2025-03-08T09:30:00"),
        ("2025-03-08T09:30:00+03:00", "2025-03-08T06:30:00"),
        ("2025-03-08T09:30:00+0300", "2025-03-08T06:30:00"),
        ("2025-03-08T09:30:00-05", "2025-03-08T14:30:00"),
        ("2025-03-08T09:30:00.123Z", "2025-03-08T09:30:00.123000"),
        ("2025-03-08T09:30:00.123456+03:00", "2025-03-08T06:30:00.123456"),
        ("2025-03-08T09:30:11.7022176+03:00", "2025-03-08T06:30:11.702217"),
        ("2025-03-08T09:30:11.5", "2025-03-08T07:30:11.500000"),
        ("2025-03-08 09:30:00", "2025-03-08T07:30:00"),
        (" 2025-03-08T09:30 ", "2025-03-08T07:30:00"),
        ("2025-03-22", "2025-03-21T22:00:00"),
        ("22.03.2025", "2025-03-21T22:00:00"),
        ("2025-07-01T00:00", "2025-06-30T21:00:00"),
    ],
)
def test_forms_of_the_wire(text: str, utc: str) -> None:
    moment = dates.parse_moment(text, KYIV)
    assert moment == datetime.fromisoformat(utc + "+00:00")
    assert moment.tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "zone", "utc"),
    [
        ("2025-03-30T03:30", KYIV, "2025-03-30T01:30"),  # does not exist: one hour later on the new clock
        ("2025-10-26T03:30", KYIV, "2025-10-26T00:30"),  # exists twice: the first
        ("2025-03-09T02:30", NEW_YORK, "2025-03-09T07:30"),
        ("2025-11-02T01:30", NEW_YORK, "2025-11-02T05:30"),
    ],
)
def test_clock_changes(text: str, zone: ZoneInfo, utc: str) -> None:
    moment = dates.parse_moment(text, zone)
    assert moment == datetime.fromisoformat(utc + "+00:00")
    if "-03-" in text:
        assert dates.wire(moment, zone)[:16] == f"{text[:11]}{int(text[11:13]) + 1:02}:30"


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "infinity", "-infinity", "now", "today", "0000-00-00", "2025-02-30", "2025-02-30T10:00", "99999-01-01",
        "1899-12-31T00:00", "2201-01-01T00:00Z", "2200-12-31T23:30:00-05:00", "2025-13-01T00:00", "2025-03-08T24:00",
        "2025-03-08T10:60", "2025-03-08T10:00:60", "2025-W10-6", "20250308", "20250308T0930", "2025-3-8T09:30",
        "2025-03-08T09", "2025-03-08T09:30+99:00", "2025-03-08T09:30 Europe/Kyiv", "٢٠٢٥-03-08T09:30", "2025-03-08T09:30:00." + "1" * 5000,
        "2025-03-08T09:30\n2025", "1741426200",
    ],
)  # fmt: skip
def test_no_moment(text: str) -> None:
    assert dates.parse_moment(text, KYIV) is None
    if text.strip():
        with pytest.raises(Invalid, match=r"^occurred: "):
            dates.to_moment("occurred", text, KYIV)
    else:
        assert dates.to_moment("occurred", text, KYIV) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025-03-08", date(2025, 3, 8)),
        ("08/03/2025", date(2025, 3, 8)),
        ("08.03.25", date(2025, 3, 8)),
        ("08.03.85", date(1985, 3, 8)),
        ("08.03.45", date(2045, 3, 8)),
        ("08.03.46", date(1946, 3, 8)),
        ("8.3.2025", date(2025, 3, 8)),
        ("2025-03-08T23:30:00-05:00", date(2025, 3, 8)),
        ("29.02.2024", date(2024, 2, 29)),
    ],
)
def test_dates(text: str, expected: date) -> None:
    assert dates.parse_date(text) == dates.to_date("born", f" {text} ") == expected


@pytest.mark.parametrize(
    "text",
    [
        "30.02.2025",
        "29.02.2025",
        "2025/03/08",
        "08/03/25",
        "08.03/2025",
        "08-03-2025",
        "2025-03-08x",
        "00.01.2025",
        "01.01.1899",
        "5 March",
        "2025-03-08T99",
    ],
)
def test_no_date(text: str) -> None:
    assert dates.parse_date(text) is None
    with pytest.raises(Invalid, match=r"^born: '.*' is not a date like"):
        dates.to_date("born", text)


@pytest.mark.parametrize("value", [20250308, True, [], {}, 1.5])
def test_other_types_are_refused(value: object) -> None:
    with pytest.raises(Invalid):
        dates.to_date("f", value)
    with pytest.raises(Invalid):
        dates.to_moment("f", value, UTC)
    assert dates.to_date("f", None) is None
    assert dates.to_moment("f", None, UTC) is None


MOMENTS = st.datetimes(datetime(1900, 1, 2), datetime(2200, 12, 30), timezones=st.just(UTC))
ZONES = st.sampled_from([KYIV, NEW_YORK, ZoneInfo("Australia/Lord_Howe"), UTC]) | st.integers(
    -14 * 60, 14 * 60
).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(MOMENTS, ZONES)
def test_what_we_write_we_read(moment: datetime, zone: ZoneInfo) -> None:
    seconds = moment.replace(microsecond=0)
    assert dates.parse_moment(moment.isoformat(), zone) == moment
    assert dates.parse_moment(dates.rfc3339(moment), zone) == moment.replace(
        microsecond=moment.microsecond // 1000 * 1000
    )
    local = moment.astimezone(zone)
    assert dates.parse_date(local.date().isoformat()) == local.date()
    assert dates.parse_date(local.strftime("%d.%m.%Y")) == local.date()
    if local.fold == 0:
        assert dates.parse_moment(dates.wire(moment, zone), zone) == seconds
        assert dates.parse_moment(dates.wire_minutes(moment, zone), zone) == local.replace(
            second=0, microsecond=0
        )
    assert dates.from_millis("datetime", dates.to_millis(moment)) == moment.replace(
        microsecond=moment.microsecond // 1000 * 1000
    )
    assert dates.from_yyyymmdd(dates.yyyymmdd(moment.date())) == moment.date()


@given(
    st.text(max_size=40) | st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]?[0-9:.,Z+-]{0,20}", fullmatch=True)
)
def test_any_text_gives_a_moment_in_range_or_none(text: str) -> None:
    moment = dates.parse_moment(text, KYIV)
    assert moment is None or 1900 <= moment.year <= 2200
    day = dates.parse_date(text)
    assert day is None or 1900 <= day.year <= 2200


def test_answers() -> None:
    moment = datetime(2025, 5, 4, 7, 11, 12, 345678, UTC)
    assert dates.wire(moment, KYIV) == "2025-05-04T10:11:12"
    assert dates.wire_minutes(moment, KYIV) == "2025-05-04T10:11"
    assert dates.rfc3339(moment.astimezone(KYIV)) == "2025-05-04T07:11:12.345Z"
    assert dates.to_millis(moment) == 1746342672345
    assert dates.yyyymmdd(date(2025, 5, 4)) == 20250504


@pytest.mark.parametrize("value", [True, 1.5, "x", 10**14, -(10**14), 10**30, [], "1e3"])
def test_bad_timestamps(value: object) -> None:
    with pytest.raises(Invalid, match=r"^datetime: "):
        dates.from_millis("datetime", value)


def test_timestamps_as_text() -> None:
    assert dates.from_millis("datetime", "1746342672345") == datetime(2025, 5, 4, 7, 11, 12, 345000, UTC)
    assert dates.from_millis("datetime", None) is None
