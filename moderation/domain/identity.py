"""Who an author is, as keyed hashes: for limits, standing (trusted, blocked) and finding what is held about a person.

Hashes include the site: nothing links an author's comments across sites.
"""

import ipaddress
import socket
import unicodedata

from moderation.domain.comment import Author
from moderation.domain.ports import Vault
from moderation.domain.values import Value


class Identities(Value, frozen=True):
    """Keyed hashes of 16 bytes; None where the author gave nothing of the kind."""

    email: bytes | None
    external_id: bytes | None
    name: bytes | None
    address: bytes | None
    """Of the whole IPv4 address, or of the /64 of an IPv6 one: a household, not a device."""

    @property
    def author(self) -> bytes | None:
        """The strongest that says who: e-mail, else the site's own id, else the name."""
        return self.email or self.external_id or self.name

    def known(self) -> list[bytes]:
        """Return every hash there is, to look up standing by any of them."""
        return [h for h in (self.email, self.external_id, self.name, self.address) if h is not None]


def identify(vault: Vault, site: str, author: Author) -> Identities:
    """Hash what ``author`` gave, under the site's name."""
    email, name, address = fold_email(author.email), fold_name(author.name), network_of(author.address)
    external = author.external_id
    return Identities(
        email=vault.fingerprint("identity", site, "email", email) if email else None,
        external_id=vault.fingerprint("identity", site, "external_id", external) if external else None,
        name=vault.fingerprint("identity", site, "name", name) if name else None,
        address=vault.fingerprint("identity", site, "address", address) if address else None,
    )


def fold_email(email: str | None) -> str | None:
    """Return the form under which addresses are compared: NFC, case folded as a whole (few servers tell cases apart)."""
    if not email:
        return None
    return (email.lower() if email.isascii() else unicodedata.normalize("NFC", email).casefold()).strip()


def fold_name(name: str | None) -> str | None:
    """Return the form under which names are compared: NFKC, case folded, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split()) if name else None


def network_of(address: str | None) -> str | None:
    """Return an IPv4 address as it is, and the /64 of an IPv6 one; None for what is no address."""
    if not address:
        return None
    if is_ipv4(address):
        return address
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return None
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.IPv6Network((int(parsed) >> 64 << 64, 64)))
    return str(parsed)


def is_ipv4(address: str) -> bool:
    """Tell whether it is dotted decimal without leading zeros; many times quicker than parsing it into an object."""
    try:
        socket.inet_pton(socket.AF_INET, address)
    except (OSError, ValueError):
        return False
    return True
