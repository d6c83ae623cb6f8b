"""Pages on which people give and take back their word: unsubscribe, preferences, confirmation.

GET and HEAD never change anything: scanners follow every link, with JavaScript (reliability 17). One-click unsubscribe
(RFC 8058) is a POST without cookie, login or redirect; people get a page whose button POSTs to the same address.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from litestar import MediaType, Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from perigee.consent import confirmation, preferences, store
from perigee.consent.forms import read_form
from perigee.consent.preferences import Choices, Wish
from perigee.consent.proof import proof_of
from perigee.consent.words import ENGLISH, Words, words_for
from perigee.delivery.tracking import OptOut, opt_out
from perigee.http.body import AnyRequest
from perigee.http.context import AppContext
from perigee.http.html import page, text
from perigee.http.people import refusal
from perigee.messages.links import CONFIRM, PREFERENCES, UNSUBSCRIBE, Recipient, SignedLinks, read_recipient


def unsubscribe_page(context: AppContext) -> ControllerRouterHandler:
    @get("/u/{token:str}")
    async def handle(token: FromPath[str]) -> Response[Any]:
        try:
            recipient = read_recipient(context.keys.links, UNSUBSCRIBE, token)
            _, words = await _words(context, recipient)
        except Exception as error:
            return refusal(error, "/u/")
        return _shown(
            words,
            words.unsubscribe,
            f"<p>{text(words.unsubscribe_text)}</p>"
            f'<form method="post"><input type="hidden" name="from" value="page">{_why(words)}'
            f"<p><button>{text(words.unsubscribe)}</button></p></form>{_to_preferences(context, recipient, words)}",
        )

    return handle


def unsubscribe(context: AppContext) -> ControllerRouterHandler:
    commit = context.group_commit(opt_out)

    @post("/u/{token:str}", status_code=200)
    async def handle(request: AnyRequest, token: FromPath[str]) -> Response[Any]:
        """Both form encodings, one answer: 200 once the change is committed."""
        try:
            recipient = read_recipient(context.keys.links, UNSUBSCRIBE, token)
            form = await read_form(request, context)
            by_person = form.first("from") == "page"
            proof = proof_of(request, ENGLISH.unsubscribe_text if by_person else "", form.first("comment"))
            await commit.submit(
                recipient.org_id,
                OptOut(
                    recipient,
                    "page" if by_person else "one_click",
                    context.now(),
                    reason=ENGLISH.reasons.get(form.first("reason")),
                    detail=proof.detail(),
                ),
            )
            if not by_person:
                return Response(b"", media_type=MediaType.TEXT)
            _, words = await _words(context, recipient)
        except Exception as error:
            return refusal(error, "/u/")
        return _shown(
            words,
            words.unsubscribed,
            f'<p role="status">{text(words.unsubscribed_text)}</p>{_to_preferences(context, recipient, words)}',
        )

    return handle


def preference_page(context: AppContext) -> ControllerRouterHandler:
    @get("/p/{token:str}")
    async def handle(token: FromPath[str]) -> Response[Any]:
        try:
            return await _preferences(context, read_recipient(context.keys.links, PREFERENCES, token))
        except Exception as error:
            return refusal(error, "/p/")

    return handle


def save_preferences(context: AppContext) -> ControllerRouterHandler:
    @post("/p/{token:str}", status_code=200)
    async def handle(request: AnyRequest, token: FromPath[str]) -> Response[Any]:
        """Saves what was ticked; the button for everything takes all of it away."""
        try:
            recipient = read_recipient(context.keys.links, PREFERENCES, token)
            form = await read_form(request, context)
            on = () if form.first("do") == "none" else form.all("on")
            wish = Wish(
                frozenset(form.all("shown")),
                frozenset(on),
                context.now(),
                proof_of(request, ENGLISH.preferences_text, form.first("comment")),
                ENGLISH.reasons.get(form.first("reason")),
            )
            async with context.database.transaction() as connection:
                await preferences.save(connection, recipient.org_id, recipient, wish)
            return await _preferences(context, recipient, saved=True)
        except Exception as error:
            return refusal(error, "/p/")

    return handle


def confirmation_page(context: AppContext) -> ControllerRouterHandler:
    @get("/confirm/{token:str}")
    async def handle(token: FromPath[str]) -> Response[Any]:
        try:
            recipient = read_recipient(context.keys.links, CONFIRM, token)
            name, words = await _words(context, recipient)
        except Exception as error:
            return refusal(error, "/confirm/")
        return _shown(
            words,
            words.confirm,
            f"<p>{text(name)}</p><p>{text(words.confirm_text)}</p>"
            f'<form method="post"><p><button>{text(words.confirm_button)}</button></p></form>',
        )

    return handle


def confirm(context: AppContext) -> ControllerRouterHandler:
    @post("/confirm/{token:str}", status_code=200)
    async def handle(request: AnyRequest, token: FromPath[str]) -> Response[Any]:
        """Confirms the address; then the organisation's page, or ours. A second time is as good as the first."""
        try:
            recipient = read_recipient(context.keys.links, CONFIRM, token)
            _, words = await _words(context, recipient)
            async with context.database.transaction() as connection:
                proof = proof_of(request, words.confirm_text)
                await confirmation.confirm(connection, recipient.org_id, recipient, proof)
                chosen = await store.confirmation_settings(connection, recipient.org_id)
        except Exception as error:
            return refusal(error, "/confirm/")
        if chosen.redirect:
            return Response(b"", status_code=303, headers={"Location": chosen.redirect})
        return _shown(words, words.confirmed, f'<p role="status">{text(words.confirmed_text)}</p>')

    return handle


