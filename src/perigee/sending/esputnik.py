"""The old wire's methods of sending (contract section 19)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from perigee.errors import Invalid
from perigee.esputnik.face import (
    PAGE,
    Answer,
    Call,
    Query,
    Right,
    bulk_limit,
    collapse,
    listing,
    operation,
    page,
)
from perigee.lib.dates import wire
from perigee.lib.scalars import split_list, to_bool, to_id, to_int, to_text
from perigee.sending import groups, messages, queueing, reading, status, store
from perigee.sending.queueing import Outcome, Wanted
from perigee.sending.types import (
    Callout,
    EmailSend,
    MessageStatus,
    MessageStatuses,
    Queued,
    Recipient,
    Refused,
    SendResult,
    SendResults,
    SmartSend,
    SmsSend,
    TemplateSend,
    ViberSend,
)

EXAMPLE_ID = "3ff28330-0000-8000-8000-000000000001"
ONE_RESULT = {
    "id": "0",
    "results": {"id": "0", "locator": "anna@example.com", "status": "OK", "requestId": EXAMPLE_ID},
}
ONE_STATUS = {
    "results": {"status": "DELIVERED", "requestId": EXAMPLE_ID, "failed": "false", "delivered": "true"}
}
IDS = (Query("ids", list[str], "Request ids, comma separated", required=True, example=EXAMPLE_ID),)


def _answer(call: Call, outcome: Outcome) -> SendResults:
    """One result is an object, and then the number beside it is text too (the example of section 19)."""
    results = collapse(call, [_result(call, outcome.send_id, one) for one in outcome.results])
    return SendResults(0 if isinstance(results, list) else "0", results)


def _result(call: Call, send_id: int | None, one: Queued | Refused) -> SendResult:
    if isinstance(one, Refused):
        return SendResult(one.shown, "ERROR", message=one.message)
    assert send_id is not None
    key = call.context.keys.message_ids
    return SendResult(one.shown, "OK", status.request_id(key, call.org_id, send_id, one.ordinal))


async def _queue(call: Call, wanted: Wanted) -> SendResults:
    context = call.context
    outcome = await queueing.queue(
        context.database, call.org_id, wanted, now=context.now(), public_url=context.settings.public_url
    )
    return _answer(call, outcome)


@operation(
    "POST",
    "/v1/message/{message_id:int}/smartsend",
    section="19.1",
    right=Right.MESSAGES,
    body=SmartSend,
    answer=SendResults,
    body_limit=bulk_limit,
    example={
        "recipients": [
            {
                "locator": "anna@example.com",
                "jsonParam": '{"discount":"5%","items":[{"name":"Mug"}]}',
                "externalRequestId": "order-77",
            }
        ],
        "email": True,
        "fromName": None,
    },
    answer_example=ONE_RESULT,
    refusals=(404,),
)
async def smart_send(call: Call) -> SendResults:
    """Send a template, with data per recipient."""
    body = await call.json(dict[str, Any])
    async with call.context.database.connection() as conn:
        frozen = await messages.template(
            conn, call.org_id, call.path["message_id"], from_name=body.get("fromName")
        )
    most = call.context.settings.max_recipients_per_call
    return await _queue(
        call, Wanted(frozen, reading.recipients(frozen.channel, body.get("recipients"), limit=most))
    )


@operation(
    "POST",
    "/v1/message/email",
    section="19.2",
    right=Right.MESSAGES,
    body=EmailSend,
    answer=SendResults,
    body_limit=bulk_limit,
    example={
        "from": '"Example Shop" <news@example.com>',
        "subject": "Receipt",
        "htmlText": "<p>Thanks</p>",
        "plainText": "Thanks",
        "emails": ["anna@example.com"],
        "tags": ["receipt"],
        "trackUrls": True,
    },
    answer_example=ONE_RESULT,
)
async def send_email(call: Call) -> SendResults:
    """Send an email that is no template."""
    body = await call.json(dict[str, Any])
    recipients = reading.locators(
        "emails",
        "email",
        body.get("emails"),
        limit=call.context.settings.max_recipients_per_call,
        external_request_id=_external_request_id(body),
    )
    members = {
        "from": body.get("from"),
        "subject": body.get("subject"),
        "htmlText": body.get("htmlText"),
        "plainText": body.get("plainText"),
        "ampHtml": body.get("ampHtmlText"),
    }
    async with call.context.database.connection() as conn:
        frozen = await messages.own(
            conn,
            call.org_id,
            "email",
            body,
            members,
            language=call.principal.language,
            track=to_bool("trackUrls", body.get("trackUrls")) is not False,
            personalise=to_bool("skipPersonalisation", body.get("skipPersonalisation")) is not True,
        )
    return await _queue(call, Wanted(frozen, recipients))


@operation(
    "POST",
    "/v1/message/sms",
    section="19.3",
    right=Right.MESSAGES,
    body=SmsSend,
    answer=SendResults,
    body_limit=bulk_limit,
    example={"from": "EXAMPLE", "text": "Code 1234", "phoneNumbers": ["380501112233"]},
    answer_example={
        "id": "0",
        "results": {"id": "0", "locator": "380501112233", "status": "OK", "requestId": EXAMPLE_ID},
    },
    refusals=(404,),
)
async def send_sms(call: Call) -> SendResults:
    """Send an SMS that is no template, to numbers or to a segment."""
    body = await call.json(dict[str, Any])
    recipients, once = await _phones(call, "sms", body)
    members = {"from": body.get("from"), "text": body.get("text")}
    async with call.context.database.connection() as conn:
        frozen = await messages.own(
            conn,
            call.org_id,
            "sms",
            body,
            members,
            language=call.principal.language,
            track=to_bool("trackUrls", body.get("trackUrls")) is True,
        )
    return await _queue(call, Wanted(frozen, recipients, once))


@operation(
    "POST",
    "/v1/message/viber",
    section="19.4",
    right=Right.MESSAGES,
    body=ViberSend,
    answer=SendResults,
    body_limit=bulk_limit,
    example={
        "from": "EXAMPLE",
        "text": "Sale",
        "iosExpirityText": "The offer has expired",
        "phoneNumbers": ["380501112233"],
        "ttlSeconds": 3600,
    },
    answer_example={
        "id": "0",
        "results": {"id": "0", "locator": "380501112233", "status": "OK", "requestId": EXAMPLE_ID},
    },
    refusals=(404,),
)
async def send_viber(call: Call) -> SendResults:
    """Send a Viber message that is no template, to numbers or to a segment."""
    body = await call.json(dict[str, Any])
    recipients, once = await _phones(call, "viber", body)
    if to_text("iosExpirityText", body.get("iosExpirityText")) is None:
        raise Invalid("iosExpirityText: is required", field="iosExpirityText")
    async with call.context.database.connection() as conn:
        members = {
            "from": await messages.viber_sender(conn, call.org_id, body.get("from")),
            "text": body.get("text"),
            "iosExpirityText": body.get("iosExpirityText"),
            "ttlSec": to_int("ttlSeconds", body.get("ttlSeconds"), low=1, high=366 * 86_400),
            **{name: body.get(name) for name in ("img", "caption", "action")},
        }
        frozen = await messages.own(
            conn,
            call.org_id,
            "viber",
            body,
            members,
            language=call.principal.language,
            track=to_bool("trackUrls", body.get("trackUrls")) is not False,
        )
    return await _queue(call, Wanted(frozen, recipients, once))


@operation(
    "POST",
    "/v1/message/{message_id:int}/send",
    section="19.6",
    right=Right.MESSAGES,
    body=TemplateSend,
    answer=SendResults,
    body_limit=bulk_limit,
    example={
        "email": True,
        "params": [{"key": "TEMPLATE.name", "value": "Anna"}],
        "fromName": None,
        "recipients": ["anna@example.com"],
    },
    answer_example=ONE_RESULT,
    refusals=(404,),
)
async def send_template(call: Call) -> SendResults:
    """Send a template in the old form: the same parameters for all, to addresses, one contact or a segment."""
    body = await call.json(dict[str, Any])
    async with call.context.database.connection() as conn:
        frozen = await messages.template(
            conn, call.org_id, call.path["message_id"], from_name=body.get("fromName")
        )
    data = reading.params(body.get("params"))
    if body.get("recipients"):
        most = call.context.settings.max_recipients_per_call
        recipients = reading.locators("recipients", frozen.channel, body["recipients"], limit=most, data=data)
        return await _queue(call, Wanted(frozen, recipients))
    if (contact_id := to_id("contactId", body.get("contactId"))) is not None:
        return await _queue(call, Wanted(frozen, reading.of_contacts([contact_id], data=data)))
    group = await _group(call, "recipients", body, data=data)
    return await _queue(call, Wanted(frozen, group, once=True))


async def _phones(
    call: Call, channel: str, body: dict[str, Any]
) -> tuple[Sequence[Recipient | Refused], bool]:
    """(recipients, one copy per number?) of `phoneNumbers`, or of the segment `groupId`."""
    external = _external_request_id(body)
    if body.get("phoneNumbers"):
        most = call.context.settings.max_recipients_per_call
        return reading.locators(
            "phoneNumbers", channel, body["phoneNumbers"], limit=most, external_request_id=external
        ), False
    return await _group(call, "phoneNumbers", body, external_request_id=external), True


async def _group(
    call: Call, other: str, body: dict[str, Any], **given: str | None
) -> Sequence[Recipient | Refused]:
    group_id = to_id("groupId", body.get("groupId"))
    if group_id is None:
        raise Invalid(f"{other}: is required, or groupId", field=other)
    async with call.context.database.connection() as conn:
        contact_ids = await groups.members(
            conn,
            call.org_id,
            group_id,
            call.context.now(),
            most=call.context.settings.max_group_recipients_per_call,
        )
    return reading.of_contacts(contact_ids, **given)


def _external_request_id(body: dict[str, Any]) -> str | None:
    return to_text(
        "externalRequestId", body.get("externalRequestId"), limit=reading.EXTERNAL_REQUEST_ID_LENGTH
    )


async def _statuses(call: Call) -> MessageStatuses:
    most = call.context.settings.max_recipients_per_call
    ids = split_list(call.query.getall("ids", []), limit=most)
    if not ids:
        raise Invalid("ids: is required", field="ids")
    async with call.context.database.connection() as conn:
        found: list[MessageStatus] = await status.statuses(
            conn, call.org_id, call.context.keys.message_ids, ids
        )
    return MessageStatuses(collapse(call, found))


@operation(
    "GET",
    "/v1/message/status",
    section="19.5",
    right=Right.MESSAGES,
    query=IDS,
    answer=MessageStatuses,
    answer_example=ONE_STATUS,
)
async def get_message_status(call: Call) -> MessageStatuses:
    """Read how messages have fared, by their request ids."""
    return await _statuses(call)


def _old_status(channel: str) -> Any:
    async def get_status(call: Call) -> MessageStatuses:
        return await _statuses(call)

    get_status.__name__ = f"get_{channel}_message_status"
    get_status.__doc__ = f"Read how {channel} messages have fared, in the old form."
    return operation(
        "GET",
        f"/v1/message/{channel}/status",
        section="19.6",
        right=Right.MESSAGES,
        query=IDS,
        answer=MessageStatuses,
        answer_example=ONE_STATUS,
    )(get_status)


OPERATIONS = [_old_status(channel) for channel in ("email", "sms", "viber")]


@operation(
    "GET",
    "/v1/callouts/sms",
    section="19.6",
    right=Right.GENERAL,
    query=PAGE,
    answer=list[Callout],
    answer_example=[
        {
            "calloutName": "May sale",
            "groupId": 200400,
            "groupName": "Customers",
            "date": "2025-05-05T14:00:00",
            "sent": 120,
            "delivered": 118,
            "errors": 2,
        }
    ],
)
async def list_sms_callouts(call: Call) -> Answer:
    """List SMS campaigns that were launched, newest first."""
    offset, rows = page(call)
    zone = ZoneInfo(call.principal.time_zone)
    async with call.context.database.connection() as conn:
        found, total = await store.callouts(conn, call.org_id, offset=offset, rows=rows)
    return listing(
        [
            Callout(
                one.title,
                one.segment_id,
                one.segment,
                wire(one.started_at, zone),
                one.sent + one.failed,
                one.sent,
                one.failed,
            )
            for one in found
        ],
        total,
    )
