"""What we say about ourselves: logs and every metric.

Logs: one event is one line, a sentence and named fields, on stderr. A correlation id set by `bind_request` is on
each line that follows in the same task, and travels with a job (`correlation_id()` when it is made, `bind_request`
when it runs). Secrets and people's addresses are scrubbed whatever the caller passes (reliability rule 39).

Metrics: declared here and nowhere else. Under `perigee up` all processes share one folder of counters
(`PROMETHEUS_MULTIPROC_DIR`), so any web process answers for all of them.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import MutableMapping
from contextvars import ContextVar
from typing import Any, TextIO

import orjson
import prometheus_client as prometheus
import structlog
from prometheus_client import multiprocess

from perigee.db.outage_log import gather_outages
from perigee.settings import Settings

# -- metrics

HTTP_REQUESTS = prometheus.Counter("perigee_http_requests", "Requests answered.", ["method", "status"])
HTTP_SECONDS = prometheus.Histogram(
    "perigee_http_request_seconds",
    "Time until an answer starts.",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30),
)
GROUP_COMMIT_ITEMS = prometheus.Histogram(
    "perigee_group_commit_items",
    "Writes that shared one transaction.",
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
)
MESSAGES = prometheus.Counter("perigee_messages", "Messages by what became of them.", ["channel", "outcome"])
INCOMING_MAIL = prometheus.Counter("perigee_incoming_mail", "Mail that came back, by what it says.", ["kind"])
JOBS = prometheus.Counter("perigee_jobs", "Background jobs by how they ended.", ["task", "outcome"])
JOB_SECONDS = prometheus.Histogram(
    "perigee_job_seconds",
    "Time a background job took.",
    ["task"],
    buckets=(0.01, 0.1, 0.5, 1, 5, 30, 120, 600),
)


def metrics_page() -> tuple[bytes, str]:
    """The metrics of all processes in Prometheus' text form, and its content type."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return prometheus.generate_latest(), prometheus.CONTENT_TYPE_LATEST
    registry = prometheus.CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return prometheus.generate_latest(registry), prometheus.CONTENT_TYPE_LATEST


# -- correlation

_correlation: ContextVar[str | None] = ContextVar("correlation", default=None)


def bind_request(correlation: str) -> None:
    """Puts this id on every line that the current task, and tasks it starts, will log."""
    _correlation.set(correlation)


def correlation_id() -> str | None:
    return _correlation.get()


# -- logs


def configure_logging(settings: Settings, *, part: str | None = None, stream: TextIO | None = None) -> None:
    """Sets up structlog and the standard library's logging alike. `part` names the process in each line
    (`web-1`); `stream` is stderr unless given."""
    out = stream or sys.stderr
    as_json = settings.log_format == "json" or (settings.log_format == "auto" and not out.isatty())
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_context(part),
        structlog.processors.StackInfoRenderer(),
    ]
    final = _json_line() if as_json else _console_line(colours=out.isatty())
    structlog.configure(
        processors=[*shared, *final],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *final],
        )
    )
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(level)
    for chatty in _CHATTY:
        logging.getLogger(chatty).setLevel(max(level, logging.WARNING))
    gather_outages()


_CHATTY = ("uvicorn", "uvicorn.error", "procrastinate", "yoyo", "yoyo.migrations", "psycopg.pool", "asyncio")


def _json_line() -> list[structlog.typing.Processor]:
    return [
        structlog.processors.format_exc_info,
        scrub,
        structlog.processors.EventRenamer("message"),
        structlog.processors.JSONRenderer(
            serializer=lambda line, **_: orjson.dumps(line, default=str).decode()
        ),
    ]


def _console_line(*, colours: bool) -> list[structlog.typing.Processor]:
    renderer = structlog.dev.ConsoleRenderer(
        colors=colours, exception_formatter=structlog.dev.plain_traceback
    )
    return [structlog.processors.format_exc_info, scrub, renderer]


def _add_context(part: str | None) -> structlog.typing.Processor:
    def add(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        if part:
            event.setdefault("part", part)
        if (correlation := _correlation.get()) is not None:
            event.setdefault("correlation_id", correlation)
        return event

    return add


# -- scrubbing

_SECRET_NAMES = re.compile(
    r"passw|secret|token|api_?key|authorization|cookie|credential|private|database_url|dsn$|^(?:email|phone|address|login|recipient)s?$",
    re.IGNORECASE,
)
_SECRETS_IN_TEXT = (
    (re.compile(r"(\w+://[^\s:/@]*):[^\s/@]+@"), r"\1:***@"),  # scheme://user:password@host
    (re.compile(r"\b(basic|bearer)\s+[\w.~+/=-]{8,}", re.IGNORECASE), r"\1 ***"),
    (re.compile(r"\b(token|key|secret|password|signature)=[^\s&\"']+", re.IGNORECASE), r"\1=***"),
    (
        re.compile(r"[\w.+%-]+@(?=[\w-]+(?:\.[\w-]+)+)"),
        "***@",
    ),  # somebody's address; the domain may be needed
    (re.compile(r"\+\d{8,15}\b"), "+***"),
)
_DEEPEST = 4


def scrub(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """structlog processor: hides values by the name of their field, and secrets and addresses inside any text."""
    for name, value in event.items():
        event[name] = _scrubbed(name, value, 0)
    return event


def _scrubbed(name: str, value: Any, depth: int) -> Any:
    if _SECRET_NAMES.search(name) and value is not None and not isinstance(value, bool | int):
        return "***"
    if isinstance(value, str):
        return _scrub_text(value)
    if depth < _DEEPEST and isinstance(value, dict):
        return {key: _scrubbed(str(key), item, depth + 1) for key, item in value.items()}
    if depth < _DEEPEST and isinstance(value, list | tuple | set):
        return [_scrubbed(name, item, depth + 1) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return _scrub_text(str(value))


def _scrub_text(text: str) -> str:
    for pattern, hidden in _SECRETS_IN_TEXT:
        text = pattern.sub(hidden, text)
    return text
