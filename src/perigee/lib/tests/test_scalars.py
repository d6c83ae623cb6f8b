import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perigee.errors import Invalid
from perigee.lib import scalars

ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=30)
    | st.from_regex(r"[-+0-9.eE ]{1,30}"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (12, 12),
        ("12345", 12345),
        (" 7 ", 7),
        (12.0, 12),
        ("12.0", 12),
        ("-3", -3),
        ("", None),
        (" ", None),
        (None, None),
        (2**63 - 1, 2**63 - 1),
    ],
)
def test_int(value: object, expected: int | None) -> None:
    assert scalars.to_int("id", value) == expected


@pytest.mark.parametrize(
    "value",
    [
        "1_000",
        "１２",
        "0x1f",
        "1e3",
        "abc",
        1.5,
        "1.5",
        True,
        [1],
        {},
        2**63,
        "9" * 19,
        "9" * 5000,
        float("inf"),
        float("nan"),
    ],
)
def test_int_refused(value: object) -> None:
    with pytest.raises(Invalid, match=r"^id: '.*' is not ") as caught:
        scalars.to_int("id", value)
    assert caught.value.field == "id"
    assert len(caught.value.message) < 160


def test_int_range_and_ids() -> None:
    assert scalars.to_int("maxrows", "500", low=1, high=500) == 500
    with pytest.raises(Invalid, match=r"^maxrows: '501' is not from 1 to 500$"):
        scalars.to_int("maxrows", 501, low=1, high=500)
    assert [scalars.to_id("id", v) for v in (0, -1, None, "", "5", 5)] == [None, None, None, None, 5, 5]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("CRM-1001", "CRM-1001"),
        (1001, "1001"),
        (10.5, "10.5"),
        (True, "true"),
        (" x ", "x"),
        (" ", None),
        ("", None),
        (None, None),
        ("a\x00b\nc", "ab c"),
    ],
)
def test_text(value: object, expected: str | None) -> None:
    assert scalars.to_text("externalCustomerId", value) == expected


def test_text_refused_and_limited() -> None:
    with pytest.raises(Invalid, match="is not text"):
        scalars.to_text("name", {"a": 1})
    with pytest.raises(Invalid, match=r"^key: 'abcd' is longer than 3 characters$"):
        scalars.to_text("key", "abcd", limit=3)
    assert scalars.to_text("key", " abc ", limit=3) == "abc"
    assert scalars.to_text("note", "a\r\nb", lines=True) == "a\r\nb"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, True),
        (False, False),
        (1, True),
        (0, False),
        ("true", True),
        ("False", False),
        ("1", True),
        ("0", False),
        ("", None),
        (" ", None),
        (None, None),
    ],
)
def test_bool(value: object, expected: bool | None) -> None:
    assert scalars.to_bool("email", value) is expected


@pytest.mark.parametrize("value", [2, "yes", [], {}, "2", -1])
def test_bool_refused(value: object) -> None:
    with pytest.raises(Invalid, match="is not true or false"):
        scalars.to_bool("email", value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("59.90", "59.90"),
        (59.9, "59.9"),
        (7, "7"),
        ("", None),
        (" ", None),
        (None, None),
        ("-0", "0"),
        ("+.5", "0.5"),
        ("12.", "12"),
        (0.1 + 0.2, "0.3000000000"),
        ("1e3", "1000"),
        (1e-300, "0E-10"),
    ],
)
def test_decimal(value: object, expected: str | None) -> None:
    number = scalars.to_decimal("totalCost", value)
    assert (None if number is None else str(number)) == expected


@pytest.mark.parametrize(
    "value",
    [
        "NaN",
        "Infinity",
        "-inf",
        "1e99999",
        1e300,
        10**15,
        "1,5",
        "12 грн",
        True,
        [],
        "9" * 400,
        float("nan"),
        Decimal("sNaN"),
    ],
)
def test_decimal_refused(value: object) -> None:
    with pytest.raises(Invalid, match=r"^totalCost: "):
        scalars.to_decimal("totalCost", value)


@given(ANY_JSON)
def test_any_value_gives_a_storable_value_or_invalid(value: Any) -> None:
    for function in (scalars.to_int, scalars.to_text, scalars.to_bool, scalars.to_decimal):
        try:
            result: object = function("f", value)
        except Invalid as error:
            result = error.field
        if isinstance(result, Decimal):
            assert result.is_finite()
            assert abs(result) < 10**15
        json.dumps(str(result), ensure_ascii=False).encode()


@given(st.integers(-(2**63), 2**63 - 1))
def test_numeric_strings_mean_the_number(number: int) -> None:
    assert scalars.to_int("id", str(number)) == number == scalars.to_int("id", number)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, []), ([], []), ({"a": 1}, [{"a": 1}]), ([1, None, 2], [1, 2]), ("x", ["x"]), ((1,), [1])],
)
def test_one_or_many(value: object, expected: list[object]) -> None:
    assert scalars.one_or_many(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, []), ("", []), ("a,b", ["a", "b"]), ("a, b ,,a", ["a", "b"]), (["a", "b, c"], ["a", "b", "c"])],
)
def test_list_parameters(value: list[str] | str | None, expected: list[str]) -> None:
    assert scalars.split_list(value) == expected


def test_id_lists() -> None:
    assert scalars.id_list("ids", ["1, 2", "3", "1"]) == [1, 2, 3]
    assert scalars.id_list("ids", [1, "2", None, 2]) == [1, 2]
    assert scalars.id_list("ids", "4") == scalars.id_list("ids", 4) == [4]
    assert scalars.id_list("ids", None) == []
    with pytest.raises(Invalid, match=r"^ids: 'x' is not a whole number$"):
        scalars.id_list("ids", "1,x")
    for call in (
        lambda: scalars.id_list("ids", [1, 2, 3], limit=2),
        lambda: scalars.split_list("a,b,c", limit=2),
    ):
        with pytest.raises(Invalid, match=r"^ids: 3 values are more than 2$"):
            call()
