import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perigee.errors import Invalid
from perigee.lib import json_edge
from perigee.lib.json_edge import decode, decode_each, encode


class Channel(msgspec.Struct, rename="camel"):
    channel_type: str
    value: str | None = None


class Contact(msgspec.Struct, rename="camel"):
    first_name: Annotated[str, msgspec.Meta(max_length=5)] | None = None
    channels: list[Channel] = []
    born: date | None = None
    kind: Literal["a", "b"] = "a"
    numbers: dict[str, int] = {}
    extra: Any = None


class Bulk(msgspec.Struct):
    contacts: list[msgspec.Raw]


def refusal(body: bytes, type_: Any = Any) -> Invalid:
    with pytest.raises(Invalid) as caught:
        decode(body, type_)
    return caught.value


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "the body is empty"),
        (b" \n", "the body is empty"),
        (b"{", "the body is not valid JSON: it ends too early"),
        (b"[1,]", "the body is not valid JSON: trailing comma in array (byte 3)"),
        (b"{} x", "the body is not valid JSON: trailing characters (byte 4)"),
        (b'{"a":NaN}', "the body is not valid JSON: invalid character (byte 5)"),
        (b"[Infinity]", "the body is not valid JSON: invalid character (byte 1)"),
        (b"[-Infinity]", "the body is not valid JSON: invalid character (byte 2)"),
        (b"1e400", "body: is a number out of range"),
        (b"1" * 5000, "body: is a number out of range"),
        (b'{"a":[9223372036854775808]}', "a[0]: '9223372036854775808' is not a 64-bit whole number"),
        (b"-9223372036854775809", "body: '-9223372036854775809' is not a 64-bit whole number"),
        (b'"\xc0"', "the body is not valid UTF-8 (byte 1)"),
        (b'"\xff"', "the body is not valid UTF-8 (byte 1)"),
        (b'"\xc0\xaf"', "the body is not valid UTF-8 (byte 1)"),
        (b'"\xed\xa0\x80"', "the body is not valid UTF-8 (byte 1)"),
    ],
)
def test_bad_json_is_refused(body: bytes, message: str) -> None:
    assert refusal(body).message == message


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        (b'{"firstName":1}', "firstName", "firstName: '1' must be text or null, not a whole number"),
        (b'{"firstName":"abcdef"}', "firstName", "firstName: 'abcdef' must be text no longer than 5"),
        (b'{"channels":[{}]}', "channels[0].channelType", "channels[0].channelType: is required"),
        (
            b'{"channels":[{"channelType":"email"},{"channelType":"email","value":true}]}',
            "channels[1].value",
            "channels[1].value: 'True' must be text or null, not true or false",
        ),
        (b'{"born":"2025-02-30"}', "born", "born: '2025-02-30' is not a valid date"),
        (b'{"kind":"c"}', "kind", "kind: 'c' is not one of the allowed values"),
        (b'{"numbers":{"x":"y"}}', "numbers[...]", "numbers[...]: must be a whole number, not text"),
        (
            b'{"numbers":{"x":18446744073709551616}}',
            "numbers.x",
            "numbers.x: '18446744073709551616' is not a 64-bit whole number",
        ),
        (b"[]", None, "body: must be an object, not a list"),
    ],
)
def test_a_refusal_names_field_value_and_rule(body: bytes, field: str | None, message: str) -> None:
    error = refusal(body, Contact)
    assert (error.field, error.message) == (field, message)


def test_deep_nesting_is_refused() -> None:
    assert decode(b"[" * 32 + b"]" * 32)
    for opening, closing in ((b"[", b"]"), (b'{"a":', b"}")):
        assert "deeper than 32" in refusal(opening * 33 + b"0" + closing * 33).message
        assert refusal(opening * 100_000).message
        assert refusal(opening * 100_000 + b"0" + closing * 100_000, Contact).message
    assert "deeper than 32" in refusal(b'{"unknown":' + b"[" * 40 + b"]" * 40 + b"}", Contact).message


