"""Real deaths: the process is killed and stopped at random moments; see ``scripts/killtest``."""
