"""The one entrance: any version to what renders it."""

from __future__ import annotations

from perigee.messages.cards import Card, CompiledCard, compile_card
from perigee.messages.contents import Email, Webhook
from perigee.messages.email import CompiledEmail, compile_email
from perigee.messages.sms import CompiledSms, compile_sms
from perigee.messages.version import CompileOptions, MessageVersion
from perigee.messages.webhook import CompiledWebhook, compile_webhook

Compiled = CompiledEmail | CompiledSms | CompiledCard | CompiledWebhook


def compile_message(version: MessageVersion, options: CompileOptions) -> Compiled:
    """Once per message version and send. Raises Invalid that names the wire field, the line and the reason."""
    if isinstance(version.content, Email):
        return compile_email(version, options)
    if isinstance(version.content, Card):
        return compile_card(version, options)
    if isinstance(version.content, Webhook):
        return compile_webhook(version, options)
    return compile_sms(version, options)
