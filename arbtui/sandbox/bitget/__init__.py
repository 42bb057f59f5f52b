"""The sandbox's Bitget: spot of the classic account, REST v2 and WebSocket v2 (bitget.com/api-doc, 2025-11)."""
