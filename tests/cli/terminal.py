"""Run the command on a terminal of a given size, and what the terminal then shows."""
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios

from command import KLDVE


def run_on_terminal(*args, cwd=None, columns=80, rows=24, env=None):
    """The exit status, and everything that was written, standard output and error together."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    process = subprocess.Popen(
        [KLDVE, *args], cwd=cwd, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs,
        env={**os.environ, "TERM": "xterm", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8", **(env or {})})
    os.close(theirs)
    written = b""
    while True:
        try:
            piece = os.read(ours, 1 << 16)
        except OSError:  # the other side is closed
            break
        if not piece:
            break
        written += piece
    os.close(ours)
    return process.wait(), written.decode("utf-8").replace("\r\n", "\n")


def drawings(written):
    """Every state of the progress line, in the order of time."""
    return [line.split("\n")[0] for line in written.split("\r\033[K") if line.split("\n")[0]]


def final(written):
    """What the terminal shows at the end: of each line what follows its last return."""
    return "\n".join(re.split("\r(?:\033\\[K)?", line)[-1] for line in written.split("\n"))
