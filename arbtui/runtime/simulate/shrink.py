"""Makes a story that breaks something shorter: faults are left out as long as the same invariant breaks."""

from collections.abc import Callable
from dataclasses import replace

from arbtui.runtime.simulate.play import Played, StoryOptions, play

#: So often is a story played again, at most.
_MOST_PLAYS = 60


def shrink(options: StoryOptions, played: Played, play_again: Callable[[StoryOptions], Played] = play) -> Played:
    """The shortest story found in which ``played``'s invariant breaks: first halves of the faults are left out, then one at a time."""
    assert played.broken is not None
    invariant, best, plays = played.broken[0], played, 0
    numbers = [fault.number for fault in played.drawn if fault.number in played.fired_numbers]
    numbers = numbers or [fault.number for fault in played.drawn]
    size = len(numbers)
    while plays < _MOST_PLAYS:
        shorter = None
        for start in range(0, len(numbers), max(1, size)):
            left = numbers[:start] + numbers[start + max(1, size) :]
            again = play_again(replace(options, only=tuple(left)))
            plays += 1
            if again.broken is not None and again.broken[0] == invariant:
                shorter, best = left, again
                break
            if plays >= _MOST_PLAYS:
                break
        if shorter is not None:
            numbers = shorter
            size = min(size, max(1, len(numbers)))
            if not numbers:
                break
        elif size <= 1:
            break
        else:
            size = max(1, size // 2)
    return best
