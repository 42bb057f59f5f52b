"""What Korean law and banks ask of every venue of won (``docs/limits.md`` cites the rules)."""

from decimal import Decimal

from arbtui.exchanges.networks import Rails

#: Won paid in is locked, and the travel rule holds from 1,000,000 KRW on.
KOREAN = Rails("KRW", 24.0, 72.0, Decimal(1_000_000))
