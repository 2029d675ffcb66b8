"""What we decide: pure functions of what was seen. No I/O, no clock, no chance."""
