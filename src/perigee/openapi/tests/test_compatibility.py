"""Nothing of the contract's index is forgotten."""

from __future__ import annotations

from collections import Counter

from perigee.http.routes import operations
from perigee.openapi.compatibility import DEVIATIONS, missing
from perigee.openapi.contract import OPERATIONS


def test_the_index_is_the_contracts() -> None:
    assert Counter(asked.kind for asked in OPERATIONS) == {"S": 111, "G": 14, "C": 12}
    assert len({asked.shape for asked in OPERATIONS}) == 137


def test_every_operation_of_the_contract_is_served() -> None:
    assert [f"{asked.method} {asked.path}" for asked in missing(operations())] == []


def test_deviations_are_about_operations_of_the_contract() -> None:
    assert set(DEVIATIONS) <= {f"{asked.method} {asked.path}" for asked in OPERATIONS}
