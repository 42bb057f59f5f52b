"""Loads of ccxt what two venues need: its packages import all of their hundred exchanges, three times over.

With the packages' own ``__init__`` two exchanges cost 0.7 s of CPU and 55 MB more. Here each package is empty until a name is asked for.
"""

import sys
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

_PACKAGES = ("ccxt", "ccxt.async_support", "ccxt.pro")


class _Package(ModuleType):
    """A package of ccxt that imports an exchange, an error or the base class when it is asked for."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        errors = import_module("ccxt.base.errors")
        if hasattr(errors, name):
            found = getattr(errors, name)
        elif name == "Exchange":
            found = import_module("ccxt.base.exchange" if self.__name__ == "ccxt" else "ccxt.async_support.base.exchange").Exchange
        else:
            path = f"{self.__name__}.{name}"
            try:
                module = import_module(path)
            except ModuleNotFoundError as error:
                if error.name != path:
                    raise
                raise AttributeError(f"{self.__name__} has no {name}") from None
            found = getattr(module, name, module)
        setattr(self, name, found)
        return found


def ccxt_pro() -> Any:
    """``ccxt.pro``; where nobody has imported ccxt yet, without the exchanges that nobody asks for."""
    if "ccxt" not in sys.modules:
        spec = find_spec("ccxt")
        if spec is None or not spec.submodule_search_locations:
            raise ModuleNotFoundError("No module named 'ccxt'", name="ccxt")
        folder = Path(next(iter(spec.submodule_search_locations)))
        for name in _PACKAGES:
            place = folder.joinpath(*name.split(".")[1:])
            package = _Package(name)
            package.__path__ = [str(place)]
            package.__spec__ = ModuleSpec(name, None, origin=str(place / "__init__.py"), is_package=True)
            package.__spec__.submodule_search_locations = package.__path__
            sys.modules[name] = package
    return import_module("ccxt.pro")
