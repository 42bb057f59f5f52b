"""Market data: from received frames to order books, trades and the KRW/USDT rate; recordings."""
