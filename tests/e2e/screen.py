"""A terminal for tests: runs a program on a pty and keeps the screen that it draws.

It knows what ncurses sends for xterm-256color: cursor, erase, insert and delete, scrolling regions, repeat.
"""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time

CSI = re.compile(rb"\x1b\[([<=>?]?)([0-9;:]*)([ !\"$'*]?)([@-~])")
OSC = re.compile(rb"\x1b[\]PX^_].*?(?:\x07|\x1b\\)", re.S)


class Screen:
    def __init__(self, rows=24, cols=80):
        self.rows, self.cols = rows, cols
        self.cell = [[" "] * cols for _ in range(rows)]
        self.y = self.x = 0
        self.top, self.bottom = 0, rows - 1
        self.rest = b""
        self.last = " "
        self.saved = (0, 0)
        self.in_frame = False  # between the two marks of a synchronised update

    def text(self):
        return "\n".join("".join(r).rstrip() for r in self.cell)

    def scroll(self, n, top=None):
        top = self.top if top is None else top
        for _ in range(abs(n)):
            if n > 0:
                del self.cell[top]
                self.cell.insert(self.bottom, [" "] * self.cols)
            else:
                del self.cell[self.bottom]
                self.cell.insert(top, [" "] * self.cols)

    def put(self, ch):
        if self.x >= self.cols:
            self.x = 0
            self.down()
        self.cell[self.y][self.x] = self.last = ch
        self.x += 1

    def down(self):
        if self.y == self.bottom:
            self.scroll(1)
        elif self.y < self.rows - 1:
            self.y += 1

    def csi(self, private, args, final):
        n = [int(a) if a else 0 for a in args.split(b";")] if args and b":" not in args else [0]
        one = max(n[0], 1)
        row = self.cell[self.y]
        if final == "m" or (private and final not in "hl"):
            return
        if final in "Hf":
            self.y, self.x = one - 1, (max(n[1], 1) if len(n) > 1 else 1) - 1
        elif final == "A":
            self.y -= one
        elif final == "B":
            self.y += one
        elif final == "C":
            self.x += one
        elif final == "D":
            self.x = min(self.x, self.cols - 1) - one
        elif final in "G`":
            self.x = one - 1
        elif final == "d":
            self.y = one - 1
        elif final == "J":
            lo, hi = {0: (self.y * self.cols + self.x, self.rows * self.cols),
                      1: (0, self.y * self.cols + self.x + 1)}.get(n[0], (0, self.rows * self.cols))
            for i in range(lo, hi):
                self.cell[i // self.cols][i % self.cols] = " "
        elif final == "K":
            lo, hi = {0: (self.x, self.cols), 1: (0, self.x + 1)}.get(n[0], (0, self.cols))
            row[lo:hi] = [" "] * (hi - lo)
        elif final == "X":
            hi = min(self.x + one, self.cols)
            row[self.x:hi] = [" "] * (hi - self.x)
        elif final == "P":
            del row[self.x:self.x + one]
            row += [" "] * (self.cols - len(row))
        elif final == "@":
            row[self.x:self.x] = [" "] * one
            del row[self.cols:]
        elif final == "L":
            self.scroll(-one, self.y)
        elif final == "M":
            self.scroll(one, self.y)
        elif final == "S":
            self.scroll(one)
        elif final == "T":
            self.scroll(-one)
        elif final == "b":
            for _ in range(one):
                self.put(self.last)
        elif final == "r":
            self.top = one - 1
            self.bottom = (n[1] if len(n) > 1 and n[1] else self.rows) - 1
            self.y = self.x = 0
        elif final in "hl" and private:
            if 2026 in n:
                self.in_frame = final == "h"
        self.y = min(max(self.y, 0), self.rows - 1)
        self.x = min(max(self.x, 0), self.cols)

    def control(self, c):
        if c == 0x0d:
            self.x = 0
        elif c == 0x0a:
            self.down()
        elif c == 0x08:
            self.x = max(min(self.x, self.cols - 1) - 1, 0)
        elif c == 0x09:
            self.x = min(self.x // 8 * 8 + 8, self.cols - 1)

    def escape(self, b, i):
        """One escape sequence at i: where it ends, or None when more bytes are needed."""
        if i + 1 >= len(b):
            return None
        c = b[i + 1:i + 2]
        if c == b"[":
            m = CSI.match(b, i)
            if not m:
                return None if len(b) - i < 64 else i + 2
            self.csi(m[1], m[2], m[4].decode())
            return m.end()
        if c in b"]PX^_":
            m = OSC.match(b, i)
            return m.end() if m else None
        if c in b"()*+#% ":
            return i + 3 if i + 2 < len(b) else None
        if c == b"7":
            self.saved = (self.y, self.x)
        elif c == b"8":
            self.y, self.x = self.saved
        elif c == b"M":
            if self.y == self.top:
                self.scroll(-1)
            else:
                self.y = max(self.y - 1, 0)
        elif c in b"DE":
            self.down()
        return i + 2

    def feed(self, data):
        b, i = self.rest + data, 0
        while i < len(b):
            if b[i] == 0x1b:
                end = self.escape(b, i)
                if end is None:
                    break
                i = end
            elif b[i] < 0x20:
                self.control(b[i])
                i += 1
            else:
                n = 1 if b[i] < 0x80 else 2 if b[i] < 0xe0 else 3 if b[i] < 0xf0 else 4
                if i + n > len(b):
                    break
                self.put(b[i:i + n].decode("utf-8", "replace"))
                i += n
        self.rest = b[i:]


class Terminal:
    def __init__(self, argv, rows=24, cols=80, cwd=None):
        self.screen = Screen(rows, cols)
        self.bytes = 0
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))
            os.environ.update(TERM="xterm-256color", LC_ALL="C.UTF-8")
            for name in ("COLUMNS", "LINES", "NO_COLOR"):
                os.environ.pop(name, None)
            if cwd:
                os.chdir(cwd)
            os.execv(argv[0], argv)

    def read(self, seconds):
        """What comes within that time; False when the program has closed its side."""
        until = time.monotonic() + seconds
        while True:
            left = until - time.monotonic()
            ready, _, _ = select.select([self.fd], [], [], max(left, 0))
            if not ready:
                return True
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                data = b""
            if not data:
                return False
            self.bytes += len(data)
            self.screen.feed(data)

    def text(self):
        return self.screen.text()

    def wait_text(self, want, seconds):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if re.search(want, self.text()):
                return True
            if not self.read(0.02):
                break
        return bool(re.search(want, self.text()))

    def key(self, keys):
        os.write(self.fd, keys.encode())

    def hang_up(self):
        """Close the terminal, as a lost connection does: the kernel sends SIGHUP."""
        os.close(self.fd)
        self.fd = -1

    def wait(self, seconds=10):
        """The exit code; negative: ended by that signal. None: it still runs."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.fd >= 0 and not self.read(0.02):
                os.close(self.fd)
                self.fd = -1
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.01)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        return None
