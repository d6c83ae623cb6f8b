"""`perigee up` as an operator meets it: first start, deaths of parts, clean end, and one clear line when it cannot."""

from __future__ import annotations

import os
import re
import signal
import socket
from pathlib import Path

import psutil
import psycopg

from perigee.db.embedded import EmbeddedServer
from perigee.testing.installation import alive, until, up


def shown_key(shown: str) -> str:
    found = re.search(r"API key\s+(\S+)", shown)
    assert found, shown
    return found.group(1)


def test_the_first_start_shows_its_secrets_once_and_a_signal_stops_everything(server_home: Path) -> None:
    server = EmbeddedServer(server_home)
    with up(server_home) as first:
        first.until_ready()
        key = shown_key(first.shown)
        assert re.search(r"Password\s+\S{12,}", first.shown)
        assert first.get("/api/v1/account/info", key) == 200
        assert first.get("/api/v1/account/info", key + "x") == 401
        parts = [first.part("serve"), first.part("worker"), server.pid]
        first.process.send_signal(signal.SIGINT)
        assert first.ended() == 0, first.log()
        assert "stopped" in first.shown
        assert all(parts)
        assert not [pid for pid in parts if pid and alive(pid)]
        assert key not in first.log()

    with up(server_home) as second:
        second.until_ready()
        assert "API key" not in second.shown
        assert second.get("/api/v1/account/info", key) == 200
        second.process.terminate()
        assert second.ended() == 0, second.log()
    assert not server.is_running()


def test_every_part_that_dies_comes_back(server_home: Path) -> None:
    server = EmbeddedServer(server_home)
    with up(server_home) as running:
        running.until_ready()
        for name in ("serve", "worker"):
            pid = running.part(name)
            assert pid
            os.kill(pid, signal.SIGKILL)
            until(lambda: running.part(name) not in (None, pid))  # noqa: B023 - called before the next turn
        until(lambda: running.get("/health") == 200)
        database = server.pid
        assert database
        os.kill(database, signal.SIGKILL)
        until(lambda: server.pid not in (None, database))
        until(lambda: running.get("/health") == 200)
        assert "PostgreSQL died and is started again" in running.log()


def test_after_kill_9_of_up_nothing_is_left_but_the_database_which_the_next_adopts(server_home: Path) -> None:
    server = EmbeddedServer(server_home)
    with up(server_home) as killed:
        killed.until_ready()
        parts = [killed.part("serve"), killed.part("worker")]
        database = server.pid
        killed.process.kill()
        killed.ended()
        with up(server_home, PERIGEE_PORT=str(killed.port)) as following:
            following.until_ready()
            assert server.pid == database
            assert following.get("/health") == 200
        until(lambda: not [pid for pid in parts if pid and alive(pid)])


def refusal(home: Path, **settings: str) -> str:
    """The one line that a start which cannot succeed says."""
    with up(home, **settings) as refused:
        assert refused.ended() == 1, refused.log()
        said = refused.log().strip()
    assert "\n" not in said
    assert said.startswith("perigee: ")
    return said.removeprefix("perigee: ")


def test_a_taken_port_is_said_in_one_line(server_home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        said = refusal(server_home, PERIGEE_PORT=str(port))
    assert said.startswith(f"port {port} on 127.0.0.1 is taken by ")
    assert f"(process {os.getpid()})" in said
    assert not EmbeddedServer(server_home).data.exists()


def test_a_second_up_on_the_same_home_is_refused(server_home: Path) -> None:
    with up(server_home) as first:
        first.until_ready()
        said = refusal(server_home)
        assert said == f"Perigee runs already on {server_home} (process {first.process.pid})"
        assert first.get("/health") == 200


def test_a_database_that_is_away_is_said_in_one_line(server_home: Path) -> None:
    said = refusal(server_home, PERIGEE_DATABASE_URL="postgresql://127.0.0.1:1/perigee")
    assert said.startswith("the database does not answer: ")


def test_a_wrong_setting_is_said_in_one_line(server_home: Path) -> None:
    assert refusal(server_home, PERIGEE_LOG_LEVEL="loud").startswith(
        "PERIGEE_LOG_LEVEL='loud' must be one of"
    )


def test_an_external_database_is_used_and_left_running(server_home: Path, database_url: str) -> None:
    with up(server_home, PERIGEE_DATABASE_URL=database_url) as running:
        running.until_ready()
        assert running.get("/api/v1/account/info", shown_key(running.shown)) == 200
        running.process.terminate()
        assert running.ended() == 0
    assert not (server_home / "postgresql").exists()
    with psycopg.connect(database_url) as connection:
        assert connection.execute("select count(*) from organisation").fetchone() == (1,)


def test_web_processes_alone_share_one_port(tmp_path: Path, database_url: str) -> None:
    settings = {
        "PERIGEE_DATABASE_URL": database_url,
        "PERIGEE_SECRET_KEY": "s" * 40,
        "PERIGEE_WEB_PROCESSES": "2",
    }
    with up(tmp_path, command="serve", **settings) as running:
        until(lambda: running.get("/health") == 200)
        until(lambda: len(psutil.Process(running.process.pid).children()) == 2)
        killed = running.part("serve")
        assert killed
        os.kill(killed, signal.SIGKILL)
        until(lambda: running.get("/health") == 200)
        until(lambda: len(psutil.Process(running.process.pid).children()) == 2)
        parts = [child.pid for child in psutil.Process(running.process.pid).children()]
        running.process.terminate()
        assert running.ended() == 0, running.log()
    assert not [pid for pid in parts if alive(pid)]


def test_a_worker_alone_ends_cleanly(tmp_path: Path, database_url: str) -> None:
    settings = {"PERIGEE_DATABASE_URL": database_url, "PERIGEE_SECRET_KEY": "s" * 40}
    with (
        up(tmp_path, command="worker", **settings) as running,
        psycopg.connect(database_url, autocommit=True) as db,
    ):
        at_work = "select count(*) from pg_stat_activity where application_name = 'perigee worker' and datname = current_database()"
        until(lambda: db.execute(at_work).fetchone() != (0,))
        running.process.terminate()
        assert running.ended() == 0, running.log()
