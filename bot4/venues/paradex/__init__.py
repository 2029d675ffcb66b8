"""Paradex, API v1: SNIP-12 signed REST, and a WebSocket in JSON or SBE."""
