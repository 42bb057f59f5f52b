"""A round through many that come and go, a few at a time, so that nothing that is due of all of them holds the loop."""

from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Round(Generic[T]):
    """What has waited longest comes first, what is new last. Nothing here takes longer where there are more.

    Args:
        is_over: of one that has gone for good: it comes no more.
    """

    def __init__(self, is_over: Callable[[T], bool]) -> None:
        self._is_over = is_over
        self._order: deque[T] = deque()  # a dict of thousands takes a ms to grow; those that are over are met, and left out, by and by
        self.left = 0  #: how many are still to come at most

    def __len__(self) -> int:
        return len(self._order)

    def add(self, one: T) -> None:
        """It comes last."""
        self._order.append(one)
        if not self.left:  # two are looked at for one that comes, so that no more than half are over
            self.left = 2
            self.take(2)
            self.left = 0

    def begin(self) -> None:
        """All of them are to come once from now on, in the order of their last turns."""
        self.left = len(self._order)

    def take(self, most: int) -> list[T]:
        """The next ones, ``most`` at most; fewer, or none, where it meets many that are over."""
        taken: list[T] = []
        order = self._order
        for _ in range(min(self.left, len(order), 8 * most)):
            if len(taken) == most:
                break
            self.left -= 1
            if not self._is_over(one := order.popleft()):
                order.append(one)
                taken.append(one)
        return taken
