"""What every test can count on."""

from __future__ import annotations

import signal

# A shell that starts tests in its background has them, and all that they start, ignore Ctrl-C; some are about Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)
