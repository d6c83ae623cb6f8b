"""A shop for the tests of campaigns."""

from __future__ import annotations

import pytest

from perigee.db.pool import Database
from perigee.testing.sending import Shop, make_shop


@pytest.fixture
async def shop(db: Database) -> Shop:
    return await make_shop(db)
