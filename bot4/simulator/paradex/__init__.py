"""Paradex in a box: REST, WebSocket, SBE and Starknet checks over the shared venue."""
