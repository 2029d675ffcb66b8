"""What we talk about: pure values, no I/O, no clock."""
