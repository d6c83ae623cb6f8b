"""Which rows of a set may be written together: examples, and the rule itself over generated sets."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from perigee.contacts.bulk_options import Options
from perigee.contacts.policy import ADD_OR_UPDATE, SUBSCRIBE, Policy
from perigee.contacts.rounds import group, keys, merge, ready
from perigee.contacts.rows import ContactRow, Token

BULK = Options("email").policy("api")


def places(rows: Sequence[ContactRow], policy: Policy) -> list[list[list[int]]]:
    """Rounds, as lists of groups of places."""
    waiting = group(rows, policy)
    rounds = []
    while waiting:
        now = ready(waiting)
        assert now
        rounds.append([one.places for one in now])
        waiting = [one for one in waiting if one not in now]
    return rounds


def test_strangers_go_together() -> None:
    rows = [ContactRow(external_id=str(n), email=f"{n}@example.com") for n in range(3)]
    assert places(rows, BULK) == [[[0], [1], [2]]]


def test_equal_identities_are_merged() -> None:
    rows = [ContactRow(email="a"), ContactRow(email="b"), ContactRow(email="a")]
    assert places(rows, ADD_OR_UPDATE) == [[[0, 2], [1]]]


def test_a_shared_part_waits() -> None:
    rows = [ContactRow(email="a", phone="1"), ContactRow(phone="1"), ContactRow(email="a", phone="1")]
    assert places(rows, ADD_OR_UPDATE) == [[[0]], [[1]], [[2]]]


def test_what_the_policy_does_not_look_at_is_no_identity() -> None:
    rows = [ContactRow(email="a", phone="1"), ContactRow(email="b", phone="1")]
    assert places(rows, BULK) == [[[0], [1]]]


def test_a_placeholder_email_holds_nobody_up_but_those_who_have_only_that() -> None:
    rows = [
        ContactRow(external_id="1", email="x"),
        ContactRow(external_id="2", email="x"),
        ContactRow(email="x"),
    ]
    assert places(rows, BULK) == [[[0], [1]], [[2]]]
    assert places(rows, SUBSCRIBE) == [[[0]], [[1]], [[2]]]


def test_tokens_and_fields_are_identities() -> None:
    token = Token("webpush", "t")
    assert places([ContactRow(email="a", tokens=(token,)), ContactRow(tokens=(token,))], BULK) == [
        [[0]],
        [[1]],
    ]
    by_field = Options("fieldId", field_id=5).policy("api")
    assert (
        len(places([ContactRow(fields={"5": "x"}), ContactRow(email="a", fields={"5": "x"})], by_field)) == 1
    )


def test_a_merged_row_has_the_later_of_the_given_values() -> None:
    first = ContactRow(email="a", first_name="A", town="X", fields={"1": 1, "2": 2}, groups=("G",))
    second = ContactRow(email="a", first_name="B", fields={"2": 3}, groups=("G", "H"))
    merged = merge(first, second, ADD_OR_UPDATE)
    assert (merged.first_name, merged.town, merged.fields, merged.groups) == (
        "B",
        "X",
        {"1": 1, "2": 3},
        ("G", "H"),
    )


def test_of_a_second_row_only_listed_values_count_missing_ones_included() -> None:
    policy = Options(
        "email", columns=frozenset({"first_name", "phone"}), fields=frozenset({"2", "3"})
    ).policy("api")
    first = ContactRow(email="a", first_name="A", town="X", phone="1", fields={"1": 1, "3": 3})
    second = ContactRow(email="a", first_name="B", town="Y", fields={"1": 9, "2": 2})
    merged = merge(first, second, policy)
    assert (merged.first_name, merged.town, merged.phone, merged.fields) == ("B", "X", None, {"1": 1, "2": 2})


row = st.builds(
    ContactRow,
    external_id=st.none() | st.sampled_from("AB"),
    email=st.none() | st.sampled_from("ab"),
    phone=st.none() | st.sampled_from("12"),
)


@given(st.lists(row, max_size=12), st.sampled_from([ADD_OR_UPDATE, SUBSCRIBE, BULK]))
def test_every_row_has_its_place_and_never_overtakes_one_it_depends_on(
    rows: list[ContactRow], policy: Policy
) -> None:
    rounds = places(rows, policy)
    assert sorted(place for one in rounds for merged in one for place in merged) == list(range(len(rows)))
    when = {place: number for number, one in enumerate(rounds) for merged in one for place in merged}
    together = {place: merged[0] for one in rounds for merged in one for place in merged}
    for later in range(len(rows)):
        for earlier in range(later):
            strong, weak = (set(part) for part in keys(rows[earlier], policy))
            own_strong, own_weak = (set(part) for part in keys(rows[later], policy))
            if strong & (own_strong | own_weak) or weak & own_strong:
                assert when[earlier] < when[later] or together[earlier] == together[later]
