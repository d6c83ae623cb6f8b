"""The listening socket, opened once and shared by all web processes: one that restarts loses no connection."""

from __future__ import annotations

import errno
import socket
import time

import psutil

from perigee.errors import OperatorError


def listen(host: str, port: int, *, patience: float = 0) -> socket.socket:
    """A bound, listening socket that children may inherit. A taken port is tried again for `patience` seconds.
    Raises `OperatorError` naming setting and cause."""
    deadline = time.monotonic() + patience
    while True:
        try:
            return _listen(host, port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() >= deadline:
                raise OperatorError(_why(error, host, port)) from None
        time.sleep(0.1)


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise OperatorError(f"PERIGEE_HOST={host!r} cannot be resolved: {error.strerror}") from None
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)  # "::" means every address
        listener.bind(address)
        listener.listen(2048)
    except BaseException:
        listener.close()
        raise
    listener.setblocking(False)
    listener.set_inheritable(True)
    return listener


def _why(error: OSError, host: str, port: int) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"port {port} on {host} is taken{_holder(port)}; stop that program or set PERIGEE_PORT"
        case errno.EACCES:
            return f"port {port} needs more rights than this user has; set PERIGEE_PORT to 1024 or more"
        case errno.EADDRNOTAVAIL:
            return f"PERIGEE_HOST={host!r} is no address of this machine"
        case _:
            return f"cannot listen on {host} port {port}: {error.strerror}"


def _holder(port: int) -> str:
    """` by NAME (process N)`, if we may know."""
    try:
        for connection in psutil.net_connections("tcp"):
            taken = connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,)
            if taken and connection.pid:
                return f" by {psutil.Process(connection.pid).name()!r} (process {connection.pid})"
    except psutil.Error:
        pass
    return ""
