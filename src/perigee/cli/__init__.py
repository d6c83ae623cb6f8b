"""The command line. A file per command; a command's module is imported when the command is called."""

from __future__ import annotations

import os
import sys

import cyclopts

from perigee import __version__
from perigee.errors import OperatorError

# Name, where it is, what it does: the whole command line in one list.
COMMANDS = (
    ("up", "perigee.cli.up:up", "Start everything on this machine: database, web, workers."),
    ("serve", "perigee.cli.serve:serve", "Start the web processes alone."),
    ("worker", "perigee.cli.worker:worker", "Start one worker alone: jobs, campaigns, schedules."),
    ("migrate", "perigee.cli.migrate:migrate", "Bring the database to the schema of this version."),
    ("config", "perigee.cli.config:config", "Show every setting, its value and its meaning."),
    ("openapi", "perigee.cli.openapi:openapi", "Print the OpenAPI document of every method."),
    ("doctor", "perigee.cli.doctor:doctor", "Check this machine and installation."),
    ("demo", "perigee.cli.demo:demo", "Run the main job on real orders and check every figure."),
    ("contacts", "perigee.cli.contacts:app", "People: import a file, look somebody up."),
    ("duplicates", "perigee.cli.duplicates:app", "Contacts that share an address: find and merge them."),
    ("consent", "perigee.cli.consent:app", "Why people left, and what they agreed to."),
    ("segments", "perigee.cli.segments:app", "Lists and dynamic segments."),
    ("orders", "perigee.cli.orders:app", "What people bought: list, status, delete, bring a file."),
    ("events", "perigee.cli.events:app", "What people did: types, history, refused events."),
    ("rfm", "perigee.cli.rfm:app", "Who bought or opened mails, how recently and how often."),
    ("messages", "perigee.cli.messages:app", "Emails and SMS to send."),
    ("rules", "perigee.cli.rules:app", "When, how often and to whom the organisation sends."),
    ("campaigns", "perigee.cli.campaigns:app", "Make a campaign, launch it, watch it, read its report."),
    ("organisation", "perigee.cli.organisation:app", "The organisation's name, defaults and switches."),
    ("keys", "perigee.cli.keys:app", "API keys: make, list, switch off."),
    ("providers", "perigee.cli.providers:app", "The relays that messages are sent through."),
    ("bounces", "perigee.cli.bounces:app", "Where providers report bounces and complaints to."),
    ("destinations", "perigee.cli.destinations:app", "Limits and troubles of mailbox operators."),
    ("apps", "perigee.cli.apps:app", "Mobile apps, App Inboxes and Telegram bots, and their keys."),
    ("senders", "perigee.cli.senders:app", "Who messages may come from."),
    ("domains", "perigee.cli.domains:app", "Domains that email is sent from: records, keys, checks."),
    ("exports", "perigee.cli.exports:app", "People, orders, events into CSV files and lists."),
    ("sites", "perigee.cli.sites:app", "The tracked site: what it reports, carts."),
    ("promocodes", "perigee.cli.promocodes:app", "Promo codes: fill the pool, see what is left."),
    ("sandbox", "perigee.cli.sandbox:app", "Messages that were kept instead of sent."),
    ("db", "perigee.cli.db:app", "The database: start, stop, shell, dump, restore, schema."),
)

app = cyclopts.App(
    name="perigee",
    help="Self-hosted marketing automation that speaks the eSputnik API.",
    version=f"perigee {__version__}",
)
for _name, _where, _help in COMMANDS:
    app.command(_where, name=_name, help=_help)


def main() -> None:
    """The program. Exit codes: 0 done, 1 the operator must mend something (said in one line), 2 wrong usage, 130
    Ctrl-C."""
    try:
        app()
    except OperatorError as error:
        print(f"perigee: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # `perigee config | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
