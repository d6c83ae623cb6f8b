"""What the demo sends: a newsletter in MJML with a Ukrainian version, a reminder in HTML, an SMS with both."""

from __future__ import annotations

from importlib import resources

from perigee.client import AsyncClient
from perigee.demo.people import Person
from perigee.messages.types import Message

SENDER = '"CDNOW Records" <news@cdnow.example.com>'


async def create_newsletter(perigee: AsyncClient) -> Message:
    return await perigee.create_message(
        "email",
        "Summer list",
        {
            "from": SENDER,
            "subject": "%FIRSTNAME|friend%, your summer list",
            "mjml": _source("newsletter.en.mjml"),
        },
        language="en",
        translations={
            "uk": {"subject": "%FIRSTNAME|друже%, ваш літній список", "mjml": _source("newsletter.uk.mjml")}
        },
        tags=["demo"],
    )


def newsletter_subject(person: Person) -> str:
    """What a person must find in the sandbox."""
    if person.language == "uk":
        return f"{person.first_name or 'друже'}, ваш літній список"
    return f"{person.first_name or 'friend'}, your summer list"


async def create_reminder(perigee: AsyncClient) -> Message:
    """It has no unsubscribe link of its own and gets the standard one."""
    return await perigee.create_message(
        "email",
        "Last days",
        {
            "from": SENDER,
            "subject": '{{ first_name | default: "Friend" }}, three days left',
            "htmlText": _source("reminder.html"),
        },
        language="en",
        tags=["demo"],
    )


def reminder_subject(person: Person) -> str:
    return f"{person.first_name or 'Friend'}, three days left"


async def create_vip_sms(perigee: AsyncClient) -> Message:
    return await perigee.create_message(
        "sms",
        "VIP evening",
        {
            "from": "CDNOW",
            "text": '{{ first_name | default: "Friend" }}, VIP evening on Friday: https://shop.example.com/vip',
            "trackUrls": True,
        },
        language="en",
        translations={
            "uk": {
                "text": '{{ first_name | default: "Друже" }}, VIP-вечір у п\'ятницю: https://shop.example.com/vip'
            }
        },
        tags=["demo"],
    )


def vip_sms_beginning(person: Person) -> str:
    """An SMS as far as it holds no link."""
    if person.language == "uk":
        return f"{person.first_name or 'Друже'}, VIP-вечір у п'ятницю: "
    return f"{person.first_name or 'Friend'}, VIP evening on Friday: "


def _source(name: str) -> str:
    return resources.files(__package__).joinpath("content", name).read_text("utf-8")
