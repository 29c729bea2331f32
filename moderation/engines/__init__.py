"""The embedded PostgreSQL and Valkey: run from the installed wheels, owned by one process, left behind by none."""

from moderation.engines.embedded import EmbeddedEngines, engines_for
from moderation.engines.errors import EngineError, EnginesInUseError, EnginesNotReadyError, EngineStartError
from moderation.engines.ownership import EngineAddresses
from moderation.engines.postgres import postgres_program

__all__ = [
    "EmbeddedEngines",
    "EngineAddresses",
    "EngineError",
    "EngineStartError",
    "EnginesInUseError",
    "EnginesNotReadyError",
    "engines_for",
    "postgres_program",
]
