"""Textual's parser of a terminal's bytes, made safe for sequences that no keyboard sends, and for what was never asked for.

Bound to Textual 8.2.8: overrides the private ``_parse_extended_key``, which raises for code points beyond Unicode and for
the kitty protocol's alternate keys and event types; an exception there would end the console.
"""

import re

from textual import events
from textual._xterm_parser import XTermParser
from textual.keys import Keys
from textual.message import Message
from textual.messages import InBandWindowResize

from arbtui.console.hangul import pressed

_KITTY = re.compile(
    r"\x1b\[(?P<code>[0-9]*)(?::[0-9]*)?(?::(?P<base>[0-9]+))?"
    r"(?:;(?P<mods>[0-9]*)(?::(?P<event>[0-9]))?)?(?:;(?P<text>[0-9:]*))?u"
)
"""``CSI code[:shifted[:base layout]] ; modifiers[:event type] ; text u``; https://sw.kovidgoyal.net/kitty/keyboard-protocol/"""

_SHIFT = 0b1
_RELEASE = "3"


class KeyParser(XTermParser):
    """Gives every key of a terminal, and nothing for a sequence that is none."""

    @property  # an attribute of Textual's, set by a report that was never asked for
    def mouse_pixels(self) -> bool:
        """Always False: mouse positions are read in cells. A terminal that reports a size of no pixels would cause a division by zero."""
        return False

    @mouse_pixels.setter
    def mouse_pixels(self, value: bool) -> None:
        pass

    def _parse_extended_key(self, sequence: str) -> list[events.Key] | None:  # type: ignore[override]  # Textual's is an lru_cache
        kitty = _KITTY.fullmatch(sequence)
        if kitty is not None:
            if kitty["event"] == _RELEASE:
                return [_ignored(sequence)]
            code, mods, text = kitty["base"] or kitty["code"], kitty["mods"] or "", kitty["text"] or ""
            sequence = f"\x1b[{code};{mods};{text}u"
        try:
            keys = super()._parse_extended_key(sequence)
        except (ValueError, OverflowError):  # no code point, or numbers where none belong
            return [_ignored(sequence)]
        if keys is None:
            return None
        is_shifted = kitty is not None and bool(kitty["mods"]) and bool((int(kitty["mods"]) - 1) & _SHIFT)
        return [_checked(key, sequence, is_shifted) for key in keys]


def is_wanted(message: Message, *, mouse: bool) -> bool:
    """Whether the console asked for such reports.

    A size comes from the system, never from the terminal's own words. Focus would cost a new style for every widget, and take the cursor
    from a console that is watched beside another pane.
    """
    if isinstance(message, events.Resize | InBandWindowResize | events.AppFocus | events.AppBlur):
        return False
    return mouse or not isinstance(message, events.MouseEvent)


def _checked(key: events.Key, sequence: str, is_shifted: bool) -> events.Key:
    """``key``, unless it holds half a surrogate pair, which nothing can encode; Hangul keeps the shift that its text hides."""
    if any("\ud800" <= character <= "\udfff" for character in key.key + (key.character or "")):
        return _ignored(sequence)
    if is_shifted and key.character and "shift" not in key.key and len(pressed(key.key)) == 1:
        return events.Key(f"shift+{key.key}", key.character)
    return key


def _ignored(sequence: str) -> events.Key:
    return events.Key(Keys.Ignore, sequence)
