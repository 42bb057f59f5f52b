"""From the characters of a terminal to the messages that the app gets: parsed, without what nobody asked for, bursts apart."""

from collections.abc import Callable, Iterable
from contextlib import suppress

from textual import events
from textual._parser import ParseError
from textual.message import Message

from arbtui.console.bursts import KeyGroups
from arbtui.console.key_parser import KeyParser, is_wanted

LONGEST_PASTE = 65_536
"""Characters of one paste that are kept: somebody may paste a file of gigabytes, and each character takes room until its end."""

PASTE_END = "\x1b[201~"


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
        self._pasted = 0

    @property
    def is_holding(self) -> bool:
        """Whether :meth:`tick` must be called within a few milliseconds."""
        return self._groups.is_holding

    def read(self, text: str, now: float, *, in_paste: bool = False, still_in_paste: bool = False) -> None:
        """Take ``text``, read at ``now``; whether a paste went on before and goes on after it is the kill key's scanner's word."""
        if in_paste:
            was_full = self._pasted > LONGEST_PASTE
            self._pasted += len(text)
            if was_full and still_in_paste:
                return
            if was_full:
                text = PASTE_END
        if not still_in_paste:
            self._pasted = 0
        for event in self._groups.take(now):
            self._post(event)
        if text:
            self._parse(lambda: self._parser.feed(text), now)
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
        elif is_wanted(message, mouse=self._mouse):
            for held in self._groups.flush():
                self._post(held)
            self._post(message)
