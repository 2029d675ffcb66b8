"""Exhaustive exploration of the saga against two abstract venues."""
