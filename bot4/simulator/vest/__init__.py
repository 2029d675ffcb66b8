"""The Vest face of the simulator: REST and WebSocket as the v2 API documents them."""
