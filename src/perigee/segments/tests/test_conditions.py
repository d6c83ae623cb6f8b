"""What a condition may not be, and how the refusal reads."""

from __future__ import annotations

import json
from typing import Any

import pytest

from perigee.errors import Invalid
from perigee.segments.conditions import MAX_CONDITIONS, MAX_DEPTH, check, children, dump, parse, read
from perigee.segments.expand import MAX_NESTED, expand
from perigee.segments.leaves.leaf import Broken
from perigee.segments.tests.cast import CATALOGUE, FIELD, VIP
from perigee.segments.world import Catalogue

EMAIL: dict[str, Any] = {"is": "has_address", "kind": "email"}


def refusal(condition: Any) -> str:
    with pytest.raises(Invalid) as refused:
        check(read(condition), CATALOGUE)
    return refused.value.message


def field(name: str, **comparison: Any) -> dict[str, Any]:
    return {"is": "field", "field": name, "test": comparison}


def message(what: str = "opened", **more: Any) -> dict[str, Any]:
    return {"is": "message", "what": what, **more}


def rate(**more: Any) -> dict[str, Any]:
    percent = {"op": "at_least", "value": 50}
    return {"is": "message_rate", "of": "opened", "per": "delivered", "percent": percent, **more}


def nested(depth: int) -> dict[str, Any]:
    return {"is": "not", "of": nested(depth - 1)} if depth > 1 else EMAIL


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ({"is": "nonsense"}, "condition.is: 'nonsense' invalid value 'nonsense'"),
        ({}, """condition: '{}' object missing required field `is`, as in {"is": "any", "of": [...]}"""),
        ([], "condition: '[]' expected `object`, got `array`"),
        ({"is": "all", "of": []}, "condition.of: must hold at least one condition"),
        ({"is": "all", "of": [EMAIL, {"is": "has_address", "kind": "fax"}]}, "condition.of[1].kind: 'fax' invalid enum"),
        ({**EMAIL, "colour": 1}, "object contains unknown field `colour`"),
        (field("shoe", op="filled"), "condition.field: 'shoe' must be one of id, externalCustomerId"),
        (field("town", op="greater", value=1), "condition.test.op: 'greater' must be one of equals, one_of, contains"),
        (field("town", op="equals"), "condition.test.value: must be given with 'equals'"),
        (field("town", op="filled", value="x"), "condition.test.value: 'x' is not taken by 'filled'"),
        (field("town", op="equals", value=""), "condition.test.value: '' must be a text of 1 to 1000 characters"),
        (field("town", op="equals", value="x" * 1001), "must be a text of 1 to 1000 characters"),
        (field("town", op="one_of", values=[]), "condition.test.values: must hold 1 to 1000 values, has 0"),
        (field("town", op="one_of", values=["x"] * 1001), "must hold 1 to 1000 values, has 1001"),
        (field("town", op="one_of", values=["x", ""]), "condition.test.values[1]: '' must be a text"),
        (field("id", op="equals", value="seven"), "condition.test.value: 'seven' must be a number below 10^18"),
        (field("id", op="equals", value="NaN"), "must be a number below 10^18"),
        (field("id", op="equals", value="1e400"), "must be a number below 10^18"),
        (field("id", op="equals", value=True), "condition.test.value: 'True' expected"),
        (field("id", op="between", value=5, to=4), "condition.test.to: '4' must not be below '5'"),
        (field("created", op="on", value="2026-02-30"), "'2026-02-30' must be a date YYYY-MM-DD from 1900-01-01"),
        (field("created", op="on", value="20260228"), "must be a date YYYY-MM-DD"),
        (field("created", op="after", value="9999-12-31"), "must be a date YYYY-MM-DD"),
        (field("created", op="last_days", days=-1), "condition.test.days: '-1' must be a whole number from 0 to 36500"),
        (field("created", op="in_days", days=10**9), "must be a whole number from -36500 to 36500"),
        (field("created", op="anniversary", days=400), "condition.test.days: '400' must not be more than a year"),
        (field("created", op="last_hours", hours=0), "condition.test.hours: '0' must be a whole number from 1 to 8784"),
        ({"is": "additional", "id": 5, "test": {"op": "filled"}}, "condition.id: '5' is not the id of an additional field"),
        ({"is": "additional", "id": 2**70, "test": {"op": "filled"}}, "is not the id of an additional field"),
        (
            {"is": "additional", "id": FIELD["number"], "test": {"op": "contains", "value": "1"}},
            "condition.test.op: 'contains' must be one of equals, one_of, greater",
        ),
        ({"is": "email_domain", "domains": []}, "condition.domains: must hold 1 to 1000 domains, has 0"),
        ({"is": "segment", "id": 404}, "condition.id: '404' is not the id of a segment"),
        ({"is": "segment", "id": VIP, "joined": {"op": "filled"}}, "condition.joined.op: 'filled' must be one of on, before"),
        ({"is": "category", "key": "no"}, "condition.key: 'no' is not the key of a subscription category"),
        ({"is": "event", "type": "no"}, "condition.type: 'no' is not the key of an event type"),
        (
            {"is": "event", "type": "cart", "times": {"op": "at_least", "value": 1.5}},
            "condition.times.value: '1.5' must be a whole number from 0 to 1000000000",
        ),
        (
            {"is": "event", "type": "cart", "period": {"op": "empty"}},
            "condition.period.op: 'empty' must be one of on, before",
        ),
        (
            {"is": "event", "type": "cart", "where": [{"param": "p", "as": "number", "test": {"op": "less", "value": "x"}}]},
            "condition.where[0].test.value: 'x' must be a number",
        ),
        (
            {"is": "event", "type": "cart", "where": [{"param": "p", "test": {"op": "filled"}}] * 11},
            "condition.where: has 11 comparisons, the most are 10",
        ),
        (
            {"is": "orders", "measure": "count", "test": {"op": "filled"}},
            "condition.test.op: 'filled' must be one of at_least, at_most",
        ),
        ({"is": "orders", "measure": "total", "test": {"op": "equals", "value": 1}, "which": []}, "must hold 1 to 20 statuses"),
        (message(campaigns=[851, 7]), "condition.campaigns[1]: '7' is not the id of a campaign"),
        (message(messages=[2**70]), "is not the id of a message"),
        (message(categories=["no"]), "condition.categories[0]: 'no' is not the key of a subscription category"),
        (message(languages=["english!"]), "condition.languages[0]: 'english!' is not a language code"),
        (message(tags=["x"] * 1001), "condition.tags: must hold at most 1000 values, has 1001"),
        (message(tags=[""]), "condition.tags[0]: '' must be a text of 1 to 255 characters"),
        (message(channel="sms", domains=["example.com"]), "are not taken with channel 'sms'"),
        (message(hours=[24]), "condition.hours[0]: '24' must be a whole number from 0 to 23"),
        (message(weekdays=[0]), "condition.weekdays[0]: '0' must be a whole number from 1 to 7"),
        (message(variant=9), "condition.variant: '9' must be a whole number from 0 to 8"),
        (message(link={"op": "filled"}), "condition.link: is not taken by 'opened'"),
        (message(reason={"op": "filled"}), "condition.reason: is not taken by 'opened'"),
        (message(delay={"op": "at_most", "value": -1}), "condition.delay.value: '-1' must be a whole number"),
        (message(what="sent", delay={"op": "at_most", "value": 1}), "condition.delay: is not taken by 'sent'"),
        (
            {"is": "message_time", "what": "sent", "test": {"op": "anniversary", "days": 1}},
            "condition.test.op: 'anniversary' must be one of on, before",
        ),
        (rate(of="sent", per="opened"), "condition.of: 'sent' must come behind 'per'"),
        (rate(least=0), "condition.least: '0' must be a whole number from 1"),
        (rate(percent={"op": "at_least", "value": 101}), "condition.percent.value: '101' must be from 0 to 100"),
        ({"is": "language", "languages": []}, "condition.languages: must hold 1 to 1000 languages, has 0"),
        ({"is": "language", "languages": ["english"]}, "condition.languages[0]: 'english' is not a language code"),
        ({"is": "phone_country", "countries": ["UA", "ua"]}, "condition.countries[1]: 'ua' is not a country's code"),
        ({"is": "token", "kind": "mobilepush", "site": "a.example"}, "is not taken with kind 'mobilepush'"),
        (
            {"is": "token", "kind": "webpush", "device": [{"about": "os", "test": {"op": "less", "value": 1}}]},
            "condition.device[0].test.op: 'less' must be one of equals",
        ),
        (
            {"is": "address_state", "kind": "email", "state": "active", "since": {"op": "last_days", "days": 1}},
            "condition.since: is not taken by 'active'",
        ),
    ],
)  # fmt: skip
def test_a_refusal_names_path_value_and_rule(condition: Any, message: str) -> None:
    assert message in refusal(condition)


