"""The real bridge and its callers as processes on loopback: started, listened to, and ended by their own ids."""
import json
import os
import pathlib
import queue
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from ports import free_port  # noqa: E402

BUILD = pathlib.Path(os.environ.get("VIADUCT_BUILD", pathlib.Path(__file__).resolve().parents[2] / "build" / "release"))
PATIENCE = 40  # seconds until something that has to happen soon has not happened; the machine may be busy

needs_root = unittest.skipUnless(os.geteuid() == 0, "asks what root can see: run it as root")


def until(what, condition, seconds=PATIENCE):
    """Returns the first true value of `condition`, which is asked twenty times a second."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(0.05)
    return value


def throughout(seconds, check):
    """Runs `check` again and again for that long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        check()
        time.sleep(0.2)


def fetch(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


class Process:
    """A process with its output, line by line; it is over at the end of the with block."""

    def __init__(self, command, **options):
        self.lines = []
        self.process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True,
                                        errors="replace", **options)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    @property
    def pid(self):
        return self.process.pid

    @property
    def output(self):
        return "\n".join(self.lines)

    def _read(self):
        for line in self.process.stdout:
            self._take(line.rstrip("\n"))
        self._end_of_output()

    def _take(self, line):
        self.lines.append(line)

    def _end_of_output(self):
        pass

    def wait(self, seconds=PATIENCE):
        """Its exit status, minus the number of the signal that ended it."""
        status = self.process.wait(seconds)
        self.reader.join(seconds)
        return status

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.reader.join(PATIENCE)
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


class BridgeProcess(Process):
    """A bridge, wherever its ports are: ask() reaches its admin API."""

    def await_ready(self):
        try:
            until("the bridge is ready", self.is_ready)
        except BaseException:
            self.end()
            raise

    def is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the bridge ended at start:\n{self.output}")
        try:
            return self.ask("/readyz") == "ready\n"
        except (urllib.error.URLError, ConnectionError):
            return False

    def ask(self, path):
        raise NotImplementedError


class Bridge(BridgeProcess):
    """A bridge on free ports, in a folder of its own. `sabotage` names what it is tampered with (sabotage/*.c)."""

    def __init__(self, *options, sabotage=None, restrain=None, log_level="trace", wait=True):
        self.folder = tempfile.TemporaryDirectory(prefix="viaduct-secrecy-")
        self.page, self.admin = free_port(socket.SOCK_STREAM), free_port(socket.SOCK_STREAM)
        environment = {**os.environ, "HOME": self.folder.name}
        if sabotage:
            library = BUILD / "sabotage" / f"sabotage_{sabotage}.so"
            if not library.exists():
                raise FileNotFoundError(f"{library}: build the target sabotage first")
            environment["LD_PRELOAD"] = str(library)
        super().__init__(
            [BUILD / "viaduct", "--page-address", f"127.0.0.1:{self.page}", "--admin-address",
             f"127.0.0.1:{self.admin}", "--workers", "1", "--packet-pool-packets", "4096", "--media-address",
             "127.0.0.1", "--advertise", "127.0.0.1", "--media-port", free_port(socket.SOCK_DGRAM), "--log-level",
             log_level, *options],
            stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT, cwd=self.folder.name, env=environment,
            preexec_fn=restrain)
        if wait:
            self.await_ready()

    def ask(self, path):
        return fetch(f"http://127.0.0.1:{self.admin}{path}")

    def metrics(self):
        return self.ask("/metrics")

    def privacy(self, conference="call-bot"):
        """What /v1/conferences/{id}/privacy says; None while nobody is in the conference."""
        try:
            return json.loads(self.ask(f"/v1/conferences/{conference}/privacy"))
        except urllib.error.HTTPError as error:
            error.close()
            return None

    def files(self):
        """What it left in its folder."""
        return sorted(path.name for path in pathlib.Path(self.folder.name).rglob("*"))

    def end(self):
        super().end()
        self.folder.cleanup()


class Bot(Process):
    """Callers without a browser (tests/support/call_bot); they stay until hang_up()."""

    def __init__(self, bridge, *options, seconds=90):
        self.events = queue.Queue()
        self.seen = []
        super().__init__([BUILD / "call_bot", "--url", f"ws://127.0.0.1:{bridge.page}", "--stay", "--seconds",
                          seconds, *options], stdin=subprocess.PIPE)

    def _take(self, line):
        super()._take(line)
        self.events.put(json.loads(line))

    def _end_of_output(self):
        self.events.put({"event": "ended"})

    def hear(self, name, matches=lambda event: True, seconds=PATIENCE):
        """The first event of that name, past or to come, that matches."""
        for event in self.seen:
            if event["event"] == name and matches(event):
                return event
        return self._hear_new(name, matches, seconds)

    def next_counts(self, client=1):
        """What that client has sent and received, counted from now on at the earliest."""
        while not self.events.empty():
            self.seen.append(self.events.get())
        return self._hear_new("counts", lambda event: event["client"] == client, PATIENCE)

    def _hear_new(self, name, matches, seconds):
        end = time.monotonic() + seconds
        while True:
            try:
                event = self.events.get(timeout=max(0.01, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no event {name} within {seconds} s; heard:\n{self.output}") from None
            self.seen.append(event)
            if event["event"] == name and matches(event):
                return event
            if event["event"] in ("failed", "not-connected", "ended"):
                raise AssertionError(f"the callers failed: {event}; heard:\n{self.output}")

    def await_media(self):
        """Everybody is connected, and somebody hears or sees somebody."""
        self.hear("all-connected")
        self.hear("receiving")
        return self

    def secrets(self, client=1):
        return self.hear("secrets", lambda event: event["client"] == client)

    def hang_up(self):
        """Everybody leaves; whether each client understood all that it received."""
        self.process.stdin.close()
        return self.wait() == 0

    def end(self):
        if not self.process.stdin.closed:
            self.process.stdin.close()
        super().end()


def send_signal(process, number):
    os.kill(process.pid, number)


CRASHES = [signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGQUIT]
