"""The one book of account: what every event of the journal means for balances, reservations, cycles, PnL and trading state."""
