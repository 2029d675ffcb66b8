"""Clients written by others, run against the simulated venues, one printed line a step."""
