"""What one capability needs of another, handed in by `app.py`; see the adapters for what they promise beyond the signature."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from moderation.domain.ids import SiteId
from moderation.domain.policy import Thresholds
from moderation.domain.verdict import Assessment, Evidence


class SealedValueError(Exception):
    """A sealed value cannot be opened: damaged, moved from another column, or of a key that is not there."""


class Scorer(Protocol):
    """Judges texts; comes from `learning`."""

    @property
    def model(self) -> str | None:
        """The version in use; None while there is none."""

    @property
    def thresholds(self) -> Mapping[str, Mapping[str, Thresholds]]:
        """The model's own thresholds by language and output, for policies that set none."""

    def assess(
        self, texts: Sequence[str], author_urls: Sequence[str | None], hints: Sequence[str | None] = ()
    ) -> list[Assessment]:
        """Judge a group at once, on the calling thread. Raises when there is no model or it broke: never zeros.

        ``hints``, one a text or none at all, are languages in which somebody says that it is; None where nobody does.
        """

    def explain(self, text: str, outputs: Collection[str]) -> dict[str, tuple[Evidence, ...]]:
        """Return the evidence by output, for those asked for (spam, abuse, reject); empty when there is nothing to say."""

    def for_site(self, site_id: SiteId) -> "Scorer":
        """Return what judges one site's comments: the same object for sites with the same model."""


class Vault(Protocol):
    """Keyed hashes and encryption under the instance's secret keys; comes from `privacy`."""

    def seal(self, text: str, purpose: str) -> bytes:
        """Encrypt; ``purpose`` is bound in, so that a value cannot be moved to another column."""

    def open(self, sealed: bytes, purpose: str) -> str:
        """Decrypt what `seal` made under any of the current keys. Raises `SealedValueError`."""

    def fingerprint(self, purpose: str, *parts: str | None) -> bytes:
        """Return a keyed hash of 16 bytes, the same for the same purpose and parts for as long as the keys live."""


def open_those_readable(vault: Vault, sealed: Sequence[bytes], purpose: str) -> list[str]:
    """Open a list of secrets of which any one will do: an old one that cannot be read must not disable the current one.

    Raises `SealedValueError` when there are some and none can be read.
    """
    found, last = [], None
    for value in sealed:
        try:
            found.append(vault.open(value, purpose))
        except SealedValueError as error:
            last = error
    if last is not None and not found:
        raise last
    return found
