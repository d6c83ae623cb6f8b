from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perigee.errors import Invalid
from perigee.lib import languages


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("en", "en"), ("UK", "uk"), ("es-AR", "es-AR"), ("en_UK", "en-UK"), ("ES_ar", "es-AR"), ("zh-hant-tw", "zh-Hant-TW"), ("es-419", "es-419"),
        ("sl-rozaj-biske", "sl-rozaj-biske"), ("de-CH-1996", "de-CH-1996"), ("en-u-ca-gregory", "en-u-ca-gregory"), ("de-x-home", "de-x-home"),
        (" fr ", "fr"), ("zh-yue-HK", "zh-yue-HK"), ("", None), ("e", None), ("english", None), ("en-", None), ("en--US", None), ("12", None),
        ("en-USA1", None), ("en;q=0.8", None), ("uk\n", "uk"), ("ук", None), ("en-" + "x" * 5000, None), ("x-private", None),
    ],
)  # fmt: skip
def test_language_tags(text: str, expected: str | None) -> None:
    assert languages.normal_language(text) == expected


@given(st.text(max_size=20) | st.from_regex(r"[a-zA-Z]{2,3}([-_][a-zA-Z0-9]{1,8}){0,3}", fullmatch=True))
def test_normal_tags_are_stable(text: str) -> None:
    tag = languages.normal_language(text)
    if tag is not None:
        assert languages.normal_language(tag) == languages.normal_language(tag.upper()) == tag
        assert tag.isascii()
        assert len(tag) <= 35


def test_refusals_and_blanks() -> None:
    assert [languages.to_language("languageCode", v) for v in (None, "", " ", "EN")] == [
        None,
        None,
        None,
        "en",
    ]
    assert [languages.to_time_zone("timeZone", v) for v in (None, "", " ", "UTC")] == [
        None,
        None,
        None,
        "UTC",
    ]
    with pytest.raises(Invalid, match="languageCode: 'klingon' is not a language code"):
        languages.to_language("languageCode", "klingon")
    with pytest.raises(Invalid, match="timeZone: 'Mars/Base' is not a time zone"):
        languages.to_time_zone("timeZone", "Mars/Base")
    wrong: list[object] = [5, True, [], {}]
    for value in wrong:
        with pytest.raises(Invalid):
            languages.to_language("languageCode", value)
        with pytest.raises(Invalid):
            languages.to_time_zone("timeZone", value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Europe/Kyiv", "Europe/Kyiv"), ("europe/kyiv", "Europe/Kyiv"), ("Europe/Kiev", "Europe/Kiev"), ("utc", "UTC"),
        ("America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"), ("../../etc/passwd", None), ("/etc/localtime", None),
        ("localtime", None), ("GMT+3 Kyiv", None), ("", None), ("Europe/Kyiv\x00", None),
    ],
)  # fmt: skip
def test_time_zones(text: str, expected: str | None) -> None:
    assert languages.normal_time_zone(text) == expected


def test_every_known_zone_can_be_used() -> None:
    for name in available_timezones() - {"Factory", "localtime", "posixrules"}:
        assert languages.zone(languages.normal_time_zone(name) or "") == ZoneInfo(name)
