"""What runs: short Trio tasks over the ports."""
