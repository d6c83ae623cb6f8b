"""Recipients as clients write them: every shape is read or refused, never an error of ours."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from perigee.sending.reading import json_param, params, recipients
from perigee.sending.types import Recipient, Refused

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(
    ["contactId", "externalCustomerId", "locator", "email", "jsonParam", "languageCode", "externalRequestId"]
)


@given(
    st.sampled_from(["email", "sms", "mobilepush", "appinbox", "webhook"]),
    st.dictionaries(NAMES, JSON) | JSON,
)
def test_every_shape_is_read_or_refused(channel: str, element: Any) -> None:
    (one,) = recipients(channel, [element if element is not None else {}], limit=5)
    assert isinstance(one, Recipient | Refused)
    if isinstance(one, Refused):
        assert one.message
    elif one.data is not None:
        assert isinstance(json.loads(one.data), dict)


@given(st.dictionaries(st.text(max_size=5), JSON, max_size=3))
def test_data_come_as_text_or_as_an_object(data: dict[str, Any]) -> None:
    assert json_param(json.dumps(data)) == json_param(data)


def test_control_characters_never_reach_the_database() -> None:
    assert json_param('{"a": "x\\u0000y"}') == '{"a":"xy"}'
    assert json_param(" ") is None
    assert json_param({}) is None


def test_parameters_of_the_old_form() -> None:
    assert (
        params([{"key": "TEMPLATE.name", "value": "A"}, {"key": "b", "value": None}]) == '{"name":"A","b":""}'
    )
    assert params(None) is None


def test_what_no_index_could_hold_is_no_token() -> None:
    long, letters, good = recipients("mobilepush", ["x" * 1001, "жетон", "fcm:a-b_c"], limit=5)
    assert isinstance(long, Refused)
    assert isinstance(letters, Refused)
    assert good == Recipient("fcm:a-b_c", "token", "fcm:a-b_c")


def test_a_bad_parameter_is_named_and_not_called_the_body() -> None:
    (one,) = recipients("email", [{"locator": "a@example.com", "jsonParam": "not json"}], limit=5)
    assert isinstance(one, Refused)
    assert one.message.startswith("jsonParam: is not valid JSON")
