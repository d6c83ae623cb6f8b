"""One frozen settings object, built at the entry point and passed down.

Order of precedence: environment (`PERIGEE_X`), a file named by `PERIGEE_X_FILE` (for secrets), the settings
file (`PERIGEE_CONFIG`, default `<home>/perigee.toml`, keys in lower case), the default below. A value that
breaks its rule raises `SettingsError`, which names the variable, the value and the rule.
"""

from __future__ import annotations

import dataclasses
import os
import re
import tomllib
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from perigee.errors import OperatorError
from perigee.lib.endpoints import parse_endpoints
from perigee.lib.public_addresses import parse_networks, parse_ports
from perigee.lib.rate_rules import read_rules


class SettingsError(OperatorError):
    """A setting is missing or breaks its rule; the message can be shown to the operator as it is."""


def default_home() -> Path:
    """`~/.perigee`, or `/var/lib/perigee` for root, whose home other system users may not enter."""
    return Path("/var/lib/perigee") if os.geteuid() == 0 else Path.home() / ".perigee"


def setting(
    default: Any, doc: str, *, check: Callable[[Any], str | None] | None = None, secret: bool = False
) -> Any:
    return dataclasses.field(default=default, metadata={"doc": doc, "check": check, "secret": secret})


def between(low: float, high: float) -> Callable[[Any], str | None]:
    return lambda value: None if low <= value <= high else f"must be from {low:g} to {high:g}"


def one_of(*values: str) -> Callable[[Any], str | None]:
    return lambda value: None if value in values else "must be one of " + ", ".join(values)


def long_enough_key(value: Any) -> str | None:
    return None if len(value) >= 32 else "must have 32 characters or more, chosen by chance"


def read_old_secrets(text: str) -> list[str | None]:
    """The secrets, oldest first; None for a `-`, which keeps the place of one that is no longer believed. ValueError."""
    parts = [None if part == "-" else part for part in text.replace(",", " ").split()]
    if len(parts) > 254 or any(part is not None and long_enough_key(part) for part in parts):
        raise ValueError
    return parts


def absolute_url(value: Any) -> str | None:
    ok = isinstance(value, str) and value.startswith(("http://", "https://"))
    return (
        None
        if ok and not value.endswith("/")
        else "must be http(s)://host[:port][/path] without a slash at the end"
    )


def readable(read: Callable[[str], object], form: str) -> Callable[[Any], str | None]:
    def broken(value: Any) -> str | None:
        try:
            read(value)
        except ValueError:
            return f"must be {form}"
        return None

    return broken


_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")


def host_name(value: Any) -> str | None:
    return None if not value or _HOST.fullmatch(value) else "must be a host name in lower case"


def parse_listen(text: str) -> tuple[str, int] | None:
    """Address and port; None for the empty text. Raises ValueError."""
    if not text:
        return None
    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError(text)
    return host.strip("[]"), int(port)


