"""The words of the domain: markets, books, orders, fills, money, time and chance. No I/O, nothing above it imported."""
