"""What a failed leg costs: the bot's own rules and static policies on the same faulty trades."""
