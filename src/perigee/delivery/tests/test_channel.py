"""What all channels share: gathering into sets, the registry, settings forms, advice."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import ClassVar

import msgspec
import pytest

from perigee.delivery.channel import (
    Advice,
    Channel,
    DeliveryError,
    Medium,
    Outcome,
    Outgoing,
    Reason,
    Receipt,
    SetChannel,
)
from perigee.delivery.channels import CHANNELS, channel_class, open_channel, read_settings, settings_form
from perigee.errors import Invalid, NotFound


class Gateway(SetChannel):
    """A provider that takes sets and can be told to fail."""

    medium: ClassVar[Medium] = Medium.SMS
    Settings: ClassVar[type[msgspec.Struct]] = msgspec.Struct
    set_size = 3

    def __init__(self, failure: Exception | None = None, forget: bool = False) -> None:
        super().__init__()
        self.sets: list[list[str]] = []
        self.failure = failure
        self.forget = forget

    async def send(self, batch: Sequence[Outgoing]) -> list[Receipt]:
        await asyncio.sleep(0)
        self.sets.append([outgoing.address for outgoing in batch])
        if self.failure:
            raise self.failure
        receipts = [Receipt(Outcome.SENT, text=outgoing.address) for outgoing in batch]
        return receipts[1:] if self.forget else receipts


def outgoing(number: int) -> Outgoing:
    return Outgoing(1, 1, number, number, str(number), f"m{number}", "shop", b"hello")


async def test_where_one_call_is_allowed_at_a_time_the_next_takes_all_that_came_meanwhile() -> None:
    class OneAtATime(Gateway):
        set_size = 100
        one_at_a_time = True
        under_way = 0

        async def send(self, batch: Sequence[Outgoing]) -> list[Receipt]:
            self.under_way += 1
            assert self.under_way == 1
            await asyncio.sleep(0.01)
            self.under_way -= 1
            return await super().send(batch)

    gateway = OneAtATime()
    futures = [gateway.submit(outgoing(0))]
    for number in range(1, 6):
        await asyncio.sleep(0)
        futures.append(gateway.submit(outgoing(number)))
    await gateway.close()
    assert all(future.done() for future in futures)
    assert gateway.sets == [["0"], ["1", "2", "3", "4", "5"]]


async def test_messages_of_one_turn_go_together_in_sets() -> None:
    gateway = Gateway()
    futures = [gateway.submit(outgoing(number)) for number in range(7)]
    receipts = await asyncio.gather(*futures)
    assert gateway.sets == [["0", "1", "2"], ["3", "4", "5"], ["6"]]
    assert [receipt.text for receipt in receipts] == [str(number) for number in range(7)]
    late = gateway.submit(outgoing(9))
    await gateway.close()
    assert late.result().text == "9"


async def test_trouble_of_the_provider_is_a_receipt_for_each() -> None:
    gateway = Gateway(DeliveryError("no credit", True, reason=Reason.PROVIDER_QUOTA, retry_after=60))
    receipts = await asyncio.gather(*[gateway.submit(outgoing(number)) for number in range(2)])
    assert {(r.outcome, r.reason, r.text, r.counted, r.retry_after) for r in receipts} == {
        (Outcome.DEFERRED, Reason.PROVIDER_QUOTA, "no credit", False, 60)
    }
    assert receipts[0].advice is Advice.PAUSE_PROVIDER


@pytest.mark.parametrize(
    "gateway", [Gateway(ValueError("bug")), Gateway(forget=True)], ids=["raises", "miscounts"]
)
async def test_a_fault_of_a_channel_leaves_its_messages_uncertain_and_is_reported(gateway: Gateway) -> None:
    loop = asyncio.get_running_loop()
    reported: list[dict[str, object]] = []
    loop.set_exception_handler(lambda _, context: reported.append(context))
    try:
        receipt = await gateway.submit(outgoing(1))
        await gateway.close()
    finally:
        loop.set_exception_handler(None)
    assert (receipt.outcome, receipt.reason) == (Outcome.UNCERTAIN, Reason.ANSWER_LOST)
    assert len(reported) == 1


def test_every_registered_channel_can_be_loaded_and_has_a_form() -> None:
    for name in CHANNELS:
        assert issubclass(channel_class(name), Channel)
        assert settings_form(name)
    with pytest.raises(NotFound):
        channel_class("pigeon")


def test_the_form_of_smtp_hides_its_secret() -> None:
    properties = settings_form("smtp")["$defs"]["SmtpSettings"]["properties"]
    assert properties["password"]["secret"] is True
    assert properties["port"]["default"] == 587


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"host": "mail.example.com", "port": 0}, "$.port"),
        ({"host": "mail.example.com\r\nX"}, "$.host"),
        ({"host": ""}, "$.host"),
        ({"host": "m", "helo": "a b"}, "$.helo"),
        ({"host": "m", "username": "a\r\nRSET"}, "$.username"),
        ({"host": "m", "password": "a\0b"}, "$.password"),
        ({"host": "m", "security": "maybe"}, "$.security"),
        ({"host": "m", "colour": 1}, "colour"),
        ({}, "host"),
        ([], "object"),
    ],
)
def test_wrong_settings_are_refused_by_name(settings: object, word: str) -> None:
    with pytest.raises(Invalid, match="settings of smtp") as caught:
        read_settings("smtp", settings)
    assert word in caught.value.message


async def test_a_channel_opens_from_plain_data() -> None:
    channel = open_channel("smtp", {"host": "127.0.0.1", "port": 1, "security": "none"})
    assert channel.medium is Medium.EMAIL
    await channel.close()


@pytest.mark.parametrize("reason", list(Reason))
def test_waiting_never_costs_the_address(reason: Reason) -> None:
    for outcome in (Outcome.DEFERRED, Outcome.UNCERTAIN):
        assert Receipt(outcome, reason).advice not in (Advice.SUPPRESS, Advice.SUPPRESS_IF_REPEATED)
