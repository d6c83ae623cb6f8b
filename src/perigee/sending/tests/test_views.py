"""Messages in the browser: a template's link (contract 18.1) and the personal page (TRACKING 9)."""

from __future__ import annotations

from perigee.contacts.delete import delete
from perigee.sending.tests.conftest import Sending, html
from perigee.testing.api import make_organisation


def view_of(page: str) -> str:
    """The path of the link that stood at `https://esputnik.com/viewInBrowser`."""
    start = page.index("http://perigee.test/v/")
    return page[start : page.index('"', start)].removeprefix("http://perigee.test")


async def test_a_templates_link_shows_it_for_nobody_in_particular(sending: Sending) -> None:
    message_id = await sending.template()
    answer = await sending.api.get(f"/api/v1/messages/email/{message_id}/viewLink")
    link = answer.json()["link"]
    assert set(answer.json()) == {"link"}
    assert link.startswith("http://perigee.test/m/")
    shown = await sending.api.client.get(link.removeprefix("http://perigee.test"))
    assert shown.status_code == 200
    assert "Discount" in shown.text
    assert 'href="https://shop.example.com/sale"' in shown.text
    assert "sandbox" in shown.headers["content-security-policy"]
    assert "/o/" not in shown.text


async def test_unknown_and_foreign_templates_have_no_link(sending: Sending) -> None:
    message_id = await sending.template()
    text = await sending.template("sms", **{"from": "Shop", "text": "Hi"})
    for path, key in (
        (999, None),
        (text, None),
        (message_id, (await make_organisation(sending.api.db, "Other"))[1]),
    ):
        answer = await sending.api.get(f"/api/v1/messages/email/{path}/viewLink", key=key)
        assert answer.status_code == 404
    link = (await sending.api.get(f"/api/v1/messages/email/{message_id}/viewLink")).json()["link"]
    assert (await sending.api.client.get(link.removeprefix("http://perigee.test") + "x")).status_code == 404


async def test_the_personal_page_shows_what_was_sent_with_its_data(sending: Sending) -> None:
    anna = await sending.shop.person("anna@example.com")
    message_id = await sending.template()
    await sending.smart(message_id, {"contactId": anna, "jsonParam": {"discount": "5%"}})
    (mail,) = await sending.mails()
    path = view_of(html(mail))
    await sending.shop.sql(
        "update message_version set content = jsonb_set(content, '{htmlText}', '\"changed\"') where org_id = %(org)s"
    )
    shown = await sending.api.client.get(path)
    assert shown.status_code == 200
    assert "Discount 5%" in shown.text
    assert (await sending.api.client.get(path[:-2] + "xx")).status_code == 404


async def test_erasing_a_person_takes_the_data_and_the_page(sending: Sending) -> None:
    anna = await sending.shop.person("anna@example.com")
    await sending.smart(await sending.template(), {"contactId": anna, "jsonParam": {"discount": "5%"}})
    (mail,) = await sending.mails()
    async with sending.api.db.transaction() as conn:
        await delete(conn, sending.api.org_id, anna, erase=True)
    assert await sending.shop.sql("select 1 from send_recipient where org_id = %(org)s") == []
    assert (await sending.api.client.get(view_of(html(mail)))).status_code == 404
