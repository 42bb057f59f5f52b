"""Who wants which stream, and in which form: each frame is encoded once a form, whoever takes it."""

from collections.abc import Callable, Hashable, Iterable
from typing import Generic, TypeVar

from arbtui.sandbox.peer import Peer

Form = TypeVar("Form", bound=Hashable)
Key = tuple[str, str]  #: a stream: what it is and of which market


class Fanout(Generic[Form]):
    """Subscriptions of one venue's public sockets. ``encode`` makes a whole WebSocket frame out of a payload, in a form."""

    def __init__(self, encode: Callable[[bytes, Form], bytes]) -> None:
        self.changes = 0  #: how often what is wanted has changed
        self._encode = encode
        self._wanted: dict[Key, dict[Form, dict[Peer, None]]] = {}
        self._of: dict[Peer, dict[Key, Form]] = {}
        self._touched: dict[Peer, None] = {}

    def want(self, peer: Peer, key: Key, form: Form) -> None:
        """Send the stream ``key`` to ``peer`` from now on; another form of it ends."""
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
        """The peer is gone."""
        for key in list(self._of.get(peer, ())):
            self.forget(peer, key)
        self._of.pop(peer, None)
        self._touched.pop(peer, None)

    def of(self, peer: Peer) -> list[Key]:
        """What ``peer`` subscribes to, in order."""
        return list(self._of.get(peer, ()))

    @property
    def keys(self) -> Iterable[Key]:
        """Every stream that somebody takes."""
        return self._wanted.keys()

    def is_wanted(self, key: Key) -> bool:
        """Whether anybody takes it."""
        return key in self._wanted

    def put(self, key: Key, payload: bytes) -> None:
        """Put one payload before everybody who wants it; it leaves with :meth:`flush`."""
        forms = self._wanted.get(key)
        if forms is None:
            return
        for form, peers in forms.items():
            frame = self._encode(payload, form)
            for peer in peers:
                peer.pending.append(frame)
                self._touched[peer] = None

    def flush(self) -> Iterable[Peer]:
        """Write what was put; the peers that got something."""
        touched, self._touched = self._touched, {}
        for peer in touched:
            peer.flush()
        return touched
