"""Framing: what the venues' rules of their public streams have in common; each venue's own are in its ``subscriptions.py``."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from arbtui.exchanges.subscriptions import Notice, RestCall, Subscription, share
from arbtui.exchanges.wire import UNREADABLE, not_json


class Framing(ABC):
    """A :class:`arbtui.exchanges.subscriptions.PublicFraming`; what it says of books is of a stream that brings whole ones.

    ``data_starts``: what frames of market data begin with. ``markets_a_socket``: how many markets one socket carries at most.
    """

    confirmations = 0
    message_gap_s: float
    connect_costs: Mapping[str, float] = {"socket-connect": 1}
    lifetime_s = 86_400.0  #: where none is documented: a new socket a day costs nothing and treats all venues alike
    data_starts: tuple[bytes, ...]
    markets_a_socket: int

    def is_data(self, raw: bytes) -> bool:
        """See :class:`arbtui.exchanges.subscriptions.PublicFraming`."""
        return raw.startswith(self.data_starts)

    def notice(self, raw: bytes) -> Notice | None:
        """See :class:`arbtui.exchanges.subscriptions.PublicFraming`."""
        try:
            message = msgspec.json.decode(raw)
        except UNREADABLE:
            return None
        return self._notice_of(message) if isinstance(message, dict) else None

    @abstractmethod
    def _notice_of(self, message: Mapping[str, Any]) -> Notice | None:
        """What a frame, parsed, says about its connection; None for one that says nothing of it."""
        ...

    def subscriptions(self, codes: Sequence[str], sockets: int = 1) -> list[Subscription]:
        """See :class:`arbtui.exchanges.subscriptions.PublicFraming`."""
        markets = share(len(codes), self.markets_a_socket, sockets)
        return [self._subscription(number, codes[at : at + markets]) for number, at in enumerate(range(0, len(codes), markets), 1)]

    @abstractmethod
    def _subscription(self, number: int, codes: Sequence[str]) -> Subscription:
        """The socket of ``codes``, the ``number``-th, from 1 on."""
        ...

    def snapshot(self, code: str) -> RestCall | None:
        """None: whole books come over the stream, the first one with the subscription."""
        return None

    @abstractmethod
    def probe(self, code: str) -> RestCall:
        """See :class:`arbtui.exchanges.subscriptions.PublicFraming`."""
        ...

    def read_probe(self, raw: bytes) -> tuple[float, float]:
        """See :class:`arbtui.exchanges.subscriptions.PublicFraming`."""
        try:
            return self._best_of(raw)
        except (*UNREADABLE, ValueError) as error:
            raise not_json(raw, error) from None

    @abstractmethod
    def _best_of(self, raw: bytes) -> tuple[float, float]:
        """As :meth:`read_probe`; raises msgspec's errors, or ValueError, for another answer."""
        ...

    def merge_key(self, raw: bytes) -> bytes | None:
        """None: the frames are chains of changes, which need them all, or trades."""
        return None


def key_to(end: bytes, raw: bytes, start: bytes) -> bytes | None:
    """The beginning of ``raw`` to the first ``end`` behind ``start``, with which it must begin; None where it does not, or has no end."""
    if not raw.startswith(start):
        return None
    at = raw.find(end, len(start))
    return raw[:at] if at > 0 else None
