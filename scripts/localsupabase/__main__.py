"""Serve a local Supabase until Ctrl+C: ``.venv/bin/python scripts/localsupabase``.

Prints one line of JSON: what to put into the environment of a bot that is to use it.
"""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

import trio

if __name__ == "__main__":  # Run as a folder, we are not on the path.
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from localsupabase import Unavailable, open_gateway, open_stack
from localsupabase.gateway import SECRET_KEY


async def serve() -> None:
    """Start everything, say where it is, wait."""
    with open_stack() as stack:
        async with open_gateway(stack, stack.folder) as gateway:
            where = {
                "SUPABASE_URL": gateway.url,
                "SUPABASE_SECRET_KEY": SECRET_KEY,
                "SSL_CERT_FILE": str(gateway.ca_file),
                "psql": f"{stack.binaries / 'psql'} -h {stack.folder} -U postgres",
            }
            print(json.dumps(where), flush=True)
            with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM, signal.SIGHUP) as asked:
                async for _ in asked:
                    return


def main() -> None:
    """Run until Ctrl+C."""
    try:
        trio.run(serve)
    except Unavailable as fault:
        sys.exit(str(fault))
    except KeyboardInterrupt:
        return


main()
