import time
import uuid

from hypothesis import given
from hypothesis import strategies as st

from perigee.lib.ids import message_uuid, read_message_uuid, request_id, uuid7

KEY = b"k" * 32
IDS = st.integers(0, 2**63 - 1)
SENDS = st.integers(0, 2**40 - 2)
ORDINALS = st.integers(0, 2**32 - 2)


def test_request_ids() -> None:
    ids = {request_id() for _ in range(100)}
    assert len(ids) == 100
    assert all(len(i) == 16 and int(i, 16) >= 0 for i in ids)


@given(st.lists(st.integers(0, 2**48 * 1_000_000 - 1), min_size=2, max_size=20))
def test_uuid7_sorts_by_time(moments: list[int]) -> None:
    made = [uuid7(moment) for moment in moments]
    assert all(m.version == 7 and m.variant == uuid.RFC_4122 for m in made)
    for moment, one in zip(moments, made, strict=True):
        assert one.int >> 80 == moment // 1_000_000
        for other, two in zip(moments, made, strict=True):
            if other - moment > 1000:
                assert str(one) < str(two)
                assert one.bytes < two.bytes


def test_uuid7_is_now_and_unique() -> None:
    before = time.time_ns() // 1_000_000
    made = {uuid7() for _ in range(500)}
    assert len(made) == 500
    assert all(before <= m.int >> 80 <= time.time_ns() // 1_000_000 for m in made)


@given(IDS, SENDS, ORDINALS)
def test_a_message_has_one_id(org_id: int, send_id: int, ordinal: int) -> None:
    made = message_uuid(KEY, org_id, send_id, ordinal)
    assert made == message_uuid(KEY, org_id, send_id, ordinal)
    assert (made.version, made.variant) == (8, uuid.RFC_4122)
    others = [(org_id + 1, send_id, ordinal), (org_id, send_id + 1, ordinal), (org_id, send_id, ordinal + 1)]
    assert made not in [message_uuid(KEY, *other) for other in others]
    assert made != message_uuid(b"x" * 32, org_id, send_id, ordinal)


def test_neighbouring_names_do_not_run_together() -> None:
    assert message_uuid(KEY, 1, 11, 1) != message_uuid(KEY, 11, 1, 1) != message_uuid(KEY, 1, 1, 11)


def test_message_ids_never_change() -> None:
    """A release that changed them would make a second message of every uncertain one."""
    assert str(message_uuid(KEY, 1, 2, 3)) == "4f4b5dbe-0a41-81d6-9c0f-8b0cfbc09008"


@given(IDS, SENDS, ORDINALS, st.integers(0, 127))
def test_only_its_own_organisation_reads_a_message_id_back(
    org_id: int, send_id: int, ordinal: int, bit: int
) -> None:
    made = message_uuid(KEY, org_id, send_id, ordinal)
    assert read_message_uuid(KEY, org_id, made) == (send_id, ordinal)
    assert read_message_uuid(KEY, org_id + 1, made) is None
    assert read_message_uuid(b"x" * 32, org_id, made) is None
    assert read_message_uuid(KEY, org_id, uuid.UUID(int=made.int ^ 1 << bit)) is None
