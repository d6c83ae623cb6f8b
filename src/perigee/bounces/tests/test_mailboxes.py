"""Bounces fetched from an IMAP mailbox, against a small server at the wire."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import pytest

from perigee.bounces import effect, mailboxes
from perigee.bounces.tests.samples import dsn
from perigee.bounces.tests.test_coming_back import ANNA, sent, states, token_of
from perigee.bounces.types import MailboxCreate
from perigee.errors import Conflict
from perigee.testing.sending import Shop
from perigee.testing.smtp_server import SmtpServer


class Imap:
    """One account with one folder; `commands` is what it was asked."""

    def __init__(self) -> None:
        self.validity = 7
        self.mails: dict[int, bytes] = {}
        self.seen: set[int] = set()
        self.commands: list[str] = []
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"* OK ready\r\n")
        while line := (await reader.readline()).decode().strip():
            self.commands.append(line)
            tag, _, command = line.partition(" ")
            for answer in self.answers(command):
                writer.write(answer)
            bad = command.startswith("LOGIN") and "secret" not in command
            writer.write(f"{tag} NO wrong password\r\n".encode() if bad else f"{tag} OK done\r\n".encode())
            await writer.drain()
        writer.close()

    def answers(self, command: str) -> list[bytes]:
        if command == "CAPABILITY":
            return [b"* CAPABILITY IMAP4rev1\r\n"]
        if command.startswith("SELECT"):
            return [b"* %d EXISTS\r\n* OK [UIDVALIDITY %d] ok\r\n" % (len(self.mails), self.validity)]
        if found := re.match(r"UID SEARCH UID (\d+):\*", command):
            uids = [uid for uid in self.mails if uid >= int(found[1])] or sorted(self.mails)[-1:]
            return [b"* SEARCH " + " ".join(map(str, uids)).encode() + b"\r\n"]
        if found := re.match(r"UID FETCH ([\d,]+) ", command):
            uids = [int(uid) for uid in found[1].split(",")]
            return [
                b"* 1 FETCH (UID %d BODY[]<0> {%d}\r\n" % (uid, len(self.mails[uid]))
                + self.mails[uid]
                + b")\r\n"
                for uid in uids
            ]
        if found := re.match(r"UID STORE ([\d,]+) ", command):
            self.seen |= {int(uid) for uid in found[1].split(",")}
        return [b"* BYE\r\n"] if command == "LOGOUT" else []


@pytest.fixture
async def server() -> AsyncIterator[Imap]:
    imap = Imap()
    listening = await asyncio.start_server(imap.serve, "127.0.0.1", 0)
    imap.port = listening.sockets[0].getsockname()[1]
    yield imap
    listening.close()


async def mailbox(shop: Shop, server: Imap, password: str = "secret") -> int:
    wanted = MailboxCreate("127.0.0.1", "us", password, server.port, "none")
    async with shop.db.transaction() as connection:
        return (await mailboxes.create(connection, shop.keys, shop.org_id, wanted)).mailbox_id


async def poll(shop: Shop) -> None:
    await shop.sql("update bounce_mailbox set polled_at = null where org_id = %(org)s")
    await mailboxes.poll(shop.db, shop.keys)
    await effect.work(shop.db, shop.keys)


async def test_a_bounce_in_the_mailbox_ends_on_the_blacklist(
    shop: Shop, smtp_server: SmtpServer, server: Imap
) -> None:
    await sent(shop, smtp_server)
    await mailbox(shop, server)
    server.mails = {
        3: b"Subject: hello\r\n\r\nnothing",
        5: dsn(f"{await token_of(shop, ANNA)}@shop.example.com"),
    }
    await poll(shop)
    assert await states(shop) == {ANNA: ["blacklisted"]}
    assert server.seen == {3, 5}


async def test_each_mail_is_taken_once(shop: Shop, server: Imap) -> None:
    await mailbox(shop, server)
    server.mails = dict.fromkeys(range(1, 31), b"Subject: x\r\n\r\n")
    for _ in range(3):
        await poll(shop)
    fetched = [line for line in server.commands if "UID FETCH" in line]
    assert [len(line.split(",")) for line in fetched] == [20, 10]
    server.mails[31] = b"Subject: new\r\n\r\n"
    await poll(shop)
    assert "UID FETCH 31 " in [line for line in server.commands if "UID FETCH" in line][-1]


async def test_a_folder_that_was_made_anew_is_read_from_its_beginning(shop: Shop, server: Imap) -> None:
    await mailbox(shop, server)
    server.mails = {9: b"Subject: x\r\n\r\n"}
    await poll(shop)
    server.validity, server.mails = 8, {1: b"Subject: y\r\n\r\n"}
    await poll(shop)
    assert await shop.sql("select uid_validity, last_uid from bounce_mailbox where org_id = %(org)s") == [
        (8, 1)
    ]


async def test_what_is_wrong_is_shown(shop: Shop, server: Imap) -> None:
    mailbox_id = await mailbox(shop, server, "wrong")
    await poll(shop)
    async with shop.db.connection() as connection:
        (shown,) = await mailboxes.list_all(connection, shop.org_id)
    assert "wrong password" in str(shown.error)
    with pytest.raises(Conflict, match="wrong password"):
        await mailboxes.test(shop.db, shop.keys, shop.org_id, mailbox_id)


async def test_a_good_mailbox_passes_its_test(shop: Shop, server: Imap) -> None:
    await mailboxes.test(shop.db, shop.keys, shop.org_id, await mailbox(shop, server))
    assert not [line for line in server.commands if "FETCH" in line]
