"""A shop on this machine that works as WooCommerce with its plugin does (TRACKING 1.2, 2.3; CONTRACT 9, 17).

Its pages hold the loader that `site/script` gives and report what visitors do; its server keeps carts and orders, binds
the visitor to the customer at the checkout, and sends the order over the API.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import web

PRODUCTS = {"MUG": ("Mug", 9.5), "CUP": ("Cup", 4.0)}
CURRENCY = "EUR"

# What the plugin's script does: it watches the document until `_esConfig` is there, then tells its server who visits.
_PLUGIN = """
(function () {
  function tell() {
    if (!window._esConfig) return false;
    var state = JSON.parse(localStorage.getItem('esState') || '{}');
    var cookie = (document.cookie.match(/(?:^|; )sc=([^;]*)/) || [])[1];
    fetch('/plugin/visitor', {
      method: 'POST',
      body: JSON.stringify({webId: state.customerId || cookie, orgId: window._esConfig.orgId})
    }).then(function () { document.documentElement.dataset.visitor = 'told'; });
    return true;
  }
  if (tell()) return;
  new MutationObserver(function (_, watching) { if (tell()) watching.disconnect(); })
    .observe(document.documentElement, {childList: true, subtree: true});
})();
function sendCart(cart) {
  var lines = cart.products.length ? cart.products
    : [{productKey: null, price: null, quantity: null, currency: null}];  // how the plugin says: nothing
  eS('sendEvent', 'StatusCart', {StatusCart: lines, GUID: cart.GUID});
}
function change(path, sku) {
  return fetch(path, {method: 'POST', body: JSON.stringify({sku: sku})}).then(function (r) { return r.json(); })
    .then(sendCart);
}
"""


@dataclass
class Session:
    web_id: str | None = None
    org_id: int | None = None
    cart: dict[str, int] = field(default_factory=dict)
    guid: str = ""

    def state(self) -> dict[str, Any]:
        """The whole cart, with a new name for its state."""
        self.guid = str(uuid.uuid4())
        lines = [
            {"productKey": sku, "price": PRODUCTS[sku][1], "quantity": count, "currency": CURRENCY}
            for sku, count in self.cart.items()
        ]
        return {"products": lines, "GUID": self.guid}


class WooShop:
    """`perigee` is the address of the installation, `loader` the HTML of `site/script`."""

    def __init__(self, perigee: str, key: str, site_id: str, loader: str) -> None:
        self.address = ""
        self._perigee = perigee
        self._headers = {"Authorization": aiohttp.encode_basic_auth("any", key)}
        self._site_id = site_id
        self._loader = loader
        self._sessions: dict[str, Session] = {}
        self._orders = 0

    @asynccontextmanager
    async def open(self) -> AsyncIterator[WooShop]:
        app = web.Application()
        app.router.add_get("/product/{sku}", self._product)
        app.router.add_get("/checkout", self._checkout)
        app.router.add_get("/order-received", self._thanks)
        app.router.add_post("/plugin/visitor", self._visitor)
        app.router.add_post("/cart/add", self._add)
        app.router.add_post("/cart/remove", self._remove)
        app.router.add_post("/account", self._account)
        app.router.add_post("/checkout", self._buy)
        runner = web.AppRunner(app, shutdown_timeout=0)
        await runner.setup()
        async with aiohttp.ClientSession() as self._http:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            self.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
            try:
                yield self
            finally:
                await runner.cleanup()

    # --- pages -------------------------------------------------------------------------------------------------

    def _page(self, request: web.Request, body: str, script: str = "") -> web.Response:
        session = request.cookies.get("woo") or str(uuid.uuid4())
        self._sessions.setdefault(session, Session())
        html = f"<!doctype html><title>Woo</title><body>{body}{self._loader}<script>{_PLUGIN}{script}</script></body>"
        answer = web.Response(text=html, content_type="text/html")
        answer.set_cookie("woo", session, httponly=True)
        return answer

    async def _product(self, request: web.Request) -> web.Response:
        sku = request.match_info["sku"]
        name, price = PRODUCTS[sku]
        shown = json.dumps({"productKey": sku, "price": f"{price} {CURRENCY}", "isInStock": "1"})
        return self._page(
            request,
            f"<h1>{name}</h1><button id=add onclick=\"change('/cart/add', '{sku}')\">Add to cart</button>"
            f"<button id=remove onclick=\"change('/cart/remove', '{sku}')\">Remove</button>",
            f"eS('sendEvent', 'ProductPage', {{ProductPage: {shown}}});",
        )

    async def _checkout(self, request: web.Request) -> web.Response:
        return self._page(
            request,
            "<input id=email><button id=next onclick=\"fetch('/account', {method: 'POST', body: email.value})"
            ".then(function () { document.body.dataset.account = 'made'; })\">Next</button>"
            "<form method=post action=/checkout><button id=buy>Buy</button></form>",
        )

    async def _thanks(self, request: web.Request) -> web.Response:
        order = json.dumps(json.loads(request.query["order"]))
        return self._page(request, "<h1>Thank you</h1>", f"eS('sendEvent', 'PurchasedItems', {order});")

    # --- the server's part --------------------------------------------------------------------------------------

    def _session(self, request: web.Request) -> Session:
        return self._sessions[request.cookies["woo"]]

    async def _visitor(self, request: web.Request) -> web.Response:
        given = json.loads(await request.text())
        session = self._session(request)
        session.web_id, session.org_id = given["webId"], given["orgId"]
        return web.json_response({})

    async def _add(self, request: web.Request) -> web.Response:
        sku = json.loads(await request.text())["sku"]
        session = self._session(request)
        session.cart[sku] = session.cart.get(sku, 0) + 1
        return web.json_response(session.state())

    async def _remove(self, request: web.Request) -> web.Response:
        session = self._session(request)
        session.cart.pop(json.loads(await request.text())["sku"], None)
        return web.json_response(session.state())

    async def _account(self, request: web.Request) -> web.Response:
        """A new customer: the contact over the API, then the binding of the visitor."""
        email = await request.text()
        session = self._session(request)
        customer = {"externalCustomerId": "1001", "channels": [{"type": "email", "value": email}]}
        await self._send("/api/v1/contact", customer)
        binding = {
            "externalCustomerId": "1001",
            "webId": session.web_id,
            "orgId": session.org_id,
            "email": email,
        }
        await self._send("/tracker/api/v2", {**binding, "phone": ""})
        return web.json_response({})

    async def _buy(self, request: web.Request) -> web.StreamResponse:
        """The order over the API, and as an event of the visitor; the page that follows reports it once more."""
        session = self._session(request)
        self._orders += 1
        number = f"WC-{self._orders}"
        total = sum(PRODUCTS[sku][1] * count for sku, count in session.cart.items())
        items = [
            {"externalItemId": sku, "name": PRODUCTS[sku][0], "quantity": count, "cost": PRODUCTS[sku][1]}
            for sku, count in session.cart.items()
        ]
        order = {
            "externalOrderId": number,
            "externalCustomerId": "1001",
            "totalCost": total,
            "status": "INITIALIZED",
            "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "currency": CURRENCY,
            "items": items,
        }
        await self._send("/api/v1/orders", {"orders": [order]})
        products = [
            {"product_id": one["externalItemId"], "unit_price": str(one["cost"]), "quantity": one["quantity"]}
            for one in items
        ]
        info = {"eventName": "PurchasedItems", "siteId": self._site_id, "cookies": {"sc": session.web_id}}
        bought = {"OrderNumber": number, "Products": products, "GUID": session.guid}
        await self._send(
            "/tracker/api/v2",
            {"GeneralInfo": info, "TrackedOrderId": str(uuid.uuid4()), "PurchasedItems": bought},
        )
        lines = session.state()["products"]
        page = json.dumps({"OrderNumber": number, "PurchasedItems": lines, "GUID": bought["GUID"]})
        session.cart.clear()
        raise web.HTTPSeeOther("/order-received?" + urlencode({"order": page}))

    async def _send(self, path: str, body: dict[str, Any]) -> None:
        async with self._http.post(self._perigee + path, json=body, headers=self._headers) as answer:
            assert answer.status == 200, await answer.text()
