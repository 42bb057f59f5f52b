"""Faults of Textual 8.2.8 that stop a loop that trades, mended where they are.

A full collection stops the loop, the gate and the kill key, so what it has to walk must stay small:

* ``Strip.crop_extend`` and ``Strip.divide`` store the strip in its *own* cache when it fits already. Each painted line then
  refers to itself and is freed by a collection only: about 3,000 objects a second on a screen of 160x48.
* ``StylesCache.get_inner_outer`` is an ``lru_cache`` around a method, so its keys keep up to 1,024 closed widgets' caches
  with every line they hold (Textualize/textual issue 6665).
* ``MessagePump._dispatch_message`` lets an error of a handler end the widget's message loop and the whole app. An app that
  has ``survives`` is asked first.
* ``Screen._compositor_refresh`` of a screen behind a dialog asks for all of itself to be painted again, with every frame: seven
  times the bytes, twice the CPU. What has changed is painted all the same.
* A message loop takes the next message at once while any wait (``Queue.get`` gives nobody else a turn then), so a flood of
  keys held the event loop until the last one was done. After each message that leaves others waiting, others have a turn.

Bound to Textual 8.2.8: replaces private names; tests/console/test_textual_fixes.py fails on another version.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from functools import lru_cache, wraps
from typing import Any, Protocol, runtime_checkable

from rich.style import Style as RichStyle
from textual import events
from textual._styles_cache import StylesCache
from textual.color import Color
from textual.message import Message
from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.strip import Strip
from textual.style import Style

VERSION = "8.2.8"
"""The version of Textual whose faults these are."""


def fix_textual() -> None:
    """Replace the five methods; a second call changes nothing."""
    if not hasattr(Strip.crop_extend, "__wrapped__"):
        Strip.crop_extend = _without_own_crop(Strip.crop_extend)  # type: ignore[method-assign]
        Strip.divide = _without_own_division(Strip.divide)  # type: ignore[method-assign]
        Screen._compositor_refresh = _painting_what_changed(Screen._compositor_refresh)  # type: ignore[method-assign,assignment]
        StylesCache.get_inner_outer = staticmethod(_inner_outer)  # type: ignore[assignment]
        MessagePump._dispatch_message = _surviving(MessagePump._dispatch_message)  # type: ignore[method-assign,assignment]


def _without_own_crop(crop_extend: Callable[[Strip, int, int, RichStyle | None], Strip]) -> Callable[..., Strip]:
    @wraps(crop_extend)
    def fixed(strip: Strip, start: int, end: int, style: RichStyle | None) -> Strip:
        if start <= 0 and end == strip.cell_length:
            return strip
        return crop_extend(strip, start, end, style)

    return fixed


def _without_own_division(divide: Callable[[Strip, Iterable[int]], Sequence[Strip]]) -> Callable[..., Sequence[Strip]]:
    @wraps(divide)
    def fixed(strip: Strip, cuts: Iterable[int]) -> Sequence[Strip]:
        within = [cut for cut in cuts if cut <= strip.cell_length]
        if within == [strip.cell_length]:
            return [strip]
        return divide(strip, within)

    return fixed


def _painting_what_changed(refresh: Callable[[Screen[Any]], None]) -> Callable[[Screen[Any]], None]:
    @wraps(refresh)
    def fixed(screen: Screen[Any]) -> None:
        refresh(screen)
        if screen is not screen.app.screen:
            screen._repaint_required = False

    return fixed


@runtime_checkable
class Survivor(Protocol):
    """An app that an error need not end."""

    def survives(self, error: Exception) -> bool:
        """Whether it goes on after ``error``, of which ``_handle_exception`` then tells it."""
        ...


def _surviving(
    dispatch: Callable[[MessagePump, Message], Coroutine[Any, Any, None]],
) -> Callable[[MessagePump, Message], Coroutine[Any, Any, None]]:
    @wraps(dispatch)
    async def fixed(pump: MessagePump, message: Message) -> None:
        try:
            await dispatch(pump, message)
        except Exception as error:
            app = pump.app
            # A widget that cannot even be composed or mounted has no message loop to go on with.
            if isinstance(message, events.Compose | events.Mount) or not isinstance(app, Survivor) or not app.survives(error):
                raise
            app._handle_exception(error)
        if pump.message_queue_size:
            await asyncio.sleep(0)

    return fixed


@lru_cache(1024)
def _inner_outer(base_background: Color, background: Color) -> tuple[Any, Any]:
    """The styles inside and outside of a border, by the two colours alone."""
    return Style(background=base_background + background), Style(background=base_background)
