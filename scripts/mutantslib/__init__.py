"""Bugs that others shipped, planted one by one; the tests have to notice each."""
