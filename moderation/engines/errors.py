"""What can be wrong with the embedded engines.

EngineError
├── EnginesInUseError     another living process owns the engines of this data directory
├── EnginesNotReadyError  their owner did not bring them up in time
└── EngineStartError      an engine ended, or never answered, while it was being started
"""


class EngineError(Exception):
    """The embedded engines cannot be had; the message says what an operator can do."""


class EnginesInUseError(EngineError):
    """Another living process owns the engines; `pid` is that process, 0 where it has not said so yet.

    `is_lasting` tells that it is a service which runs: there is no use in waiting for its end.
    """

    def __init__(self, data_dir: str, pid: int, *, is_lasting: bool) -> None:
        super().__init__(
            f"the engines in {data_dir} belong to process {pid or '(just starting)'}: "
            "stop it first, or use another data directory"
        )
        self.pid = pid
        self.is_lasting = is_lasting


class EnginesNotReadyError(EngineError):
    """The owner holds the data directory, but its engines did not answer within the deadline."""


class EngineStartError(EngineError):
    """An engine ended or stayed silent during its start; the message holds the last lines of its log."""
