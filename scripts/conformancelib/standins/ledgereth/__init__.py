"""A stand-in for a hardware wallet's driver that nothing here uses."""
