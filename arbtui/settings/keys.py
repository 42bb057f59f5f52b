"""Every key that a profile may hold, with its help: used by error messages, `check` and the test of the shipped profiles."""

import ast
import difflib
import inspect
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from arbtui.exchanges.config import ExchangeConfig
from arbtui.exchanges.venues import VENUES
from arbtui.settings.profile import NOT_IN_A_PROFILE, Settings


@dataclass(frozen=True, slots=True)
class Key:
    """One key: its dotted path, its type, and the model and field that it is."""

    path: tuple[str, ...]
    expected: str
    model: type[BaseModel]
    field: str

    @property
    def help(self) -> str:
        """Unit first; the docstring under the field."""
        return next((helps[self.field] for helps in map(_docstrings, self.model.__mro__) if self.field in helps), "")

    @property
    def dotted(self) -> str:
        """``execution.order_value``."""
        return ".".join(self.path)


@cache
def all_keys() -> Mapping[tuple[str, ...], Key]:
    """Every leaf key by its path, with ``exchanges.NAME.*`` for each known venue."""
    keys: dict[tuple[str, ...], Key] = {}
    for name, field in Settings.model_fields.items():
        if name == "exchanges":
            for venue in VENUES:
                keys.update((key.path, key) for key in _leaves(ExchangeConfig, ("exchanges", venue)))
        elif name not in NOT_IN_A_PROFILE and isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            keys.update((key.path, key) for key in _leaves(field.annotation, (name,)))
    return keys


def owner(path: tuple[str, ...]) -> Key | None:
    """The key that ``path`` lies in: itself, or the key whose value it is a part of."""
    keys = all_keys()
    return next((keys[path[:length]] for length in range(len(path), 0, -1) if path[:length] in keys), None)


def nearest_key(path: tuple[str, ...]) -> str | None:
    """The dotted key or table most like the unknown ``path``: one of the same name elsewhere, or a similar one in its own table."""
    elsewhere = {key.path[-1]: key.dotted for key in all_keys().values()}
    if path[-1] in elsewhere:
        return elsewhere[path[-1]]
    siblings = sorted({key[len(path) - 1] for key in all_keys() if len(key) >= len(path) and key[: len(path) - 1] == path[:-1]})
    close = difflib.get_close_matches(path[-1], siblings, n=1, cutoff=0.6)
    if close:
        return ".".join((*path[:-1], close[0]))
    close = difflib.get_close_matches(path[-1], sorted(elsewhere), n=1, cutoff=0.75)
    return elsewhere[close[0]] if close else None


def is_table(path: tuple[str, ...]) -> bool:
    """True when ``path`` is a table rather than a key."""
    return any(key[: len(path)] == path and len(key) > len(path) for key in all_keys())


def _leaves(model: type[BaseModel], path: tuple[str, ...]) -> Iterator[Key]:
    for name, field in model.model_fields.items():
        alias = field.validation_alias
        below = (*path, alias if isinstance(alias, str) else name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _leaves(field.annotation, below)
        else:
            yield Key(below, _expected(field), model, name)


@cache
def _docstrings(model: type) -> Mapping[str, str]:
    """The docstrings under the fields that ``model`` itself defines, each on one line.

    Read from the source when a message asks for one: Pydantic's ``use_attribute_docstrings`` reads them at every start (0.1 s).
    """
    try:
        (definition,) = ast.parse(inspect.getsource(model)).body
    except (OSError, TypeError):  # no source: a builtin
        return {}
    if not isinstance(definition, ast.ClassDef):
        return {}
    return {
        field.target.id: " ".join(told.value.value.split())
        for field, told in pairwise(definition.body)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(told, ast.Expr) and isinstance(told.value, ast.Constant) and isinstance(told.value.value, str)
    }


def _expected(field: FieldInfo) -> str:
    """The values a field accepts, as text: ``a number from 0 to 1000``."""
    return _kind(field.annotation) + _bounds(field.metadata)


def _kind(annotation: Any) -> str:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _kind(inner[0]) + _bounds(inner[1:])
    if origin is Literal:
        return " or ".join(f'"{one}"' for one in inner)
    if origin in (Union, types.UnionType):
        return " or ".join(_kind(one) for one in inner if one is not types.NoneType)
    if origin is list:
        if get_origin(inner[0]) is Annotated and get_origin(get_args(inner[0])[0]) is list:
            return 'a list of pairs, such as [["a", "b"]]'
        if get_origin(inner[0]) is Literal:
            return f"a list of {_kind(inner[0])}"
        return "a list of whole numbers" if inner == (int,) else "a list of texts"
    if origin is dict:
        values = {str: "texts in quotes", float: "numbers"}.get(inner[1])
        return f"a table of {values}" if values else f"a table of {_kind(inner[1])}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "tables"
    if origin is tuple:
        return f"a list of {len(inner)} whole numbers"
    return {bool: "true or false", int: "a whole number", float: "a number", str: "a text in quotes"}.get(annotation, "another type")


def _bounds(metadata: Any) -> str:
    least = greatest = above = below = None
    for one in (mark for entry in metadata for mark in (getattr(entry, "metadata", None) or [entry])):
        least, greatest = getattr(one, "ge", least), getattr(one, "le", greatest)
        above, below = getattr(one, "gt", above), getattr(one, "lt", below)
    marks = (("from", least), ("above", above), ("to", greatest), ("below", below))
    return "".join(f" {word} {bound:,}" for word, bound in marks if bound is not None)