async def _words(context: AppContext, recipient: Recipient) -> tuple[str, Words]:
    """The organisation's name, and the words of the person's language."""
    async with context.database.connection() as connection:
        name, *languages = await store.languages(connection, recipient.org_id, recipient.contact_id)
    return name, words_for(languages)


async def _preferences(context: AppContext, recipient: Recipient, *, saved: bool = False) -> Response[Any]:
    name, words = await _words(context, recipient)
    async with context.database.connection() as connection:
        now = await preferences.choices(connection, recipient.org_id, recipient)
    done = f'<p role="status"><strong>{text(words.saved)}</strong></p>' if saved else ""
    return _shown(
        words,
        words.preferences,
        f"<p>{text(name)}</p>{done}<p>{text(words.preferences_text)}</p>"
        f'<form method="post">{_boxes(now, words)}{_why(words)}'
        f'<p><button name="do" value="save">{text(words.save)}</button></p>'
        f'<p><button class="plain" name="do" value="none">{text(words.none)}</button></p></form>',
    )


def _boxes(now: Choices, words: Words) -> str:
    channels = [(kind, words.channels[kind], on) for kind, on in now.channels.items()]
    listed = [(f"category:{one.key}", one.name, one.on) for one in now.categories]
    return _group(words.by_category, listed) + _group(words.by_channel, channels)


def _group(title: str, boxes: Sequence[tuple[str, str, bool]]) -> str:
    """Check boxes, each beside a hidden field that says it was shown."""
    if not boxes:
        return ""
    rows = "".join(
        f'<p><input type="hidden" name="shown" value="{text(name)}"><label><input type="checkbox" name="on" '
        f'value="{text(name)}"{" checked" if on else ""}> {text(label)}</label></p>'
        for name, label, on in boxes
    )
    return f"<fieldset><legend>{text(title)}</legend>{rows}</fieldset>"


def _why(words: Words) -> str:
    choices = "".join(
        f'<p><label><input type="radio" name="reason" value="{key}"> {text(reason)}</label></p>'
        for key, reason in words.reasons.items()
    )
    return (
        f"<fieldset><legend>{text(words.why)}</legend>{choices}"
        f'<p><label>{text(words.comment)}<br><textarea name="comment" rows="3" maxlength="1000"></textarea></label></p>'
        "</fieldset>"
    )


def _to_preferences(context: AppContext, recipient: Recipient, words: Words) -> str:
    signed = SignedLinks(context.keys.links, "", recipient.org_id, recipient.send_id)
    path = signed.of(recipient.ordinal, recipient.contact_id).preferences()
    return f'<p><a href="{text(path)}">{text(words.preferences)}</a></p>'


def _shown(words: Words, title: str, body: str) -> Response[Any]:
    return page(title, f'<main class="narrow"><h1>{text(title)}</h1>{body}</main>', language=words.language)


PAGES = (unsubscribe_page, unsubscribe, preference_page, save_preferences, confirmation_page, confirm)
