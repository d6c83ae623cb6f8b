"""How email from a domain leaves: by whom it is signed, where bounces go, under which address its links are."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.domains import keys
from perigee.domains.sign import Signer
from perigee.lib.addresses import normal_domain

q = load(__package__)


@dataclass(frozen=True, slots=True)
class Outfit:
    """`signer` None: the relay signs, or nobody. `bounce_domain` '': the envelope sender is the From address."""

    signer: Signer | None = None
    bounce_domain: str = ""


@dataclass(frozen=True, slots=True)
class Wardrobe:
    """The outfits of an organisation by domain; `tracking` are the addresses of its tracking domains in order."""

    outfits: Mapping[str, Outfit]
    tracking: Mapping[str, str]
    usual: Outfit

    def outfit(self, sender: str) -> Outfit:
        """For an address as it stands in From."""
        return self.outfits.get(domain_of(sender), self.usual)

    def link_base(self, sender: str = "") -> str:
        """`https://…` of the tracking domain of the address's domain, else of the organisation's first one; '' for none."""
        return self.tracking.get(domain_of(sender)) or next(iter(self.tracking.values()), "")


def domain_of(address: str) -> str:
    """In the form in which sender domains are stored."""
    domain = address.rpartition("@")[2]
    return normal_domain(domain) or domain.lower()


class Wardrobes:
    """Outfits with keys unsealed once per process."""

    KEEP = 256

    def __init__(self, sealing: bytes, bounce_domain: str = "") -> None:
        """`bounce_domain`: the operator's, for domains without one of their own in order."""
        self._sealing = sealing
        self._usual = Outfit(None, bounce_domain)
        self._signers: OrderedDict[tuple[int, int, bool], Signer] = OrderedDict()

    async def load(self, connection: Connection, org_id: int) -> Wardrobe:
        rows = await (await connection.execute(q.outfits, {"org_id": org_id})).fetchall()
        outfits: dict[str, Outfit] = {}
        tracking: dict[str, str] = {}
        for domain, bounces, links, pair_id, selector, private, with_ed in rows:
            signer = None
            if private is not None:
                signer = self._signer(org_id, domain, pair_id, selector, bytes(private), with_ed)
            outfits[domain] = Outfit(signer, bounces or self._usual.bounce_domain)
            if links:
                tracking[domain] = f"https://{links}"
        return Wardrobe(outfits, tracking, self._usual)

    def _signer(
        self, org_id: int, domain: str, pair_id: int, selector: str, private: bytes, with_ed: bool
    ) -> Signer:
        key = (org_id, pair_id, with_ed)
        found = self._signers.get(key)
        if found is None:
            rsa, ed = keys.unsealed(self._sealing, org_id, domain, selector, private)
            found = self._signers[key] = Signer(domain, selector, rsa, ed if with_ed else None)
            while len(self._signers) > self.KEEP:
                self._signers.popitem(last=False)
        return found
