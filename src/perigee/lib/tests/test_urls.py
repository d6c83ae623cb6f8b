import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from perigee.lib import urls


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("https://shop.example.com/feed.xml", "https://shop.example.com/feed.xml"),
        (" HTTP://Shop.Example.COM:80/A?b=C#d ", "http://shop.example.com/A?b=C#d"),
        ("https://shop.example.com", "https://shop.example.com"),
        ("https://shop.example.com?q=1", "https://shop.example.com/?q=1"),
        ("https://пример.укр/шлях", "https://xn--e1afmkfd.xn--j1amh/%D1%88%D0%BB%D1%8F%D1%85"),
        ("http://localhost:8025/x", "http://localhost:8025/x"),
        ("http://127.0.0.1:8025/", "http://127.0.0.1:8025/"),
        ("http://[::1]:8025/", "http://[::1]:8025/"),
        ("http://my_shop.example.com./", "http://my_shop.example.com/"),
        ("https://example.com/a b", "https://example.com/a%20b"),
        ("https://example.com/?u=http://other.example/@x", "https://example.com/?u=http://other.example/@x"),
    ],
)
def test_http_urls(text: str, normal: str) -> None:
    assert urls.normal_http_url(text) == normal
    assert urls.is_http_url(text)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "example.com", "/a", "//example.com/a", "http:", "http://", "http:///a", "http:example.com", "http:/example.com",
        "ftp://example.com/", "javascript:alert(1)", "file:///etc/passwd", "http://good\\@127.0.0.1/", "http://example.com\\@evil.example/",
        "http://user@example.com/", "http://user:pw@example.com/", "http://@example.com/", "http://example.com%2f@evil.example/",
        "http://2130706433/", "http://0x7f.1/", "http://0177.0.0.1/", "http://127.1/", "http://1.2.3.4.5/", "http://256.1.1.1/", "http://0x/",
        "http://[::1", "http://[v1.a]/", "http://[fe80::1%25eth0]/", "http://[1.2.3.4]/", "http://%31%32/", "http://a..b/", "http://-a.example/",
        "http://a-.example/", "http://.example.com/", "http://exa mple.com/", "http://example.com:99999/", "http://example.com:0/", "http://example.com:x/",
        "http://example.com:80:80/", "http://example.com\t/", "http://example.com/a\r\nb", "http://example.com/\x00", "http://example.com/\u2028x",
        "http://example.com/\u202e", "http://exa\u200bmple.com/", "http://①②.com:x/", "http://" + "a" * 64 + ".com/", "http://" + "a." * 130 + "com/",
        "http://example.com/" + "a" * 9000, "http://<script>/", "http://\ud800.com/",
    ],
)  # fmt: skip
def test_no_http_urls(text: str) -> None:
    assert urls.normal_http_url(text) is None
    assert not urls.is_http_url(text)
    assert urls.host_of(text) is urls.origin(text) is None


def test_credentials_only_where_they_are_expected() -> None:
    url = urls.parse_http_url("https://user:p%40ss@files.example.com/c.csv", credentials=True)
    assert url is not None
    assert (url.user, url.password, url.host) == ("user", "p@ss", "files.example.com")
    for text in (
        "https://a@b@files.example.com/",
        "https://u:p@good\\@127.0.0.1/",
        "https://u:p@%31/",
        "https://u:p@/",
    ):
        assert urls.parse_http_url(text, credentials=True) is None


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("shop.example.com", "shop.example.com"),
        ("https://Shop.Example.com/path/?a=b", "shop.example.com"),
        ("http://shop.example.com:8080", "shop.example.com"),
        ("shop.example.com:8080/path", "shop.example.com"),
        ("//shop.example.com", "shop.example.com"),
        ("магазин.укр", "xn--80aairftm.xn--j1amh"),
        ("localhost:3000", "localhost"),
        ("http://127.0.0.1:3000", "127.0.0.1"),
        ("intranet", None),
        ("http://[::1]/", None),
        ("user@shop.example.com", None),
        ("shop.example.com\r\nX: y", None),
        ("ftp://shop.example.com", None),
        ("my_shop.example.com", None),
        ("", None),
        ("..", None),
    ],
)
def test_site_hosts(text: str, host: str | None) -> None:
    assert urls.site_host(text) == host


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://Shop.example.com:443/a?b#c", "https://shop.example.com"),
        ("http://shop.example.com:8080/", "http://shop.example.com:8080"),
        ("http://[::1]:80/x", "http://[::1]"),
        ("shop.example.com", None),
    ],
)
def test_origins(text: str, expected: str | None) -> None:
    assert urls.origin(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "https://example.com/a",
        "mailto:a@example.com?subject=x",
        "tel:+12025550100",
        "TEL:1",
        "shopapp://cart/5",
        "shopapp:cart",
    ],
)
def test_link_targets(text: str) -> None:
    assert urls.is_link_target(text, {"shopapp"})


@pytest.mark.parametrize(
    "text",
    [
        "", "a", "/a", "//evil.example", "javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:alert(1)", "java\tscript:alert(1)",
        "java\nscript:x", "data:text/html,x", "vbscript:x", "file:///x", "otherapp://x", "mailto:", "mailto:a@example.com\r\nBcc: b", "http://user@example.com/",
        "http:evil.example", "https:/\\evil.example", "\x00javascript:x", "\u200bhttps://example.com/",
    ],
)  # fmt: skip
def test_no_link_targets(text: str) -> None:
    assert not urls.is_link_target(text, {"shopapp", "javascript", "data"})


PIECES = st.lists(
    st.sampled_from(
        [
            "http://",
            "https://",
            "a",
            "é",
            "1",
            ".",
            "example.com",
            ":",
            "80",
            "/",
            "\\",
            "@",
            "?",
            "#",
            "%",
            "%2f",
            "[",
            "]",
            "::1",
            "0x7f",
            " ",
            "\t",
            "_",
            "-",
        ]
    ),
    max_size=10,
).map("".join)


@given(PIECES | st.text(max_size=40) | PIECES.map("http://".__add__))
def test_an_accepted_url_is_stable_and_has_one_meaning(text: str) -> None:
    normal = urls.normal_http_url(text)
    if normal is not None:
        assert urls.normal_http_url(normal) == normal
        assert normal.isascii()
        assert normal.isprintable()
        assert URL(normal).raw_user is None
        assert URL(normal).raw_host == urls.host_of(text) == urls.host_of(normal)
        assert "\\" not in normal
    site = urls.site_host(text)
    assert site is None or urls.site_host(site) == site
    urls.is_link_target(text)
