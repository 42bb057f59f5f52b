"""The local Upbit (docs.upbit.com): REST with JWT, the public and the private WebSocket."""
