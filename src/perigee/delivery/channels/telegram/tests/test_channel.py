from __future__ import annotations

from typing import Any

import pytest

from perigee.delivery.channel import Advice, Outcome, Reason
from perigee.delivery.channels.telegram.tests.conftest import BOT, Chats


def refused(status: int, text: str, **parameters: Any) -> tuple[int, Any]:
    return status, {"ok": False, "error_code": status, "description": text, "parameters": parameters}


async def test_a_text_with_buttons_goes_out(chats: Chats) -> None:
    token = await chats.chat()
    (receipt,) = await chats.send(token, buttons=[{"text": "Buy", "link": "https://perigee.test/c/1"}])
    assert (receipt.outcome, receipt.provider_id) == (Outcome.SENT, "77")
    ((path, body),) = chats.bot.calls
    assert path == f"/bot{BOT}/sendMessage"
    assert body == {
        "chat_id": token,
        "text": "50 %",
        "reply_markup": {"inline_keyboard": [[{"text": "Buy", "url": "https://perigee.test/c/1"}]]},
    }


async def test_a_picture_takes_the_text_as_its_caption(chats: Chats) -> None:
    token = await chats.chat()
    await chats.send(token, imageSource="https://shop.example.com/i.png")
    ((path, body),) = chats.bot.calls
    assert path.endswith("/sendPhoto")
    assert body == {"chat_id": token, "photo": "https://shop.example.com/i.png", "caption": "50 %"}


@pytest.mark.parametrize(
    ("message", "fits"),
    [
        ({"text": "я" * 4096}, True),
        ({"text": "я" * 4097}, False),
        ({"text": "🙂" * 2049}, False),
        ({"text": "x" * 1024, "imageSource": "https://shop.example.com/i.png"}, True),
        ({"text": "x" * 1025, "imageSource": "https://shop.example.com/i.png"}, False),
    ],
)
async def test_more_text_than_telegram_takes_is_not_sent(
    chats: Chats, message: dict[str, Any], fits: bool
) -> None:
    (receipt,) = await chats.send(await chats.chat(), **message)
    assert (receipt.outcome is Outcome.SENT) is fits
    assert fits or receipt.reason is Reason.TOO_LARGE
    assert bool(chats.bot.calls) is fits


@pytest.mark.parametrize(
    ("answer", "outcome", "reason", "advice"),
    [
        (
            refused(403, "Forbidden: bot was blocked by the user"),
            Outcome.FAILED,
            Reason.NO_SUCH_RECIPIENT,
            Advice.SUPPRESS,
        ),
        (
            refused(400, "Bad Request: chat not found"),
            Outcome.FAILED,
            Reason.NO_SUCH_RECIPIENT,
            Advice.SUPPRESS,
        ),
        (
            refused(400, "Bad Request: BUTTON_URL_INVALID"),
            Outcome.FAILED,
            Reason.BAD_MESSAGE,
            Advice.STOP_MESSAGE,
        ),
        (refused(401, "Unauthorized"), Outcome.DEFERRED, Reason.SENDER_SETUP, Advice.PAUSE_SENDER),
        (refused(429, "Too Many Requests", retry_after=9), Outcome.DEFERRED, Reason.QUOTA, Advice.STOP_QUOTA),
        ((502, "x"), Outcome.DEFERRED, Reason.DESTINATION_BUSY, Advice.SLOW_DESTINATION),
        ((200, {"ok": False}), Outcome.FAILED, Reason.BAD_MESSAGE, Advice.STOP_MESSAGE),
    ],
)
async def test_what_telegram_answers(
    chats: Chats, answer: Any, outcome: Outcome, reason: Reason, advice: Advice
) -> None:
    chats.bot.answers.append(answer)
    (receipt,) = await chats.send(await chats.chat())
    assert (receipt.outcome, receipt.reason, receipt.advice) == (outcome, reason, advice)
    assert receipt.retry_after == (9.0 if reason is Reason.QUOTA else None)


async def test_a_lost_answer_is_uncertain_and_not_repeated(chats: Chats) -> None:
    chats.bot.answers.append(None)
    (receipt,) = await chats.send(await chats.chat())
    assert receipt.outcome is Outcome.UNCERTAIN
    assert len(chats.bot.calls) == 1
    assert BOT not in receipt.text


async def test_messages_take_turns_in_their_order(chats: Chats) -> None:
    tokens = [await chats.chat() for _ in range(6)]
    receipts = await chats.send(*tokens, per_second=200)
    assert {receipt.outcome for receipt in receipts} == {Outcome.SENT}
    assert [body["chat_id"] for _, body in chats.bot.calls] == tokens


async def test_a_campaign_drops_the_chat_that_blocked_the_bot(chats: Chats) -> None:
    tokens = [await chats.chat() for _ in range(3)]
    chats.bot.answers.append(refused(403, "Forbidden: bot was blocked by the user"))
    content = {"text": "Sale https://shop.example.com/sale"}
    made = await chats.api.post(
        "/api/v4/messages", {"channel": "telegram", "name": "Sale", "content": content}
    )
    people = [row[0] for row in await chats.shop.sql("select contact_id from contact where org_id = %(org)s")]
    segment = await chats.shop.segment("everybody", people)
    campaign = await chats.shop.launch(
        (await chats.shop.campaign(int(made.json()["message_id"]), [segment])).campaign_id
    )
    await chats.shop.run_sender()
    report = await chats.shop.report(campaign.campaign_id)
    assert (report.sent, sum(report.failed.values())) == (2, 1)
    assert "http://perigee.test/c/" in chats.bot.calls[-1][1]["text"]
    left = {row[0] for row in await chats.shop.sql("select token from push_token where org_id = %(org)s")}
    assert left == set(tokens) - {chats.bot.calls[0][1]["chat_id"]}
