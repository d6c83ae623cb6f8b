"""Logs: one line per event, correlated, without secrets or addresses. Metrics: one page."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from contextvars import copy_context
from typing import Any

import pytest
import structlog

from perigee import observe
from perigee.settings import Settings


@pytest.fixture(autouse=True)
def _restore_logging() -> Iterator[None]:
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    structlog.reset_defaults()


def logged(write: Any, **overrides: str) -> list[dict[str, Any]]:
    stream = io.StringIO()
    settings = Settings.load({"PERIGEE_HOME": "/nowhere", "PERIGEE_LOG_FORMAT": "json", **overrides})
    observe.configure_logging(settings, part="web-1", stream=stream)
    copy_context().run(write)
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_one_event_is_one_json_line_with_its_fields() -> None:
    def write() -> None:
        observe.bind_request("abc")
        structlog.get_logger().info("import applied", contacts=3)

    (line,) = logged(write)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "message": "import applied",
        "level": "info",
        "part": "web-1",
        "correlation_id": "abc",
        "contacts": 3,
    }


def test_libraries_log_in_the_same_form() -> None:
    (line,) = logged(lambda: logging.getLogger("some.library").warning("pool of %s is full", 8))
    assert (line["message"], line["level"], line["part"]) == ("pool of 8 is full", "warning", "web-1")


def test_a_traceback_stays_on_its_line() -> None:
    def write() -> None:
        try:
            raise ValueError("bad\nnews for ann@example.com")
        except ValueError:
            structlog.get_logger().exception("request failed")

    (line,) = logged(write)
    assert "ValueError: bad\nnews for ***@example.com" in line["exception"]


def test_lines_below_the_level_are_left_out() -> None:
    def write() -> None:
        structlog.get_logger().info("no")
        logging.getLogger("x").info("no")
        structlog.get_logger().warning("yes")

    assert [line["message"] for line in logged(write, PERIGEE_LOG_LEVEL="warning")] == ["yes"]


def test_console_lines_are_for_people() -> None:
    stream = io.StringIO()
    settings = Settings.load({"PERIGEE_HOME": "/nowhere", "PERIGEE_LOG_FORMAT": "console"})
    observe.configure_logging(settings, stream=stream)
    structlog.get_logger().info("ready", port=8025)
    try:
        raise ValueError("broken")
    except ValueError:
        structlog.get_logger().exception("failed")
    for part in ("ready", "port=8025", "ValueError: broken"):
        assert part in stream.getvalue()


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("password", "hunter2", "***"),
        ("api_key", "k" * 20, "***"),
        ("Authorization", "Basic QWxhZGRpbg==", "***"),
        ("email", "ann@example.com", "***"),
        ("tokens_left", 5, 5),
        ("detail", "header Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "header Basic ***"),
        (
            "detail",
            "connect to postgresql://u:p%20w@db/x failed",
            "connect to postgresql://u:***@db/x failed",
        ),
        (
            "detail",
            "key (email)=(ann.b+c@shop.example.com) exists",
            "key (email)=(***@shop.example.com) exists",
        ),
        ("detail", "sms to +380501234567 refused", "sms to +*** refused"),
        ("path", "/u?token=abc.def&x=1", "/u?token=***&x=1"),
        ("nested", {"smtp": {"password": "x", "host": "h"}}, {"smtp": {"password": "***", "host": "h"}}),
        ("items", ["ann@example.com", 3], ["***@example.com", 3]),
        ("count", 3, 3),
        ("nothing", None, None),
        ("plain", "contact 4711 at 12:30", "contact 4711 at 12:30"),
    ],
)
def test_secrets_and_addresses_are_scrubbed(name: str, value: Any, shown: Any) -> None:
    (line,) = logged(lambda: structlog.get_logger().info("event", **{name: value}))
    assert line[name] == shown


def test_the_metrics_page_shows_what_was_counted() -> None:
    observe.MESSAGES.labels("email", "sent").inc(2)
    page, content_type = observe.metrics_page()
    assert content_type.startswith("text/plain")
    assert b'perigee_messages_total{channel="email",outcome="sent"}' in page
