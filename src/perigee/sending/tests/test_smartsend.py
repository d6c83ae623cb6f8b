"""POST v1/message/{id}/smartsend (contract 19.1)."""

from __future__ import annotations

from perigee.sending.tests.conftest import EMAIL, Sending, html, requests, results


async def test_one_recipient_is_answered_as_in_the_documentation(sending: Sending) -> None:
    answer = await sending.smart(
        await sending.template(),
        {"locator": "anna@example.com", "jsonParam": '{"discount":"5%"}', "externalRequestId": "order-77"},
        email=True,
        fromName=None,
    )
    (request_id,) = requests(answer)
    assert answer.json() == {
        "id": "0",
        "results": {"id": "0", "locator": "anna@example.com", "status": "OK", "requestId": request_id},
    }
    (mail,) = await sending.mails()
    assert "Discount 5%" in html(mail)
    assert mail["To"] == "anna@example.com"
    assert request_id in mail["Message-ID"]
