"""A bare machine in a folder, and the README's words run in it."""
