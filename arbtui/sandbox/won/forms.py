"""The forms of frames that can be requested: DEFAULT or SIMPLE keys, as an object or in a list, and fewer levels (``CODE.N``)."""

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from arbtui.sandbox.answer import encode
from arbtui.sandbox.peer import binary_frame


class Form(NamedTuple):
    """``levels`` of a book, 0 for all."""

    format: str
    levels: int


PLAIN = Form("DEFAULT", 0)


def framer(simple: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[bytes, Form], bytes]:
    """Makes binary WebSocket messages of payloads in DEFAULT form; ``simple`` gives a message its short keys."""

    def framed(payload: bytes, form: Form) -> bytes:
        if form == PLAIN:
            return binary_frame(payload)
        message: dict[str, Any] = msgspec.json.decode(payload)
        units = message.get("orderbook_units")
        if units is not None and 0 < form.levels < len(units):
            message["orderbook_units"] = units[: form.levels]
        if form.format.startswith("SIMPLE"):
            message = simple(message)
        return binary_frame(encode([message] if form.format.endswith("LIST") else message))

    return framed
