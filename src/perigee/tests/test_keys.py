"""A change of the secret: what the old one made is still read, what is new is made with the new one."""

from __future__ import annotations

import dataclasses
from base64 import b64encode

import pytest
from litestar.testing import AsyncTestClient

from perigee.accounts.bootstrap import create_organisation
from perigee.bounces import verp
from perigee.db.pool import Database
from perigee.delivery import callbacks
from perigee.errors import NotFound
from perigee.http.app import create_app
from perigee.keys import Keys
from perigee.lib.ids import message_uuid, read_message_uuid
from perigee.lib.tokens import InvalidToken, seal, unseal
from perigee.messages import short_links
from perigee.messages.links import OPEN, read_recipient
from perigee.messages.short_links import ShortLink
from perigee.settings import Settings, SettingsError
from perigee.testing.api import SETTINGS

FIRST, SECOND, THIRD = (letter * 40 for letter in "abc")
GENERATIONS = {
    "first": Keys.of(FIRST),
    "second": Keys.of(SECOND, FIRST),
    "third": Keys.of(THIRD, f"{FIRST},{SECOND}"),
}
TODAY = GENERATIONS["third"]
WITHOUT_FIRST = Keys.of(THIRD, f"- {SECOND}")
LINK = ShortLink(12, 47, 17, 3)


@pytest.fixture(params=GENERATIONS)
def then(request: pytest.FixtureRequest) -> Keys:
    return GENERATIONS[request.param]


def test_links_stay_valid(then: Keys) -> None:
    token = then.links.sign(OPEN, 12, 47, 17, 100)
    assert read_recipient(TODAY.links, OPEN, token).contact_id == 100
    assert short_links.read(TODAY.links, short_links.write(then.links, LINK)) == LINK


def test_what_was_sealed_opens(then: Keys) -> None:
    assert unseal(TODAY.sealing, seal(then.sealing, b"password", b"row 1"), b"row 1") == b"password"


def test_bounces_call_backs_and_ids_are_understood(then: Keys) -> None:
    for name in ("bounces", "unsubscribe_mail"):
        token = verp.token(getattr(then, name), 12, 47, 17, 100)
        assert verp.read(getattr(TODAY, name), token) == (12, 47, 17, 100)
    address = callbacks.address("http://p.test", then.sealing, 12, 5)
    assert callbacks.read_token(TODAY.sealing, address.rpartition("/")[2]) == (12, 5)
    assert read_message_uuid(TODAY.message_ids, 12, message_uuid(then.message_ids, 12, 47, 17)) == (47, 17)


def test_new_things_are_made_with_the_new_secret() -> None:
    """Whoever knows the old secret cannot make what is made today."""
    for name in ("first", "second"):
        with pytest.raises(NotFound):
            read_recipient(GENERATIONS[name].links, OPEN, TODAY.links.sign(OPEN, 12, 47, 17, 100))
        with pytest.raises(InvalidToken):
            unseal(GENERATIONS[name].sealing, seal(TODAY.sealing, b"password"))
        with pytest.raises(NotFound):
            verp.read(GENERATIONS[name].bounces, verp.token(TODAY.bounces, 12, 47, 17, 100))


def test_a_secret_that_is_struck_out_is_believed_no_more_and_the_others_keep_their_numbers() -> None:
    for name, good in (("first", False), ("second", True), ("third", True)):
        token = GENERATIONS[name].links.sign(OPEN, 12, 47, 17, 100)
        sealed = seal(GENERATIONS[name].sealing, b"password")
        if good:
            assert read_recipient(WITHOUT_FIRST.links, OPEN, token).contact_id == 100
            assert unseal(WITHOUT_FIRST.sealing, sealed) == b"password"
        else:
            with pytest.raises(NotFound):
                read_recipient(WITHOUT_FIRST.links, OPEN, token)
            with pytest.raises(InvalidToken):
                unseal(WITHOUT_FIRST.sealing, sealed)


async def test_api_keys_outlive_a_change_of_the_secret(db: Database, database_url: str) -> None:
    async with db.transaction() as conn:
        _, key = await create_organisation(conn, GENERATIONS["first"], name="Shop", owner="owner@example.com")
    changed = dataclasses.replace(SETTINGS, secret_key=THIRD)
    headers = {"Authorization": "Basic " + b64encode(f"any:{key}".encode()).decode()}
    for old, status in ((FIRST, 200), ("", 401)):
        app = create_app(dataclasses.replace(changed, old_secret_keys=old), database_url)
        async with AsyncTestClient(app, base_url="http://perigee.test") as client:
            assert (await client.get("/api/v1/groups", headers=headers)).status_code == status


def test_the_setting_refuses_short_keys_and_shows_none() -> None:
    environment = {"PERIGEE_HOME": "/nonexistent", "PERIGEE_OLD_SECRET_KEYS": f"{FIRST} -\n{SECOND}"}
    settings = Settings.load(environment)
    assert settings.masked()["old_secret_keys"] == "********"
    with pytest.raises(SettingsError, match=r"PERIGEE_OLD_SECRET_KEYS=\*+ must be keys of 32"):
        Settings.load({**environment, "PERIGEE_OLD_SECRET_KEYS": f"{FIRST} too-short"})
