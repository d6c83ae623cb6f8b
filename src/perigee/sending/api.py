"""/api/v4/messages/{id}/send: a message to named people, for our own clients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from perigee.http.operation import bulk_limit
from perigee.http.v4 import Call, Right, operation
from perigee.sending import messages, queueing, reading, status
from perigee.sending.queueing import Wanted
from perigee.sending.types import Queued, Refused, SendAnswer, SendRequest, SentResult, SentTo


@operation(
    "POST",
    "/messages/{message_id:int}/send",
    right=Right.MESSAGES,
    body=SendRequest,
    answer=SendAnswer,
    body_limit=bulk_limit,
    example={"recipients": [{"address": "anna@example.com", "data": {"discount": "5%"}}]},
    answer_example={
        "results": [
            {
                "locator": "anna@example.com",
                "request_id": "3ff28330-0000-8000-8000-000000000001",
            }
        ],
        "send_id": 4702001,
    },
    refusals=(404,),
)
async def send_message(call: Call) -> SendAnswer:
    """Send a message to named people, at once and before campaigns."""
    wanted = await call.json(SendRequest)
    context = call.context
    async with context.database.connection() as conn:
        frozen = await messages.template(
            conn, call.org_id, call.path["message_id"], from_name=wanted.from_name
        )
    recipients = reading.recipients(
        frozen.channel, _wire(wanted.recipients), limit=context.settings.max_recipients_per_call
    )
    outcome = await queueing.queue(
        context.database,
        call.org_id,
        Wanted(frozen, recipients),
        now=context.now(),
        public_url=context.settings.public_url,
    )
    return SendAnswer([_result(call, outcome.send_id, one) for one in outcome.results], outcome.send_id)


def _wire(recipients: Sequence[SentTo]) -> list[dict[str, Any]]:
    return [
        {
            "contactId": one.contact_id,
            "externalCustomerId": one.external_id,
            "locator": one.address,
            "jsonParam": one.data,
            "languageCode": one.language,
            "externalRequestId": one.external_request_id,
        }
        for one in recipients
    ]


def _result(call: Call, send_id: int | None, one: Queued | Refused) -> SentResult:
    if isinstance(one, Refused):
        return SentResult(one.shown, error=one.message)
    assert send_id is not None
    key = call.context.keys.message_ids
    return SentResult(one.shown, request_id=status.request_id(key, call.org_id, send_id, one.ordinal))
