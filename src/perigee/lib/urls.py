"""URLs: one parser for all (yarl, the one our HTTP client connects with), held to what browsers agree on.

Parsers differ on backslashes, user names, tabs and odd numbers for hosts, and every difference is a way round some
check (protocols 3.4). So these are refused before parsing, and the host is checked after it. Whether a host may be
*connected* to is the guarded client's question, not answered here.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Set

from yarl import URL

from perigee.lib.addresses import normal_domain

MAX_URL = 8192

_SHAPE = re.compile(r"""https?://([^/?#\\\s<>"'`{}|^%]+)(?:[/?#].*)?""", re.IGNORECASE)
_SHAPE_WITH_CREDENTIALS = re.compile(r"""https?://([^/?#\\\s<>"'`{}|^]+)(?:[/?#].*)?""", re.IGNORECASE)
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"(?:{_LABEL}\.)*{_LABEL}")
_NUMBER = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(?=.)")
_NEVER = frozenset({"javascript", "data", "vbscript", "file", "blob", "about", "filesystem", "view-source"})


def parse_http_url(text: str, *, credentials: bool = False) -> URL | None:
    """An absolute http(s) URL as the HTTP client takes it, trimmed, host in lower case and A-labels; else None.

    A user name is refused unless `credentials`: the caller knows that one may be there (contract 10.2).
    """
    text = text.strip()
    if len(text) > MAX_URL or not text.isprintable():
        return None
    match = (_SHAPE_WITH_CREDENTIALS if credentials else _SHAPE).fullmatch(text)
    if match is None:
        return None
    user, at, host = match[1].rpartition("@")
    if (at and (not credentials or "@" in user)) or "%" in host:
        return None
    try:
        url = URL(text)
        name = _normal_host(url.raw_host or "", bracketed=host.startswith("["))
        if name is None or url.explicit_port == 0:
            return None
        return url if name == url.raw_host else url.with_host(name)
    except ValueError:  # includes idna errors
        return None


def normal_http_url(text: str, *, credentials: bool = False) -> str | None:
    """`parse_http_url` as text."""
    url = parse_http_url(text, credentials=credentials)
    return None if url is None else str(url)


def is_http_url(text: str) -> bool:
    """Whether text is an absolute http(s) URL without a user name. For links that must keep their spelling."""
    return parse_http_url(text) is not None


def host_of(text: str) -> str | None:
    """The host of an http(s) URL, without its port; IPv6 without brackets."""
    url = parse_http_url(text)
    return None if url is None else url.raw_host


def origin(text: str) -> str | None:
    """`scheme://host[:port]` of an http(s) URL, the port only where it is not the usual one (RFC 6454)."""
    url = parse_http_url(text)
    return None if url is None else str(url.origin())


def site_host(text: str) -> str | None:
    """The host of a site, given as a full URL or as a bare host (contract 23.2); None when it is no site.

    A domain with a dot, an IPv4 address, or `localhost`; port and path are left out.
    """
    text = text.strip()
    host = host_of(text if "://" in text else "http://" + text.removeprefix("//"))
    if host is None or host == "localhost" or _is_ip(host):
        return host if host is None or ":" not in host else None
    return normal_domain(host)


def is_link_target(text: str, app_schemes: Set[str] = frozenset()) -> bool:
    """Whether a click may lead there: http(s), mailto, tel, or a scheme the organisation registered for its app.

    `javascript:`, `data:` and their kin are refused even when registered, as are relative links.
    """
    text = text.strip()
    match = _SCHEME.match(text)
    if match is None or len(text) > MAX_URL or not text.isprintable():
        return False
    scheme = match[1].lower()
    if scheme in ("http", "https"):
        return is_http_url(text)
    return scheme not in _NEVER and (scheme in ("mailto", "tel") or scheme in app_schemes)


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _normal_host(host: str, *, bracketed: bool) -> str | None:
    if bracketed:
        return host if ":" in host and "%" not in host and _is_ip(host) else None
    host = host.removesuffix(".")
    if len(host) > 253 or not _HOST.fullmatch(host):
        return None
    if _NUMBER.fullmatch(host.rpartition(".")[2]):  # browsers take 2130706433 and 0x7f.1 for addresses
        return host if _is_ip(host) else None
    return host
