"""From the characters of a terminal to the messages that the app gets: parsed, without what nobody asked for, bursts apart."""

import re
from collections.abc import Callable, Iterable
from contextlib import suppress

from textual import events
from textual._parser import ParseError
from textual.message import Message

from arbtui.console.bursts import KeyGroups
from arbtui.console.key_parser import KeyParser, is_wanted

LONGEST_PASTE = 65_536
"""Characters of one paste that are kept: somebody may paste a file of gigabytes, and each character takes room until its end."""

PASTE_START = "\x1b[200~"
PASTE_END = "\x1b[201~"

_SEQUENCE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b|\x00")
"""What no input takes of a paste: escape sequences (ECMA-48, 5.4), and NUL."""


class KeyReader:
    """Lives in the input thread. Times in monotonic seconds.

    Args:
        post: is given each message.
        refused: is told of what could not be parsed; the reader goes on with the next character.
        mouse: whether reports of a mouse are wanted.
        debug: Textual's own log of keys.
    """

    def __init__(self, post: Callable[[Message], None], refused: Callable[[Exception], None], *, mouse: bool, debug: bool = False) -> None:
        self._post = post
        self._refused = refused
        self._mouse = mouse
        self._debug = debug
        self._parser = KeyParser(debug)
        self._groups = KeyGroups()
        self._is_pasting = False
        self._kept = ""
        """Of a paste: what has come of it. Else the last few characters, in which a paste's beginning may begin."""

    @property
    def is_holding(self) -> bool:
        """Whether :meth:`tick` must be called within a few milliseconds."""
        return self._groups.is_holding

    def read(self, text: str, now: float) -> None:
        """Take ``text``, read at ``now``."""
        for event in self._groups.take(now):
            self._post(event)
        while text:
            text = self._read_paste(text, now) if self._is_pasting else self._read_keys(text, now)
        for event in self._groups.take(now):
            self._post(event)

    def tick(self, now: float) -> None:
        """Time has passed: a lone Esc is no sequence's beginning any more, and keys that were held are single ones."""
        self._parse(self._parser.tick, now)
        for event in self._groups.take(now):
            self._post(event)

    def end(self) -> None:
        """Nothing more will be read."""
        with suppress(EOFError, ParseError):  # the end of the input inside a sequence
            list(self._parser.feed(""))

    def _read_keys(self, text: str, now: float) -> str:
        """Parse what stands before a paste, and the paste's beginning; what is left of ``text``."""
        joined = self._kept + text
        at = joined.find(PASTE_START)
        end = len(text) if at < 0 else at + len(PASTE_START) - len(self._kept)
        self._parse(lambda: self._parser.feed(text[:end]), now)
        self._is_pasting = at >= 0
        self._kept = "" if self._is_pasting else joined[1 - len(PASTE_START) :]
        return text[end:]

    def _read_paste(self, text: str, now: float) -> str:
        """Collect pasted text, and post it once its end has come; what is left of ``text``.

        Textual's parser is not asked: it gives the characters of an escape sequence inside a paste on as keys.
        """
        searched = max(0, len(self._kept) + 1 - len(PASTE_END))
        pasted = self._kept + text
        at = pasted.find(PASTE_END, searched)
        if at < 0:
            if len(pasted) > LONGEST_PASTE + len(PASTE_END):
                pasted = pasted[:LONGEST_PASTE] + pasted[1 - len(PASTE_END) :]
            self._kept = pasted
            return ""
        self._is_pasting, self._kept = False, ""
        self._take(events.Paste(_SEQUENCE.sub("", pasted[: min(at, LONGEST_PASTE)])), now)
        self._parse(lambda: self._parser.feed(PASTE_END), now)
        return pasted[at + len(PASTE_END) :]

    def _parse(self, parsed: Callable[[], Iterable[Message]], now: float) -> None:
        try:
            for message in parsed():
                self._take(message, now)
        except Exception as error:  # whatever a terminal sends, the next key counts
            self._parser = KeyParser(self._debug)
            self._refused(error)

    def _take(self, message: Message, now: float) -> None:
        if isinstance(message, events.Key):
            self._groups.add(message, now)
        elif is_wanted(message, mouse=self._mouse) and not (isinstance(message, events.Paste) and not message.text):
            for held in self._groups.flush():
                self._post(held)
            self._post(message)
