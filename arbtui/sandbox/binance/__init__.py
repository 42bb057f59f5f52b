"""The local Binance spot exchange (developers.binance.com, Spot): REST, market streams, and the WebSocket API with user data."""
