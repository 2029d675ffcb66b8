"""What the bot promises to be quick at, measured on this machine."""
