"""Puts the compiled kernel into a wheel, where this machine can compile it; else the wheel is the same for every machine."""

import importlib.util
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_FOLDER = Path("classifiers", "native")


class KernelHook(BuildHookInterface):
    """Compiles before the wheel is put together."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the file, and say in the wheel's name for which machines it is."""
        if version == "editable":  # it is compiled where it lies, by `make install`
            return
        builder = _builder(Path(self.root))
        try:
            place = builder.build()
        except builder.NotBuiltError as error:
            sys.stderr.write(f"the wheel comes without the compiled kernel: {error}\n")
            return
        build_data["force_include"][str(place)] = str(_FOLDER / place.name)
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["tag"] = f"cp311-abi3-{platform}"
        build_data["pure_python"] = False


def _builder(root: Path) -> Any:
    """Load `classifiers.native.build` without the package, whose libraries may not be there yet."""
    spec = importlib.util.spec_from_file_location("kernel_build", root / _FOLDER / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
