"""Starts a program in a session of its own: ``python session.py terminal|none PROGRAM ARGS``.

With ``terminal`` the session has one that nobody looks at; what the program prints goes elsewhere.
With ``none`` it is as a system starts its services.
"""

from __future__ import annotations

import fcntl
import os
import pty
import sys
import termios

os.setsid()
if sys.argv[1] == "terminal":
    person, ours = pty.openpty()
    fcntl.ioctl(ours, termios.TIOCSCTTY, 0)
    os.set_inheritable(person, True)
os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606
