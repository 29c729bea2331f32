"""The command line: thin over the same services as the API.

Standard output carries the result alone. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 a model stayed a candidate.
"""

from moderation.cli.program import main

__all__ = ["main"]
