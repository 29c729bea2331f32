"""The compiled loops of reading and scoring, where they were built for this machine and from this source.

What they do is defined by the NumPy code of `classifiers`; see `classifiers.kernel` for how they are used, docs/decisions/0020-kernel.md
for why they are there.
"""

import os
from importlib.machinery import ExtensionFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType
from typing import NamedTuple

from classifiers.native import build

SWITCH = "CLASSIFIERS_KERNEL"
"""The environment variable that, set to NUMPY, leaves the compiled loops unused."""
NUMPY = "numpy"


class Loaded(NamedTuple):
    """The compiled module, or None and why in a few words."""

    module: ModuleType | None
    reason: str = ""


def load() -> Loaded:
    """Load the file that was compiled from this very source; total."""
    if os.environ.get(SWITCH, "").strip().lower() == NUMPY:
        return Loaded(None, "switched off")
    if not build.is_possible():
        return Loaded(None, "this kind of Python does not load it")
    try:
        place = build.path()
        if not place.is_file():
            return Loaded(None, "not built")
        spec = spec_from_file_location("_kernel", place, loader=ExtensionFileLoader("_kernel", str(place)))
        assert spec is not None
        assert spec.loader is not None
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        if getattr(module, "SOURCE", "") != build.digest():
            return Loaded(None, "made from another source")
    except (ImportError, OSError) as error:
        return Loaded(None, f"not loadable ({type(error).__name__})")
    return Loaded(module)
