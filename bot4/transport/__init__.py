"""The doors: HTTP, WebSocket, TLS and the real world behind ``ports.World``."""

from __future__ import annotations

import sys

# httpx imports its own command line program when it can (click, rich, pygments): 180 ms and 7 MB
# at every start, for something that is never run here. An absent module is a case it handles.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
