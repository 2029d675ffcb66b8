"""bot4.yaml and .env, read into frozen values."""
