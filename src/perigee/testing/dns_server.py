"""A name server on loopback UDP that knows the records a test gives it."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset


class DnsServer:
    """`records`: (name, type) → values as in a zone file, a TXT without quotes. `broken`: names with SERVFAIL."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], list[str]] = {}
        self.broken: set[str] = set()
        self.asked: list[tuple[str, str]] = []
        self.port = 0

    @property
    def setting(self) -> str:
        """For `dns_servers`."""
        return f"127.0.0.1:{self.port}"

    def add(self, kind: str, name: str, value: str) -> None:
        self.records.setdefault((name, kind), []).append(value)

    def put(self, kind: str, name: str, *values: str) -> None:
        """In place of what was there."""
        self.records[name, kind] = list(values)

    def answer(self, query: dns.message.Message) -> dns.message.Message:
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        question = query.question[0]
        name, kind = (
            question.name.to_text(omit_final_dot=True).lower(),
            dns.rdatatype.to_text(question.rdtype),
        )
        self.asked.append((name, kind))
        if name in self.broken:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif values := self.records.get((name, kind)):
            texts = [_quoted(value) if kind == "TXT" else value for value in values]
            answer.answer.append(
                dns.rrset.from_text_list(
                    question.name, 60, "IN", kind, texts, origin=dns.name.root, relativize=False
                )
            )
        elif not any(known == name for known, _ in self.records):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer


def _quoted(text: str) -> str:
    """Strings of a TXT record hold 255 bytes at most."""
    parts = [text[start : start + 255] for start in range(0, len(text), 255)] or [""]
    return " ".join('"{}"'.format(part.replace("\\", "\\\\").replace('"', '\\"')) for part in parts)


@contextmanager
def dns_server() -> Iterator[DnsServer]:
    """In a thread of its own: the web application of a test asks while the test's loop waits for it."""
    server = DnsServer()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            data, sock = self.request
            sock.sendto(server.answer(dns.message.from_wire(data)).to_wire(), self.client_address)

    with socketserver.UDPServer(("127.0.0.1", 0), Handler) as listening:
        server.port = listening.server_address[1]
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            listening.shutdown()
            thread.join()
