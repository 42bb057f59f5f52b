"""The local OKX (okx.com/docs-v5, spot): REST with signatures, the public and the private WebSocket."""
