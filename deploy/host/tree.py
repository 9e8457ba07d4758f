"""The files of /sys and /proc below a root, which in tests is a made-up one."""
import dataclasses
import os
import pathlib
import subprocess


class Refusal(Exception):
    """What was asked for is not done; the text says why and what to do."""


@dataclasses.dataclass
class Fact:
    topic: str
    state: str  # OK, WARN (it works, worse) or MISSING (it does not work)
    text: str
    remedy: str = ""


class Tree:
    def __init__(self, root):
        self.root = pathlib.Path(root)

    def path(self, name):
        return self.root / str(name).lstrip("/")

    def exists(self, name):
        return self.path(name).exists()

    def read(self, name, default=""):
        """The text of a file without the newline at its end; the default where none can be read."""
        try:
            return self.path(name).read_text(errors="replace").strip()
        except OSError:
            return default

    def read_number(self, name, default=0):
        try:
            return int(self.read(name, ""), 0)
        except ValueError:
            return default

    def names(self, name):
        """What is in a folder, sorted; nothing where there is none."""
        try:
            return sorted(os.listdir(self.path(name)))
        except OSError:
            return []

    def link_target(self, name):
        """The last part of what a link points to; empty where there is none."""
        try:
            return os.path.basename(os.readlink(self.path(name)))
        except OSError:
            return ""

    def write(self, name, text):
        # As a shell's echo would: sysfs wants one write, and no file that is not there yet.
        fd = os.open(self.path(name), os.O_WRONLY | os.O_TRUNC)
        try:
            os.write(fd, f"{text}\n".encode())
        finally:
            os.close(fd)

    def run(self, *command):
        """Runs a program of the system; its complaint when it fails, else an empty text."""
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return "" if done.returncode == 0 else done.stdout.strip() or f"{command[0]} failed"