RATE = between(0, 1_000_000)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Every option: default, what it means, check. `perigee config` prints them; docs list them."""

    home: Path = setting(  # noqa: RUF009 - a dataclasses.field
        None, "Folder for the embedded database, the secret key and logs."
    )
    database_url: str | None = setting(
        None, "PostgreSQL 15 or newer to use instead of the embedded server (postgresql://…).", secret=True
    )
    host: str = setting("127.0.0.1", "Address the web process listens on.")
    port: int = setting(8025, "Port the web process listens on.", check=between(1, 65535))
    public_url: str = setting(
        "http://127.0.0.1:8025",
        "Address people and clients reach us under; goes into links in messages.",
        check=absolute_url,
    )
    short_url: str = setting(
        "",
        "Address that short links of SMS and Viber begin with, where an organisation has none of its own; empty: public_url.",
        check=lambda value: None if not value else absolute_url(value),
    )
    cors_origins: str = setting(
        "", "Origins of pages that may call the API with credentials, separated by spaces."
    )
    trusted_proxies: str = setting(
        "127.0.0.1 ::1",
        "Networks of reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed, separated by spaces.",
        check=readable(parse_networks, "networks such as 10.0.0.0/8, separated by spaces"),
    )
    secret_key: str | None = setting(
        None,
        "Signs links and encrypts secrets at rest; made in <home>/secret_key when absent.",
        secret=True,
        check=long_enough_key,
    )
    old_secret_keys: str = setting(
        "",
        "Secret keys of earlier times, oldest first, separated by spaces or commas: what they signed and sealed stays good.",
        secret=True,
        check=readable(
            read_old_secrets, "keys of 32 characters or more, or `-`, separated by spaces or commas"
        ),
    )
    workers: int = setting(
        0, "Worker processes that `up` starts; 0 = one per core, at most eight.", check=between(0, 256)
    )
    web_processes: int = setting(1, "Web processes that `up` and `serve` start.", check=between(1, 256))
    pool_size: int = setting(8, "Database connections per process.", check=between(2, 200))
    log_format: str = setting(
        "auto",
        "`json`, `console`, or `auto`: console on a terminal.",
        check=one_of("json", "console", "auto"),
    )
    log_level: str = setting(
        "info", "Least severe level that is logged.", check=one_of("debug", "info", "warning", "error")
    )

    max_body_mb: int = setting(
        1, "Largest request body in MB, where the path has no rule of its own.", check=between(1, 1024)
    )
    max_bulk_body_mb: int = setting(
        16, "Largest body of bulk contacts and orders in MB.", check=between(1, 1024)
    )
    max_event_body_kb: int = setting(
        20, "Largest body of one event in KB (contract section 5).", check=between(1, 10240)
    )
    max_tracker_body_kb: int = setting(
        256, "Largest body of one event of the tracker in KB.", check=between(1, 10240)
    )
    max_contacts_per_call: int = setting(3000, "Contacts per bulk call.", check=between(1, 100_000))
    max_orders_per_call: int = setting(1000, "Orders per call.", check=between(1, 100_000))
    max_past_events_per_call: int = setting(500, "Events per call of past events.", check=between(1, 100_000))
    max_events_per_call: int = setting(
        3000, "Events per call of POST /api/v4/events.", check=between(1, 100_000)
    )
    past_event_days: int = setting(730, "How old a past event may be.", check=between(1, 36500))
    deleted_contact_days: int = setting(
        30,
        "How long a deleted contact can be restored before it is erased; 0 = for ever.",
        check=between(0, 3650),
    )
    merge_undo_days: int = setting(
        30, "How long a merge of two contacts can be undone.", check=between(1, 3650)
    )
    export_days: int = setting(
        3, "Days that the file of an export is kept and its link opens it.", check=between(1, 90)
    )
    visitor_days: int = setting(
        90,
        "How long what an unknown visitor did waits for a contact, and an order reported twice is noticed.",
        check=between(1, 3650),
    )
    keep_event_months: int = setting(
        24,
        "How many months of events are kept before the current one, then they are dropped month by month; 0 = for ever.",
        check=between(0, 1200),
    )
    keep_order_months: int = setting(60, "The same for orders, by their date.", check=between(0, 1200))
    keep_activity_months: int = setting(
        36, "The same for what happened to messages: opens, clicks, delivery reports.", check=between(0, 1200)
    )
    keep_delivery_months: int = setting(
        36, "The same for the ledger of messages, by the start of their send.", check=between(0, 1200)
    )
    keep_export_folder: str = setting(
        "", "Folder that months are written to as gzip'd CSV before they are dropped; empty = nowhere."
    )
    max_ids_per_call: int = setting(500, "Ids per attach or detach.", check=between(1, 100_000))
    max_recipients_per_call: int = setting(
        1000,
        "Recipients per call that sends a message, and ids per call of their status.",
        check=between(1, 10_000),
    )
    max_group_recipients_per_call: int = setting(
        10_000,
        "People of a segment that a call may send to; for more there are campaigns.",
        check=between(1, 100_000),
    )
    max_activity_rows: int = setting(
        25_000,
        "Rows of one page of contact activity, also where a caller names no number.",
        check=between(1, 100_000),
    )
    max_activity_months: int = setting(
        3, "Longest period of one call for contact activity, in months.", check=between(1, 120)
    )
    max_history_rows: int = setting(
        100, "Rows of one page of a contact's message history.", check=between(1, 10_000)
    )
    max_balance_days: int = setting(
        90, "Longest period of one call for the balance history, in days.", check=between(1, 3650)
    )
    repeat_guard_seconds: int = setting(
        60,
        "An identical request of the three guarded methods within this time is 409; 0 = off.",
        check=between(0, 3600),
    )
    api_token_days: int = setting(30, "Life of a token made by POST v1/auth/token.", check=between(1, 3650))
    app_inbox_token_minutes: int = setting(
        60, "An App Inbox token that was not used for so long is dead.", check=between(1, 525_600)
    )
    app_inbox_messages: int = setting(
        1000,
        "App Inbox messages kept per contact; a new one pushes the oldest out.",
        check=between(1, 100_000),
    )
    app_inbox_ttl_seconds: int = setting(
        86400,
        "Life of an App Inbox message whose template names none; then it is gone, read or not.",
        check=between(1, 315_360_000),
    )
    api_key_idle_days: int = setting(
        90, "An API key unused for so long switches itself off; 0 = never.", check=between(0, 3650)
    )
    rate_calls: int = setting(
        200,
        "Calls a second and organisation of all methods without a limit of their own; 0 = no limit.",
        check=RATE,
    )
    rate_contact_search: int = setting(50, "GET v1/contacts, calls a second; 0 = no limit.", check=RATE)
    rate_contact_by_token: int = setting(
        150, "GET v1/contact/token/…/contactId, calls a second; 0 = no limit.", check=RATE
    )
    rate_event: int = setting(350, "POST event, calls a second and version; 0 = no limit.", check=RATE)
    rate_past_events: int = setting(100, "POST past_events, calls a second; 0 = no limit.", check=RATE)
    rate_past_events_deletion: int = setting(
        5, "DELETE v1/past_events, calls a second; 0 = no limit.", check=RATE
    )
    rate_interactions: int = setting(
        300, "PUT v1/interactions/…/status, calls a second; 0 = no limit.", check=RATE
    )
    rate_message_history: int = setting(
        10, "GET v2/contacts/messages, calls a second; 0 = no limit.", check=RATE
    )
    rate_email_template: int = setting(
        10, "GET v1/messages/email/…, calls a second; 0 = no limit.", check=RATE
    )
    rate_template_reads_per_hour: int = setting(
        500, "Reads and searches of templates over the eSputnik API, calls an hour; 0 = no limit.", check=RATE
    )
    rate_tracker: int = setting(
        100,
        "Calls a second from one address to the tracker and the other public methods; 0 = no limit.",
        check=RATE,
    )
    rate_own_calls: int = setting(200, "Calls a second to /api/v4 together; 0 = no limit.", check=RATE)
    failed_logins_per_minute: int = setting(
        30, "Wrong credentials a minute from one address before the answer is 429.", check=between(1, 100_000)
    )
    login_credentials: str = setting(
        "off",
        "`on`: the eSputnik API also takes a login's email and password in place of an API key (old libraries).",
        check=one_of("on", "off"),
    )
    push_services: str = setting(
        "fcm.googleapis.com *.push.services.mozilla.com web.push.apple.com *.push.apple.com *.notify.windows.com",
        "Hosts of web-push services whose subscriptions are taken, separated by spaces; `*.` stands for any names.",
    )
    web_push_connections: int = setting(
        64, "Web pushes on their way at once, per organisation and process.", check=between(1, 100)
    )
    mobile_push_connections: int = setting(
        100, "Mobile pushes on their way at once, per organisation and process.", check=between(1, 500)
    )
    telegram_per_second: int = setting(
        25,
        "Telegram messages a second, per organisation and process; Telegram takes about 30 of a bot.",
        check=between(1, 1000),
    )
    request_timeout_seconds: int = setting(
        30, "A body that takes longer to arrive is refused.", check=between(1, 600)
    )

    outside_networks: str = setting(
        "",
        "Private networks that links of callers may lead to, such as `10.0.0.0/8 fd00::/8`; none but the public "
        "internet otherwise.",
        check=readable(parse_networks, "networks such as 10.0.0.0/8, separated by spaces"),
    )
    outside_ports: str = setting(
        "80 443 8080 8443",
        "Ports that links of callers may lead to, separated by spaces, or `any`.",
        check=readable(parse_ports, "ports separated by spaces, or `any`"),
    )
    dns_servers: str = setting(
        "",
        "Name servers that are asked for the records of sender domains, such as `9.9.9.9 [::1]:5353`; empty: this machine's.",
        check=readable(
            lambda text: parse_endpoints(text, 53), "addresses such as 9.9.9.9:53, separated by spaces"
        ),
    )
    bounce_host: str = setting(
        "",
        "Host that takes the mail of bounce domains, for their MX record; empty: the host of public_url.",
        check=host_name,
    )
    bounce_domain: str = setting(
        "",
        "Bounce domain of email whose own domain has none in order; empty: bounces go to the sender.",
        check=host_name,
    )
    check_domains: str = setting(
        "off",
        "`on`: a site's domain for web push is only taken when something answers there.",
        check=one_of("on", "off"),
    )
    max_import_file_mb: int = setting(
        100, "Largest CSV file of contacts by link in MB.", check=between(1, 10_240)
    )
    max_upload_file_mb: int = setting(
        300, "Largest uploaded file of an import in MB.", check=between(1, 10_240)
    )
    max_data_file_mb: int = setting(
        100, "Largest JSON file of the preprocessor by link in MB.", check=between(1, 10_240)
    )
    max_feed_mb: int = setting(500, "Largest product feed in MB.", check=between(1, 10_240))
    feed_hours: int = setting(24, "Hours between two imports of a product feed.", check=between(1, 8760))
    download_seconds: int = setting(
        900, "A file by link that takes longer to arrive is refused.", check=between(1, 86400)
    )

    machine_networks: str = setting(
        "17.0.0.0/8",
        "Networks from which no person opens or clicks, separated by spaces: mail privacy proxies (Apple's is there), "
        "link scanners.",
        check=readable(parse_networks, "networks such as 10.0.0.0/8, separated by spaces"),
    )
    segment_seconds: int = setting(
        30, "The longest that working out a segment may keep the database busy.", check=between(1, 3600)
    )
    segment_max_cost: int = setting(
        50_000_000,
        "A segment that PostgreSQL expects to cost more is not begun; in its planner's units.",
        check=between(1000, 10**15),
    )
    segment_recheck_hours: int = setting(
        6, "Hours after which a dynamic segment is worked out anew in any case.", check=between(1, 168)
    )
    segment_change_days: int = setting(
        30, "Days that it is kept who came into a dynamic segment and who left it.", check=between(1, 3650)
    )
    field_indexes: int = setting(
        10,
        "The most indexes of additional fields that an organisation's dynamic segments get; each makes writing contacts dearer.",
        check=between(0, 100),
    )
    field_index_contacts: int = setting(
        50_000,
        "Contacts from which on an organisation gets them; fewer are read as fast without.",
        check=between(1, 10**9),
    )
    batch_size: int = setting(500, "Recipients per campaign batch.", check=between(10, 5000))
    window_size: int = setting(
        64,
        "Messages that one sending process may have in intent: the most that a crash leaves uncertain.",
        check=between(1, 64),
    )
    destination_rates: str = setting(
        "gmail.com,googlemail.com=100 outlook.com,hotmail.com,live.com,msn.com=50 yahoo.com,ymail.com,aol.com=50 "
        "icloud.com,me.com,mac.com=30 ukr.net=30",
        "Messages a second, per organisation and provider, to large operators of mailboxes: the domains of one, a comma "
        "between, `=` and the number. Replies slow them further.",
        check=readable(read_rules, "rules such as gmail.com,googlemail.com=100, separated by spaces"),
    )
    lease_seconds: int = setting(
        30, "A batch whose sender has not renewed its lease for so long is taken over.", check=between(2, 600)
    )
    smtp_connections: int = setting(8, "Connections per SMTP provider and process.", check=between(1, 100))
    campaign_brake: str = setting(
        "on",
        "`on`: a campaign pauses itself when many complain about it or many of its addresses are dead.",
        check=one_of("on", "off"),
    )
    bounce_listen: str = setting(
        "",
        "Address and port, such as `0.0.0.0:25`, where workers take bounces by SMTP and LMTP; empty: nowhere.",
        check=readable(parse_listen, "an address and a port such as 0.0.0.0:25"),
    )
    schedule_grace_seconds: int = setting(
        7200, "A schedule missed by more than this waits for a person.", check=between(60, 604800)
    )

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None) -> Settings:
        env = os.environ if environ is None else environ
        home = Path(env.get("PERIGEE_HOME") or default_home()).expanduser()
        config_path = Path(env.get("PERIGEE_CONFIG") or home / "perigee.toml")
        values: dict[str, Any] = {"home": home}
        values.update(_from_file(config_path, required="PERIGEE_CONFIG" in env))
        values.update(_from_environment(env))
        values["home"] = Path(values["home"]).expanduser().absolute()
        if "public_url" not in values:
            values["public_url"] = f"http://127.0.0.1:{values.get('port', 8025)}"
        for field in _fields():
            check = field.metadata["check"]
            if check and field.name in values and (broken := check(values[field.name])):
                shown = "********" if field.metadata["secret"] else repr(values[field.name])
                raise SettingsError(f"{variable(field.name)}={shown} {broken}")
        return cls(**values)

    def as_environment(self) -> dict[str, str]:
        """Variables that give a child process the same settings. Secrets are left out: a child finds them where
        we did, or is handed them one by one."""
        return {
            variable(f.name): str(getattr(self, f.name))
            for f in _fields()
            if not f.metadata["secret"] and getattr(self, f.name) is not None
        }

    def masked(self) -> dict[str, str]:
        """Printable values, secrets hidden."""
        return {
            f.name: "********"
            if f.metadata["secret"] and getattr(self, f.name)
            else str(getattr(self, f.name))
            for f in _fields()
        }


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return "PERIGEE_" + name.upper()


@dataclass(frozen=True)
class Option:
    """One setting as documentation shows it."""

    name: str
    variable: str
    default: str
    doc: str
    secret: bool


def options() -> list[Option]:
    """Every setting, in the order of `Settings`."""
    return [
        Option(
            name=f.name,
            variable=variable(f.name),
            default="" if f.default is None else str(f.default),
            doc=f.metadata["doc"],
            secret=f.metadata["secret"],
        )
        for f in _fields()
    ]


_OUTSIDE_SETTINGS = (
    "PERIGEE_CONFIG",
    "PERIGEE_SUPERVISED",
    "PERIGEE_PART",
    "PERIGEE_PYTHON",
    "PERIGEE_URL",  # of the commands that speak to a server
    "PERIGEE_API_KEY",
)


def unknown_variables(environ: Mapping[str, str]) -> list[str]:
    """Variables that look like settings and are none: usually a slip of the pen."""
    known = {variable(f.name) for f in _fields()}
    known |= {f"{name}_FILE" for name in known} | set(_OUTSIDE_SETTINGS)
    return sorted(
        name
        for name in environ
        if name.startswith("PERIGEE_") and name not in known and not name.startswith("PERIGEE_TEST_")
    )


def _fields() -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(Settings)


_TYPES = typing.get_type_hints(Settings)


def _parse(name: str, text: str) -> Any:
    kind = _TYPES[name]
    if isinstance(kind, types.UnionType):
        kind = next(arm for arm in typing.get_args(kind) if arm is not type(None))
    try:
        return kind(text)
    except ValueError:
        raise SettingsError(f"{variable(name)}={text!r} must be a whole number") from None


def _from_environment(env: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in _fields():
        name = variable(field.name)
        if path := env.get(name + "_FILE"):
            try:
                found[field.name] = _parse(field.name, Path(path).read_text().strip())
            except (OSError, UnicodeDecodeError) as error:
                reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
                raise SettingsError(f"{name}_FILE={path!r} cannot be read: {reason}") from None
        if (text := env.get(name)) not in (None, ""):
            found[field.name] = _parse(field.name, text)
    return found


def _from_file(path: Path, *, required: bool) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            table = tomllib.load(file)
    except FileNotFoundError:
        if required:
            raise SettingsError(f"PERIGEE_CONFIG={str(path)!r} does not exist") from None
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"settings file {path}: {error}") from None
    known = {field.name for field in _fields()}
    if unknown := sorted(set(table) - known):
        raise SettingsError(f"settings file {path}: unknown setting {unknown[0]!r}")
    for name, value in table.items():
        if not isinstance(value, str | int) or isinstance(value, bool):
            raise SettingsError(f"settings file {path}: {name} must be text or a whole number")
    return {name: _parse(name, str(value)) for name, value in table.items()}
