"""The short form in which frequent events are stored: a JSON array of an event's values, in the order of its fields, without their names.

Three of four bytes of a journal are events that every order makes, and half of those would be names of fields. A field may still be
added with a default, at the end.
"""

from dataclasses import is_dataclass
from typing import Any, Generic, TypeVar, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct

T = TypeVar("T")

_encode = msgspec.json.Encoder(decimal_format="string").encode


class Compact(Generic[T]):
    """Writes and reads the short form of one kind of event."""

    def __init__(self, kind: type[T]) -> None:
        self._kind = kind
        self._listed = _listed(kind)
        self._decoder = msgspec.json.Decoder(self._listed)

    def encode(self, event: T) -> bytes:
        """``event`` as a JSON array."""
        return _encode(msgspec.convert(event, self._listed, from_attributes=True))

    def decode(self, payload: str) -> T:
        """The event that was stored.

        Raises:
            msgspec.DecodeError: this is not the short form of one.
        """
        return msgspec.convert(self._decoder.decode(payload), self._kind, from_attributes=True)


def _listed(kind: Any) -> Any:
    """The same type, with every class in it as an array."""
    if isinstance(kind, type) and (issubclass(kind, Struct) or is_dataclass(kind)):
        hints = get_type_hints(kind)
        fields: list[Any] = []
        for each in msgspec.inspect.type_info(kind).fields:  # type: ignore[attr-defined]
            if each.required:
                fields.append((each.name, _listed(hints[each.name])))
            elif each.default is not msgspec.NODEFAULT:
                fields.append((each.name, _listed(hints[each.name]), each.default))
            else:
                fields.append((each.name, _listed(hints[each.name]), msgspec.field(default_factory=each.default_factory)))
        return msgspec.defstruct(kind.__name__, fields, frozen=True, array_like=True)
    if get_origin(kind) is tuple:
        return tuple[tuple(_listed(each) for each in get_args(kind))]  # type: ignore[misc]
    return kind
