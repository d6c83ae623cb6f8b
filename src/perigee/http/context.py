"""What every handler may use: settings, database, keys, clock, group commits. One per process, built by `create_app`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from perigee.accounts.authenticate import Authenticator
from perigee.db.group_commit import Apply, GroupCommit
from perigee.db.pool import Database
from perigee.http.rates import Rates
from perigee.keys import Keys
from perigee.settings import Settings


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass
class AppContext:
    settings: Settings
    database: Database
    keys: Keys
    authenticator: Authenticator
    rates: Rates
    now: Callable[[], datetime] = utc_now
    _commits: dict[Any, GroupCommit[Any, Any]] = field(default_factory=dict)

    def group_commit(self, apply: Apply[Any, Any]) -> GroupCommit[Any, Any]:
        """The process's group commit of this set function (one per function, made at first use)."""
        found = self._commits.get(apply)
        if found is None:
            found = self._commits[apply] = GroupCommit(self.database, apply)
        return found

    async def close(self) -> None:
        for commit in self._commits.values():
            await commit.close()
        await self.database.close()