def test_it_may_be_eight_levels_deep() -> None:
    read(nested(MAX_DEPTH))
    assert "is nested deeper than 8 levels" in refusal(nested(MAX_DEPTH + 1))


def test_it_may_hold_two_hundred_conditions() -> None:
    read({"is": "any", "of": [EMAIL] * MAX_CONDITIONS})
    assert refusal({"is": "any", "of": [EMAIL] * 201}) == "condition: holds 201 conditions, the most are 200"


@pytest.mark.parametrize(
    "data",
    [
        b'{"is":"not","of":' * 10_000,
        b"[" * 100_000,
        b"",
        b"{",
        b'"\xed\xa0\x80"',
        b'{"is": "\\ud800"}',
        b" " * 300_000,
    ],
)
def test_what_is_no_condition_is_refused_and_nothing_worse(data: bytes) -> None:
    with pytest.raises(Invalid):
        parse(data)


def test_control_characters_and_surrogates_are_cleaned_away() -> None:
    assert read(field("town", op="equals", value="Ky\0iv")) == read(field("town", op="equals", value="Kyiv"))
    check(read(field("town", op="equals", value="a\ud800")), CATALOGUE)


def rules(**of: Any) -> Catalogue:
    return Catalogue(rules={int(name[1:]): read(condition) for name, condition in of.items()})


