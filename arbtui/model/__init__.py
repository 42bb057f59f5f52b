"""The domain's types: markets, books, orders, fills, money, time and randomness. No I/O; imports nothing above it."""
