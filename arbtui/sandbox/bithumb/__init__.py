"""The local Bithumb (apidocs.bithumb.com): REST with JWT, the public and the private WebSocket."""