def segment(number: int) -> dict[str, Any]:
    return {"is": "segment", "id": number}


def test_a_segment_must_not_name_itself_even_through_others() -> None:
    catalogue = rules(s1=segment(2), s2={"is": "not", "of": segment(3)}, s3=segment(1))
    for number, own in ((1, None), (2, 1)):
        with pytest.raises(Invalid, match="names itself: 1 → 2 → 3 → 1"):
            expand(read(segment(number)), catalogue, own=own)
    with pytest.raises(Invalid, match="names itself: 9 → 9"):
        expand(read(segment(9)), Catalogue(), own=9)


def test_segments_within_segments_have_an_end() -> None:
    chain = {f"s{n}": segment(n + 1) for n in range(1, 20)}
    with pytest.raises(Invalid, match=f"more than {MAX_NESTED} segments within each other"):
        expand(read(segment(1)), rules(**chain, s20=EMAIL))


def test_of_a_dynamic_segment_nobody_knows_who_joined_when() -> None:
    tree = read({**segment(1), "joined": {"op": "last_days", "days": 1}})
    with pytest.raises(Invalid, match=r"condition\.joined: is taken by lists only"):
        check(tree, rules(s1=EMAIL))
    assert isinstance(expand(tree, rules(s1=EMAIL)), Broken)


def test_a_bomb_of_segments_is_refused_before_it_grows() -> None:
    many = {f"s{n}": {"is": "any", "of": [segment(n + 1)] * 200} for n in range(1, 6)}
    with pytest.raises(Invalid, match="more than 1000 conditions"):
        expand(read(segment(1)), rules(**many, s6=EMAIL))


def test_a_stored_condition_on_something_gone_is_marked() -> None:
    tree = expand(read({"is": "all", "of": [EMAIL, segment(404)]}), Catalogue())
    (_, _), (_, gone) = children(tree)
    assert isinstance(gone, Broken)
    assert "'404' is not the id of a segment" in gone.why


def test_the_stored_form_leaves_defaults_out() -> None:
    condition = {"is": "event", "type": "cart"}
    assert json.loads(dump(read({**condition, "period": None, "where": []}))) == condition
