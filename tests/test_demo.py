"""The demo as a newcomer meets it, and the commands of a user on what it leaves behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.timeout(240)
SIZE = 300


def environment(home: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PERIGEE_")}
    return {**kept, "PERIGEE_HOME": str(home), "COLUMNS": "160", **more}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "perigee", *arguments]


class User:
    """Somebody at the command line of one home."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def call(self, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command(*arguments), env=environment(self.home), input=given, capture_output=True, text=True
        )

    def told(self, *arguments: str, given: str = "") -> str:
        done = self.call(*arguments, given=given)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def json(self, *arguments: str, given: str = "") -> Any:
        return json.loads(self.told(*arguments, "--json", given=given))


def test_once_does_the_whole_job_and_every_figure_is_right(server_home: Path) -> None:
    """Settings of a real installation in the environment reach nothing of the demo."""
    real = {
        "PERIGEE_DATABASE_URL": "postgresql://127.0.0.1:1/real",
        "PERIGEE_PUBLIC_URL": "https://real.example.com",
    }
    done = subprocess.run(
        command("demo", "--once", "--size", str(SIZE)),
        env=environment(server_home, **real),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert "Every figure is right." in done.stdout
    assert re.search(r"^ *contacts +300 +300 +ok *$", done.stdout, re.MULTILINE), done.stdout
    assert done.stdout.count(" ok") > 25
    assert [path.name for path in server_home.iterdir()] == ["demo"]


@contextmanager
def demo_that_stays(home: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        command("demo", "--size", "50", "--home", str(home)),
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        shown = ""
        try:
            for line in process.stdout:
                shown += line
                if "stays up" in line:
                    break
            assert "stays up" in shown, shown
            assert re.search(r"curl -u any:\S+ 'http://127.0.0.1:\d+/api/v1/", shown), shown
            yield process
        finally:
            if process.poll() is None:
                process.terminate()


def test_a_user_goes_on_with_what_the_demo_left(server_home: Path, tmp_path: Path) -> None:
    user = User(server_home)
    with demo_that_stays(server_home) as demo:
        walk_through_the_tutorial(user, tmp_path)
        refusals(user)
        demo.send_signal(signal.SIGINT)
        assert demo.wait() == 0
    assert user.call("campaigns", "list").stderr.startswith("perigee: no server answers at http://127.0.0.1:")


def walk_through_the_tutorial(user: User, tmp_path: Path) -> None:
    people = tmp_path / "people.csv"
    people.write_text(
        "email,firstName,lastName,languageCode,externalCustomerId\n"
        "anna@example.com,Anna,Koval,uk,CRM-1\n"
        "bo@example.com,Bo,Lind,en,CRM-2\n"
        "dan@@example.com,Dan,Fox,en,CRM-4\n"
    )
    imported = user.call("contacts", "import", str(people), "--list", "Newsletter")
    assert imported.returncode == 3, imported.stderr
    assert imported.stdout.splitlines()[:2] == [
        "2 people imported: 2 new, 0 updated, 1 row refused",
        "  line 4, email: dan@@example.com is not valid email",
    ]
    anna = user.json("contacts", "get", "--email", "anna@example.com")
    assert [(one["firstName"], one["languageCode"]) for one in anna] == [("Anna", "uk")]
    assert "Anna Koval" in user.told("contacts", "get", str(anna[0]["id"]))

    newsletter = user.json("segments", "list", "--name", "Newsletter")[0]["segment_id"]
    assert user.told("segments", "count", str(newsletter)) == "2\n"
    rule = '{"is": "field", "field": "languageCode", "test": {"op": "equals", "value": "uk"}}'
    ukrainian = user.json("segments", "create", "Ukrainian", "--condition", "-", given=rule)["segment_id"]
    assert user.told("segments", "attach", str(newsletter), "--external-id", "CDNOW-00001") == (
        "1 person new on the list\n"
    )

    page = '<p>Hello {{ first_name | default: "friend" }}, <a href="https://shop.example.com/new">new</a></p>'
    made = user.json(
        *("messages", "create", "Hello", "--from", '"Shop" <news@shop.example.com>'),
        *("--subject", "News for %FIRSTNAME|you%", "--html", "-"),
        given=page,
    )
    message = str(made["message_id"])
    assert "Hello" in user.told("messages", "list", "--channel", "email")

    include = ("--include", str(newsletter), "--exclude", str(ukrainian))
    campaign = str(user.json("campaigns", "create", message, *include)["campaign_id"])
    audience = user.json("campaigns", "audience", campaign)
    assert (audience["reachable"], audience["dropped"]) == (2, {"excluded": 1})
    assert user.told("campaigns", "launch", campaign) == f"campaign {campaign} is scheduled\n"
    state = user.json("campaigns", "progress", campaign, "--watch")
    assert (state["state"], state["sent"]) == ("finished", 2)
    assert "excluded 1" in user.told("campaigns", "report", campaign)
    dropped = user.json("campaigns", "recipients", campaign, "--outcome", "dropped")
    assert [line["contact_id"] for line in dropped] == [anna[0]["id"]]
    assert "finished" in user.told("campaigns", "list")

    kept = user.json("sandbox", "list", "--address", "bo@example.com")
    assert [one["headline"] for one in kept] == ["News for Bo"]
    assert "Hello Bo, new" in user.told("sandbox", "show", str(kept[0]["sandbox_id"]))


def refusals(user: User) -> None:
    """One clear line each, and an exit code that says whose fault it is."""
    for arguments, code, line in (
        (("campaigns", "report", "1"), 4, "perigee: campaign 1 does not exist\n"),
        (("segments", "create", "Bad", "--condition", "{}"), 4, "perigee: condition"),
        (("segments", "create", "Bad", "--condition", "{"), 1, "perigee: the condition is not JSON"),
        (
            ("messages", "create", "X", "--from", "a", "--text", "b", "--subject", "c"),
            1,
            "perigee: an SMS has",
        ),
        (("contacts", "import", "/nonexistent.csv"), 1, "perigee: /nonexistent.csv cannot be read"),
        (("contacts", "get", "--email", "nobody@example.com"), 1, "perigee: nobody is found"),
        (("campaigns", "list", "--key", "wrong"), 4, "perigee: "),
    ):
        done = user.call(*arguments)
        assert done.returncode == code, (arguments, done.stderr)
        assert done.stderr.startswith(line), (arguments, done.stderr)
        assert done.stderr.count("\n") == 1, (arguments, done.stderr)