@pytest.mark.parametrize("text", ["[" * 100, '\\"' + "[" * 100, '"],["', "\\" * 3 + '"[', "\\", "]" * 40, ""])
def test_brackets_inside_strings_do_not_count(text: str) -> None:
    assert decode(json.dumps({text: [text, {"a": text}, text, text]}).encode()) == {
        text: [text, {"a": text}, text, text]
    }
    deep = json.dumps([text] * 3).encode().join([b"[" * 32, b"]" * 32])
    assert json_edge.is_too_deep(deep)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text('[]{}"\\,:a\u00e9\u0000', max_size=6),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text('[]{}"\\a', max_size=4), inner, max_size=4)
    ),
    max_leaves=40,
)


def depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


@given(JSON, st.booleans())
def test_what_json_writes_is_read(value: object, ascii_only: bool) -> None:
    assert decode(json.dumps(value, ensure_ascii=ascii_only).encode()) == value
    assert decode(encode(value)) == value


@given(JSON, st.integers(0, 40))
def test_depth_is_counted_exactly(value: object, wraps: int) -> None:
    for turn in range(wraps):
        value = [value] if turn % 2 else {"a[": value, "b": "]"}
    assert json_edge.is_too_deep(json.dumps(value).encode()) == (depth(value) > 32)


@given(st.binary(max_size=60) | st.text('[]{}",:\\u0d8e1 .-', max_size=40).map(str.encode))
def test_any_bytes_give_a_storable_value_or_invalid(body: bytes) -> None:
    try:
        value = decode(body)
    except Invalid:
        return
    json.dumps(value, ensure_ascii=False, allow_nan=False).encode()


@given(st.lists(st.sampled_from(["\ud800", "\udfff", "\U0001f600", "\\", '"', "ud800", "a"])))
def test_lone_surrogates_become_the_replacement_character(parts: list[str]) -> None:
    text = "".join(parts)
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if "\ud800\udfff" in text:  # two halves side by side are one character
        text = whole
    assert decode(json.dumps(text).encode()) == "".join(
        "\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text
    )


def test_equal_keys_last_wins_and_unknown_members_are_ignored() -> None:
    assert decode(b'{"a":1,"a":2}') == {"a": 2}
    assert decode(b'{"firstName":"a","firstName":"b","x":1e400}', Contact).first_name == "b"


def test_byte_order_mark_is_skipped() -> None:
    assert decode(b"\xef\xbb\xbf[1]") == [1]


def test_one_bad_element_fails_alone() -> None:
    bad = [
        b"7",
        b'{"firstName":5}',
        b'{"firstName":"toolong"}',
        b'{"extra":1e400}',
        b'{"extra":9223372036854775808}',
    ]
    good = [
        b'{"firstName":"A"}',
        b'{"firstName":"\\ud800"}',
        b'{"firstName":"B","extra":"99999999999999999999"}',
    ]
    body = decode(b'{"contacts":[' + b",".join([good[0], *bad, *good[1:]]) + b"]}", Bulk)
    results = decode_each(body.contacts, Contact)
    assert [type(r).__name__ for r in results] == ["Contact"] + ["Invalid"] * 5 + ["Contact"] * 2
    assert [r.first_name for r in results if isinstance(r, Contact)] == ["A", "\ufffd", "B"]
    assert [r.field for r in results if isinstance(r, Invalid)] == [
        None,
        "firstName",
        "firstName",
        "extra",
        "extra",
    ]


def test_good_elements_in_order() -> None:
    assert decode_each([b'{"firstName":"A"}', b"{}"], Contact) == [Contact("A"), Contact()]
    assert decode_each([], Contact) == []


def test_encoding() -> None:
    assert (
        encode({"at": datetime(2025, 3, 8, 9, 30, tzinfo=UTC), "day": date(2025, 3, 8)})
        == b'{"at":"2025-03-08T09:30:00Z","day":"2025-03-08"}'
    )
    assert (
        encode([Decimal("59.90"), float("nan"), "Анна", "\x00"]) == '[59.90,null,"Анна","\\u0000"]'.encode()
    )
    assert encode(Channel("email")) == b'{"channelType":"email","value":null}'
