"""What every test of the console may use."""

from collections.abc import Iterator
from typing import Any

import pytest
from textual.css.stylesheet import Stylesheet

_parse_rules: Any = Stylesheet._parse_rules
#: By the theme's variables and all that a rule is parsed with.
_known: dict[tuple[object, ...], Any] = {}


def _parsed_once(sheet: Stylesheet, *given: Any, **more: Any) -> Any:
    """As Textual does within one app: rules are parsed once for a theme, then only read."""
    key = (tuple(sheet._variables.items()), given, tuple(more.items()))
    if key not in _known:
        _known[key] = _parse_rules(sheet, *given, **more)
    return _known[key]


@pytest.fixture(scope="package", autouse=True)
def _rules_are_parsed_once() -> Iterator[None]:
    """Each test makes an app of its own, and an eighth of what it costs is the same style sheet."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stylesheet, "_parse_rules", _parsed_once)
        yield
