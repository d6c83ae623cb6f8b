"""Whether a message may come from whom it says (contract 18.1: `from` must be a confirmed sender)."""

from __future__ import annotations

from typing import get_args

from perigee.db.pool import Connection
from perigee.errors import Invalid
from perigee.messages.validate import is_dynamic
from perigee.senders import store
from perigee.senders.forms import same_origin
from perigee.senders.types import SenderChannel

CHANNELS_WITH_SENDERS = frozenset(get_args(SenderChannel))


async def check_sender(
    conn: Connection, org_id: int, channel: str, sender: str, *, field: str = "from"
) -> None:
    """Raises Invalid when the organisation has confirmed senders of the channel and this is none of them.

    An organisation that has confirmed none yet may use any, so that a new installation can be tried out. Of an email
    the address decides, its name is free. What is only known per person (merge tags) is not looked at.
    """
    if is_dynamic(sender):
        return
    confirmed = await store.list_senders(conn, org_id, channel)
    wanted = same_origin(channel, sender)
    if confirmed and all(same_origin(channel, one.value) != wanted for one in confirmed):
        raise Invalid.of(field, sender, "is not a confirmed sender of this organisation")
