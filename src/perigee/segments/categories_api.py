"""/api/v4/categories: subscription categories, and those of a contact."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from perigee.http.v4 import Call, Created, Right, operation
from perigee.segments import categories
from perigee.segments.types import Category


class CategoryView(msgspec.Struct):
    category_id: int
    key: str
    segment_id: int
    name: str
    created_at: datetime
    updated_at: datetime
    contacts: int | UnsetType = UNSET
    """Living subscribers; in lists only."""


class CategoryCreate(msgspec.Struct, forbid_unknown_fields=True):
    """Without a key it is made from the name."""

    name: str
    key: str | None = None


class CategoryUpdate(msgspec.Struct, forbid_unknown_fields=True):
    name: str


class ContactCategories(msgspec.Struct, forbid_unknown_fields=True):
    keys: Annotated[list[str], msgspec.Meta(max_length=500)]


@operation("GET", "/categories", right=Right.GENERAL, answer=list[CategoryView])
async def list_categories(call: Call) -> list[CategoryView]:
    """List subscription categories."""
    async with call.context.database.connection() as conn:
        found = await categories.list_all(conn, call.org_id)
    return [_category(category, count) for category, count in found]


@operation(
    "POST", "/categories", body=CategoryCreate, answer=CategoryView, example={"name": "News"}, refusals=(409,)
)
async def create_category(call: Call) -> Created:
    """Create a subscription category and its list."""
    given = await call.json(CategoryCreate)
    async with call.context.database.transaction() as conn:
        return Created(_category(await categories.create(conn, call.org_id, given.name, given.key)))


@operation(
    "PATCH",
    "/categories/{category_id:int}",
    body=CategoryUpdate,
    answer=CategoryView,
    example={"name": "Weekly news"},
    refusals=(409,),
)
async def rename_category(call: Call) -> CategoryView:
    """Rename a subscription category and its list."""
    given = await call.json(CategoryUpdate)
    async with call.context.database.transaction() as conn:
        return _category(await categories.rename(conn, call.org_id, call.path["category_id"], given.name))


@operation("DELETE", "/categories/{category_id:int}", refusals=(409,))
async def delete_category(call: Call) -> None:
    """Delete a subscription category with its list; the people stay."""
    async with call.context.database.transaction() as conn:
        await categories.delete(conn, call.org_id, call.path["category_id"])


@operation(
    "GET", "/contacts/{contact_id:int}/categories", right=Right.CONTACT_READ, answer=list[CategoryView]
)
async def list_contact_categories(call: Call) -> list[CategoryView]:
    """List a contact's subscription categories."""
    async with call.context.database.connection() as conn:
        found = await categories.of_contact(conn, call.org_id, call.path["contact_id"])
    return [_category(category) for category in found]


@operation(
    "PUT",
    "/contacts/{contact_id:int}/categories",
    right=Right.CONTACT_UPDATE,
    body=ContactCategories,
    answer=list[CategoryView],
    example={"keys": ["news"]},
)
async def set_contact_categories(call: Call) -> list[CategoryView]:
    """Replace a contact's subscription categories."""
    given = await call.json(ContactCategories)
    contact_id = call.path["contact_id"]
    async with call.context.database.transaction() as conn:
        await categories.set_for_contact(conn, call.org_id, contact_id, given.keys)
        found = await categories.of_contact(conn, call.org_id, contact_id)
    return [_category(category) for category in found]


def _category(category: Category, contacts: int | UnsetType = UNSET) -> CategoryView:
    return CategoryView(*category, contacts=contacts)
