"""How each venue speaks. Sans-IO: bytes in, values out; no clock, no socket, no chance."""
