"""Makes .venv what the locks say. Plain standard library: it runs before anything is installed."""
