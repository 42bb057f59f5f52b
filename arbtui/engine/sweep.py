"""Routes that wait to be looked at, a slice at a time, so that the loop has its turn between."""

from collections.abc import Callable, Sequence

from arbtui.routes.route import ArbRoute


class Sweep:
    """The look at each route of a list that a change of what they share asks for.

    It goes round. A change that comes before the last was looked at has each looked at once more, beginning where it stands: where changes
    come faster than a sweep takes, none is passed over for good.

    Args:
        routes: the list as it is now.
        first: those before that place were looked at already.
    """

    def __init__(self, routes: Callable[[], Sequence[ArbRoute]], first: int = 0) -> None:
        self._routes = routes
        self._first = first
        self._at = first
        self._size = 0  # of the list when it began
        self._next: ArbRoute | None = None  # the one that it stands at
        self.left = 0  #: routes that are still to be looked at

    def begin(self) -> None:
        """Everything that they share has changed: each is to be looked at once from now on."""
        size = len(self._routes())
        if size != self._size or self._at >= size:
            self._at = self._first
        self._size = size
        self.left = max(0, size - self._first)
        self._note_next()

    def take(self, most: int) -> Sequence[ArbRoute]:
        """The next ones, ``most`` at most; none where nothing is left."""
        routes = self._routes()
        if len(routes) != self._size or (self.left and routes[self._at] is not self._next):
            self._at = len(routes)  # some came or went: where it stands means nothing any more
            self.begin()
        taken = routes[self._at : self._at + min(most, self.left)]
        self.left -= len(taken)
        self._at += len(taken)
        if self._at >= len(routes):
            self._at = self._first
        self._note_next()
        return taken

    def _note_next(self) -> None:
        self._next = self._routes()[self._at] if self.left else None
