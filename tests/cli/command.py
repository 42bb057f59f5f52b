"""Runs the command line as a shell would, or in this process where that is enough."""

from dataclasses import dataclass

import pytest

from arbtui.cli import run as command_line
from tests import warm_start


@dataclass(frozen=True, slots=True)
class Answer:
    code: int
    out: str
    err: str


def in_shell(*arguments: str, module: str = "arbtui", cold: bool = False) -> Answer:
    """A process of its own, without a terminal and without input; ``cold`` as in tests/warm_start.py."""
    return Answer(*warm_start.run(module, *arguments, within=150, cold=cold))


class Here:
    """In this process: the same parsing, the same errors, in a few milliseconds."""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self._capture = capture

    def __call__(self, *arguments: str) -> Answer:
        code = command_line.run(arguments)
        told = self._capture.readouterr()
        return Answer(code, told.out, told.err)
