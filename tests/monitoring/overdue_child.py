"""The real program, told of what is not delivered after one second and not after a minute: nobody waits a minute in a test."""

import sys

from arbtui.cli import main
from arbtui.monitoring import alert_rules

alert_rules.OVERDUE_S = 1.0

if __name__ == "__main__":
    sys.exit(main())
