"""Whole universes from one seed: the bot, both venues, faults, deaths and restarts, in memory."""
