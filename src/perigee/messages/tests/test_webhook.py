"""A JSON document for a person: whatever a value holds, it stays the document that its author wrote."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perigee.errors import Invalid
from perigee.messages.contents import Webhook
from perigee.messages.person import Person
from perigee.messages.preview import PreviewLinks
from perigee.messages.version import CompileOptions, MessageVersion
from perigee.messages.webhook import CompiledWebhook, compile_webhook

EVIL = 'A"\\\n","admin":true,"x":"{{ 1 }}'


def compiled(body: str, engine: str = "liquid") -> CompiledWebhook:
    return compile_webhook(
        MessageVersion(Webhook(body), engine=engine), CompileOptions("https://perigee.invalid")
    )


def made(body: str, engine: str = "liquid", **person: Any) -> Any:
    return json.loads(compiled(body, engine).render(Person(**person), PreviewLinks(), 0))


@pytest.mark.parametrize(
    ("engine", "body"),
    [
        ("liquid", '{"v": "{{ data.x }}"}'),
        ("liquid", '{"v": "{{ data.x | default: \'none\' }}"}'),
        ("liquid", '{"v": "{% if data.x %}{{ data.x }}{% endif %}"}'),
        ("liquid", '{"v": {{ data.x | json }}}'),
        ("velocity", '{"v": "$!data.get(\'x\')"}'),
        ("velocity", '{"v": "#set($y = $data.x)$y"}'),
    ],
)
@given(value=st.text(st.characters(exclude_categories=["Cs", "Cn"], exclude_characters="\r"), min_size=1))
def test_a_value_in_a_string_is_no_more_than_a_value(engine: str, body: str, value: str) -> None:
    assert made(body, engine, data={"x": value}) == {"v": value}


def test_a_merge_tag_and_its_fallback_are_written_as_json() -> None:
    body = '{"name": "%FIRSTNAME|fri"end%"}'
    assert made(body, first_name=EVIL) == {"name": EVIL}
    assert made(body) == {"name": 'fri"end'}


def test_numbers_lists_and_objects_stand_where_json_has_a_value() -> None:
    body = '{"points": {{ points | default: 0 }}, "items": {{ data.items | json }}, "gone": {{ data.gone | json }}}'
    items = [{"name": 'a"b', "price": 1.5, "sold": True}]
    assert made(body, data={"points": 7, "items": items}) == {"points": 7, "items": items, "gone": None}


def test_a_loop_makes_elements() -> None:
    body = '[{% for i in data.items %}{"n": "{{ i }}"}{% unless forloop.last %},{% endunless %}{% endfor %}]'
    assert made(body, data={"items": [EVIL, "b"]}) == [{"n": EVIL}, {"n": "b"}]


@pytest.mark.parametrize("value", [EVIL, "", "Anna", '1, "admin": true'])
def test_what_is_no_json_with_somebodys_data_is_refused(value: str) -> None:
    with pytest.raises(Invalid, match="body: is not JSON with this person's data"):
        made('{"points": {{ data.x }}}', data={"x": value})


@pytest.mark.parametrize(
    "body",
    ["", "hello", '{"a": "b",}', '{"a": "%FIRSTNAME%}', '{"a": "{% echo first_name %}"}', '{"a": {{ b }'],
)
def test_what_could_never_be_json_is_refused_when_it_is_saved(body: str) -> None:
    with pytest.raises(Invalid) as refused:
        compiled(body)
    assert refused.value.field == "body"


def test_addresses_are_left_as_they_are() -> None:
    found = compiled('{"link": "https://shop.example.com/a", "leave": "{{ unsubscribe_url }}"}')
    assert found.links.targets == {}
    assert json.loads(found.render(Person(), PreviewLinks(), 0)) == {
        "link": "https://shop.example.com/a",
        "leave": "#unsubscribe",
    }


def test_json_in_an_email_is_a_text_like_any_other() -> None:
    from perigee.messages.texts import compile_texts

    texts = compile_texts({"text": "{{ first_name | json }}"}, CompileOptions("https://perigee.invalid"))
    assert texts.render(Person(first_name="<b>"), PreviewLinks(), 0) == {"text": '"<b>"'}
