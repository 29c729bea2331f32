"""A vault for every test here."""

import pytest

from moderation.privacy.keyring import Keyring
from moderation.privacy.vault import KeyedVault


@pytest.fixture
def vault() -> KeyedVault:
    return KeyedVault(Keyring.new())
