"""What `GET v1/site/webpush/script` gives a shop for its pages and its worker's file (contract 23.8, TRACKING 4.1)."""

from __future__ import annotations

from perigee.db.pool import Connection
from perigee.errors import Invalid, NotFound
from perigee.lib.scalars import to_text
from perigee.push import webpush_store as store
from perigee.push.domains import origin
from perigee.push.vapid import make_pair, sealed
from perigee.push.webpush_types import PushSite, WebPushScript
from perigee.site.javascript import literal

# Calls made before the file is there wait in `es.q`. Printed on all pages, as often as plugins like.
_PAGE = """<script>
(function (w, d, u) {
  if (!w.es) { w.es = function () { (w.es.q = w.es.q || []).push(arguments); }; }
  var s = d.createElement('script');
  s.async = true;
  s.src = u;
  d.head.appendChild(s);
})(window, document, FILE);
es('pushOn');
</script>
"""


def wanted_domain(value: object) -> str:
    """The domain that a query means: a whole URL, or a bare host, which stands for https. Raises Invalid. Pure."""
    text = to_text("domain", value)
    if text is None:
        raise Invalid("domain: is required", field="domain")
    scheme, marker, rest = text.partition("://")
    return origin(f"https://{rest}" if marker and scheme.lower() in ("http", "https") else f"https://{text}")


async def site_with_keys(conn: Connection, org_id: int, domain: str, sealing: bytes) -> PushSite:
    """The domain, with a key pair from now on. Raises NotFound."""
    found = await store.find_scripts(conn, org_id, [domain])
    if found is None:
        raise NotFound(f"Domain {domain} is not found")
    if found.key is not None:
        return found
    pair = make_pair()
    await store.set_keys(
        conn, org_id, found.app_id, pair.public, sealed(sealing, org_id, found.app_id, pair.private)
    )
    # Read again: two who ask at the same moment must both get the pair that was stored.
    made = await store.find_scripts(conn, org_id, [domain])
    assert made is not None
    return made


def scripts(site: PushSite, public_url: str) -> WebPushScript:
    """Pure."""
    return WebPushScript(
        script=_PAGE.replace("FILE", literal(f"{public_url}/webpush/{site.key}.js")),
        service_worker=f"importScripts('{public_url}/service-worker.js');\n",
    )
