"""Routes that wait to be looked at, a slice at a time, so that the loop has its turn between."""

from collections.abc import Callable, Sequence

from arbtui.routes.route import ArbRoute


class Sweep:
    """The look at each route of a list that a change of what they share asks for.

    It goes round. A change that comes before the last was looked at has each looked at once more, beginning where it stands: where changes
    come faster than a sweep takes, none is passed over for good.

    Args:
        routes: the list as it is now.
    """

    def __init__(self, routes: Callable[[], Sequence[ArbRoute]]) -> None:
        self._routes = routes
        self._first = 0
        self._at = 0
        self._size = 0  # of the list when it began
        self._next: ArbRoute | None = None  # the one that it stands at
        self.left = 0  #: routes that are still to be looked at

    def begin(self, first: int = 0) -> None:
        """Everything that they share has changed: each is to be looked at once from now on, but for the ``first`` ones, which were."""
        size = len(self._routes())
        if not self.left or size != self._size or not first <= self._at < size:
            self._at = first
        self._first, self._size = first, size
        self.left = max(0, size - first)
        self._note_next()

    def ahead(self, most: int) -> Sequence[ArbRoute]:
        """The next ones, ``most`` at most; none where nothing is left. They are left until they are :meth:`passed`."""
        routes = self._routes()
        if len(routes) != self._size or (self.left and routes[self._at] is not self._next):
            self.left = 0  # some came or went: where it stands means nothing any more, nor which were looked at
            self.begin()
        return routes[self._at : self._at + min(most, self.left)]

    def passed(self, count: int) -> None:
        """The first ``count`` of those :meth:`ahead` were looked at."""
        self.left -= count
        self._at += count
        if self._at >= self._size:
            self._at = self._first
        self._note_next()

    def _note_next(self) -> None:
        self._next = self._routes()[self._at] if self.left else None
