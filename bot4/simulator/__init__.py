"""Two venues in a box, speaking the real wire, so that the bot can be tried without money."""
