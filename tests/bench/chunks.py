"""What both sides of the comparison answer on a pipe: prepare a chunk (untimed), play it (timed), tell the decisions.

Standard library only, like everything that the peer's environment imports.
"""

import gc
import json
import os
import resource
import sys
from collections.abc import Callable, Sequence
from time import perf_counter, thread_time
from typing import Any, Protocol

from tests.bench.workload import Decision, Update, Workload


class Side(Protocol):
    """A program under comparison, over one workload."""

    def opening(self, workload: Workload) -> None:
        """Take every book whole."""
        ...

    def prepare(self, updates: Sequence[Update]) -> Sequence[Any]:
        """The updates in the form in which this side receives them: its own objects, or bytes."""
        ...

    def play(self, items: Sequence[Any]) -> None:
        """Take them one by one, each to its decision."""
        ...

    def decisions(self) -> list[Decision]:
        """What was decided since the last question; ``seq`` counts the updates since the opening, from 0."""
        ...

    def facts(self) -> dict[str, str]:
        """Versions, for the table."""
        ...


def serve(build: Callable[[Workload, str], Side]) -> None:
    """The child's whole life: ``MODE SYMBOLS SEED [WITHOUT]`` as arguments, then commands on standard input until it ends."""
    mode, symbols, seed, without = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), "".join(sys.argv[4:])
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints is no answer
    workload = Workload(mode, symbols, seed)
    side = build(workload, without)
    side.opening(workload)
    items: Sequence[Any] = ()
    for line in sys.stdin:
        command, _, argument = line.strip().partition(" ")
        answer: dict[str, Any] = {}
        if command == "prepare":
            items = side.prepare(workload.updates(int(argument)))
        elif command == "warm":  # as the product does once it runs: what there is by now is there to stay
            items = ()
            gc.collect()
            gc.freeze()
            kilobyte = 1 if sys.platform == "darwin" else 1024  # getrusage counts in bytes there
            answer = {"peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * kilobyte / 1e6}
        elif command == "play":
            wall, cpu = perf_counter(), thread_time()
            side.play(items)
            answer = {"cpu_s": thread_time() - cpu, "wall_s": perf_counter() - wall, "decisions": side.decisions()}
        elif command == "facts":
            answer = dict(side.facts())
        print(json.dumps(answer), file=answers, flush=True)
