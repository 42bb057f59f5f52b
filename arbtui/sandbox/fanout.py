"""Subscriptions to streams, by form: each frame is encoded once per form, for all its subscribers."""

from collections.abc import Callable, Hashable, Iterable
from typing import Generic, TypeVar

from arbtui.sandbox.peer import Peer

Form = TypeVar("Form", bound=Hashable)
Key = tuple[str, str]  #: a stream: (kind, market)


class Fanout(Generic[Form]):
    """Subscriptions of one venue's public sockets. ``encode`` makes a whole WebSocket frame from a payload, in a form."""

    def __init__(self, encode: Callable[[bytes, Form], bytes]) -> None:
        self.changes = 0  #: how often subscriptions have changed
        self._encode = encode
        self._wanted: dict[Key, dict[Form, dict[Peer, None]]] = {}
        self._of: dict[Peer, dict[Key, Form]] = {}
        self._touched: dict[Peer, None] = {}

    def want(self, peer: Peer, key: Key, form: Form) -> None:
        """Send the stream ``key`` to ``peer`` from now on; in place of any other form of it."""
        self.forget(peer, key)
        self.changes += 1
        self._wanted.setdefault(key, {}).setdefault(form, {})[peer] = None
        self._of.setdefault(peer, {})[key] = form

    def forget(self, peer: Peer, key: Key) -> None:
        """Send ``key`` to ``peer`` no more."""
        form = self._of.get(peer, {}).pop(key, None)
        if form is None:
            return
        self.changes += 1
        forms = self._wanted[key]
        del forms[form][peer]
        if not forms[form]:
            del forms[form]
        if not forms:
            del self._wanted[key]

    def drop(self, peer: Peer) -> None:
        """Remove a closed peer."""
        for key in list(self._of.get(peer, ())):
            self.forget(peer, key)
        self._of.pop(peer, None)
        self._touched.pop(peer, None)

    def of(self, peer: Peer) -> list[Key]:
        """What ``peer`` subscribes to, in order."""
        return list(self._of.get(peer, ()))

    @property
    def keys(self) -> Iterable[Key]:
        """Every stream with a subscriber."""
        return self._wanted.keys()

    def is_wanted(self, key: Key) -> bool:
        """Whether it has a subscriber."""
        return key in self._wanted

    def put(self, key: Key, payload: bytes) -> None:
        """Queue one payload for every subscriber; :meth:`flush` writes it."""
        forms = self._wanted.get(key)
        if forms is None:
            return
        for form, peers in forms.items():
            frame = self._encode(payload, form)
            for peer in peers:
                peer.pending.append(frame)
                self._touched[peer] = None

    def flush(self) -> Iterable[Peer]:
        """Write what was queued; the peers that received something."""
        touched, self._touched = self._touched, {}
        for peer in touched:
            peer.flush()
        return touched
