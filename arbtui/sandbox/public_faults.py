"""Scripted faults of public updates: lost, held back, sent twice, rewritten."""

from collections.abc import Sequence

from arbtui.sandbox.book_corruptor import Rewrite, corrupted, multiplied
from arbtui.sandbox.faults import WireFaultKind, WireFaults

_K = WireFaultKind
#: What ``factor`` is when it is not given.
_TIMES = 10.0


class PublicFaults:
    """The faults of one venue as its public streams meet them; docs/sandbox.md lists them."""

    def __init__(self, faults: WireFaults, rewrite: Rewrite) -> None:
        self._faults = faults
        self._rewrite = rewrite
        self._held: dict[str, bytes] = {}  # by stream, an update to send after the next one
        self._stuck: dict[str, bytes] = {}  # by stream, the update that is sent instead of all later ones

    def sent(self, stream: str, code: str, raw: bytes, *, ladder: bool, book: bool) -> Sequence[bytes]:
        """The frames to send for ``raw``, of a ``stream`` of market ``code``.

        ``ladder``: it changes a book's levels in a numbered sequence; ``book``: it has prices of a book.
        """
        faults = self._faults
        if not faults:
            if not self._held and not self._stuck:
                return (raw,)
            self._stuck.clear()
        if faults.take(_K.FREEZE, symbol=code, stream="public") is not None:
            return ()
        if ladder and faults.take(_K.GAP, symbol=code) is not None:
            return ()
        if faults.take(_K.STUCK, symbol=code) is not None:
            raw = self._stuck.setdefault(stream, raw)
        else:
            self._stuck.pop(stream, None)
        if book:
            raw = self._rewritten(code, raw)
        held = self._held.pop(stream, None)
        if held is not None:
            return (raw, held)
        if ladder and faults.take(_K.SWAP, symbol=code) is not None:
            self._held[stream] = raw
            return ()
        if ladder and faults.take(_K.AGAIN, symbol=code) is not None:
            return (raw, raw)
        flood = faults.take(_K.FLOOD, symbol=code)
        return (raw,) if flood is None else (raw,) * round(flood.factor or _TIMES)

    def _rewritten(self, code: str, raw: bytes) -> bytes:
        bad = self._faults.take(_K.BAD_BOOK, symbol=code)
        if bad is not None:
            raw = corrupted(raw, bad.how or "crossed", self._rewrite)
        higher = self._faults.take(_K.PRICE, symbol=code)
        return raw if higher is None else multiplied(raw, higher.factor or _TIMES, self._rewrite)
