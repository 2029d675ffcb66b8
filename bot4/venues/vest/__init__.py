"""Vest, API v2: wallet-signed REST and the ``ws-api`` WebSocket."""
