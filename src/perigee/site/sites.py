"""Sites by what a page knows of them. Every event of every visitor asks, so answers are remembered for a minute."""

from __future__ import annotations

from perigee.db.pool import Database
from perigee.errors import Invalid
from perigee.lib.json_edge import INT64_MAX
from perigee.lib.remembered import Remembered
from perigee.site import store
from perigee.site.types import Site


class Sites:
    def __init__(self, database: Database) -> None:
        async def by_id(site_id: str) -> Site | None:
            async with database.connection() as connection:
                return await store.find_site(connection, site_id)

        async def by_organisation(org_id: int) -> Site | None:
            async with database.connection() as connection:
                return await store.find_site_of_organisation(connection, org_id)

        self._by_id = Remembered(by_id)
        self._by_organisation = Remembered(by_organisation)

    async def find(self, site_id: str) -> Site | None:
        """Case does not count."""
        return await self._by_id.get(site_id.upper())

    async def by_id(self, site_id: str, *, field: str = "GeneralInfo.siteId") -> Site:
        """Raises Invalid for an id that is no site's."""
        found = await self.find(site_id)
        if found is None:
            raise Invalid.of(field, site_id, "is not the id of a site")
        return found

    async def by_organisation(self, org_id: int) -> Site:
        """Raises Invalid for an organisation that is not there or has no site."""
        found = await self._by_organisation.get(org_id) if 0 < org_id <= INT64_MAX else None
        if found is None:
            raise Invalid.of("orgId", org_id, "is not an organisation with a site")
        return found
