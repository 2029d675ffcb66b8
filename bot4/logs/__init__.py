"""Log lines: a closed list of events, JSON and pretty, secrets taken out last.

``events`` is the list, ``setup`` configures structlog, ``desk`` makes the lines, ``render`` writes
them as text, ``redact`` takes secrets out, ``sink`` puts them into a file, pipe or terminal.
"""
