"""``arbtui supervise`` whose first engine is ``tests.lifecycle.stuck_child``: ``-m tests.lifecycle.stuck_supervised KIND FOLDER ARGS``."""

import sys
from collections.abc import Sequence

from arbtui.cli import main
from arbtui.runtime.supervisor import supervisor

if __name__ == "__main__":
    kind, marks = sys.argv[1:3]
    del sys.argv[1:3]
    usual, made = supervisor.engine_command, 0

    def engine_command(arguments: Sequence[str]) -> list[str]:
        """The first command, of the two that are made, is the one that hangs."""
        global made
        made += 1
        command = usual(arguments)
        return [*command[:2], "tests.lifecycle.stuck_child", kind, marks, *command[3:]] if made == 1 else command

    supervisor.engine_command = engine_command
    sys.exit(main())
