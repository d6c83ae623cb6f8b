"""Server settings of the embedded PostgreSQL, sized for a machine it shares with the processes it serves. Pure.

The few settings that a promise rests on (`fsync`, `full_page_writes`, `synchronous_commit`: reliability rule 1)
are spelled out although they are PostgreSQL's defaults, so that no file elsewhere can change them unseen.
"""

from __future__ import annotations

import os
from pathlib import Path

MB = 1024 * 1024
GB = 1024 * MB

_CGROUP_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def machine_memory() -> int:
    """Bytes of memory we may use: the machine's, or less if a container limits us."""
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for path in _CGROUP_LIMITS:
        try:
            limit = path.read_text().strip()
        except OSError:
            continue
        if limit.isdigit():
            total = min(total, int(limit))
    return total


def server_settings(*, memory: int, free_disk: int, shared_memory: int) -> dict[str, str]:
    """Settings by name. All arguments are bytes; `shared_memory` is what `/dev/shm` can hold."""
    wal = _clamp(free_disk // 10, 256 * MB, 4 * GB)
    return {
        "listen_addresses": "",
        "max_connections": "100",
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "shared_buffers": _megabytes(_clamp(memory // 6, 32 * MB, 8 * GB)),
        "effective_cache_size": _megabytes(memory // 2),
        "maintenance_work_mem": _megabytes(_clamp(memory // 32, 32 * MB, GB)),
        "work_mem": _megabytes(_clamp(memory // 512, 4 * MB, 64 * MB)),
        "wal_buffers": "16MB",
        "min_wal_size": _megabytes(wal // 4),
        "max_wal_size": _megabytes(wal),
        "wal_compression": "on",
        "checkpoint_timeout": "15min",
        "checkpoint_completion_target": "0.9",
        "random_page_cost": "1.1",
        "jit": "off",
        "max_locks_per_transaction": "256",  # a statement on a partitioned parent locks every partition
        "autovacuum_vacuum_insert_scale_factor": "0.1",
        "autovacuum_analyze_scale_factor": "0.05",
        # Docker gives 64 MB of /dev/shm by default; parallel plans fail there with "No space left on device".
        "dynamic_shared_memory_type": "posix" if shared_memory >= 256 * MB else "mmap",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_line_prefix": "%m [%p] %a ",
        "log_lock_waits": "on",
        "log_min_duration_statement": "2s",
        "logging_collector": "on",  # one file for each day of the week, written anew after seven days
        "log_filename": "postgresql-%a.log",
        "log_truncate_on_rotation": "on",
        "log_rotation_age": "1d",
        "log_rotation_size": "0",
    }


def as_conf(settings: dict[str, str]) -> str:
    """The text of a postgresql.conf."""
    return "".join(f"{name} = '{value.replace(chr(39), chr(39) * 2)}'\n" for name, value in settings.items())


def _clamp(value: int, low: int, high: int) -> int:
    return max(low, min(value, high))


def _megabytes(size: int) -> str:
    return f"{size // MB}MB"
