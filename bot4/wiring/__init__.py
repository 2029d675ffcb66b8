"""Opens the real things and brings them together: the only room that knows venues and libraries."""
