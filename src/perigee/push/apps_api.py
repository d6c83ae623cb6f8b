"""/api/v4/apps: the applications whose tokens an organisation takes."""

from __future__ import annotations

from perigee.http.v4 import Call, Created, Page, Right, operation
from perigee.push import apps, credentials
from perigee.push.apps import App, AppCreate
from perigee.push.credentials import CredentialsUpdate, CredentialsView

_EXAMPLE = {"app_id": "11111111-2222-4333-8444-555555555555", "kind": "telegram", "name": "Shop bot"}


@operation(
    "POST",
    "/apps",
    right=Right.FULL,
    body=AppCreate,
    answer=App,
    example={"kind": "telegram", "name": "Shop bot"},
    answer_example=_EXAMPLE,
    refusals=(409,),
)
async def create_app(call: Call) -> Created:
    """Register an application: a mobile app, an App Inbox or a Telegram bot."""
    wanted = await call.json(AppCreate)
    async with call.context.database.transaction() as conn:
        return Created(await apps.register(conn, call.org_id, wanted))


@operation("GET", "/apps", right=Right.FULL, answer=Page[App])
async def list_apps(call: Call) -> Page[App]:
    """List the registered applications."""
    async with call.context.database.connection() as conn:
        return Page(await apps.list_apps(conn, call.org_id))


@operation("DELETE", "/apps/{app_id:uuid}", right=Right.FULL, refusals=(404,))
async def delete_app(call: Call) -> None:
    """Forget an application; the tokens it brought stay with their contacts."""
    async with call.context.database.transaction() as conn:
        await apps.remove(conn, call.org_id, call.path["app_id"])


@operation(
    "GET", "/apps/{app_id:uuid}/credentials", right=Right.FULL, answer=CredentialsView, refusals=(404,)
)
async def get_app_credentials(call: Call) -> CredentialsView:
    """Show with which accounts an application is reached: of Firebase and Apple, of a bot. Secrets are not shown."""
    app_id = call.path["app_id"]
    async with call.context.database.connection() as conn:
        found = await credentials.get(conn, call.org_id, call.context.keys.sealing, app_id)
    return credentials.view(app_id, found)


@operation(
    "PUT",
    "/apps/{app_id:uuid}/credentials",
    right=Right.FULL,
    body=CredentialsUpdate,
    answer=CredentialsView,
    example={"apns": None},
    refusals=(404,),
)
async def set_app_credentials(call: Call) -> CredentialsView:
    """Give a mobile application its Firebase service account and its Apple signing key, a bot its token; null takes one away."""
    app_id = call.path["app_id"]
    wanted = await call.json(CredentialsUpdate)
    async with call.context.database.transaction() as conn:
        made = await credentials.change(conn, call.org_id, call.context.keys.sealing, app_id, wanted)
    return credentials.view(app_id, made)
