"""Nothing reaches a file: H1 while a conference runs, H4 when the bridge crashes under load."""
import pathlib
import re
import subprocess
import tempfile
import unittest

import restraint
from running import CRASHES, Bot, Bridge, Process, needs_root, send_signal, throughout, until

# What changes files or makes them, and the ways around system calls.
TRACED = ("open,openat,openat2,creat,mknod,mknodat,mkdir,mkdirat,truncate,link,linkat,symlink,symlinkat,"
          "rename,renameat,renameat2,io_uring_setup,execve,execveat,open_by_handle_at")
OPENED_FOR_READING = re.compile(r"\bopen(?:at2?)?\([^)]*?\bO_RDONLY\b(?![^)]*\b(?:O_CREAT|O_TRUNC|O_TMPFILE)\b)")
A_CALL = re.compile(r"^\d+\s+(?:\S+\s+)?(\w+)\(")


class Trace:
    """What strace sees of a process, all threads, from the moment it has attached to the end of the with block."""

    def __init__(self, pid):
        self.folder = tempfile.TemporaryDirectory(prefix="viaduct-strace-")
        self.log = pathlib.Path(self.folder.name) / "calls"
        self.strace = Process(["strace", "-f", "-qq", "-p", pid, "-e", f"trace={TRACED}", "-e", "signal=none",
                               "-o", self.log], stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        self.pid = pid

    def __enter__(self):
        try:
            until("strace has attached to every thread", self._is_attached)
        except BaseException:
            self.__exit__()
            raise
        return self

    def _is_attached(self):
        if self.strace.process.poll() is not None:
            raise AssertionError(f"strace ended: {self.strace.output}")
        tracers = [re.search(r"TracerPid:\s+(\d+)", status.read_text())[1]
                   for status in pathlib.Path(f"/proc/{self.pid}/task").glob("*/status")]
        return set(tracers) == {str(self.strace.pid)}

    def calls(self):
        return [line for line in self.log.read_text().splitlines() if A_CALL.match(line)]

    def __exit__(self, *_):
        self.strace.end()
        self.folder.cleanup()


def check_writes_no_file(trace):
    """Also what was tried in vain counts: the bridge has no reason to try."""
    wrong = [line for line in trace.calls() if not OPENED_FOR_READING.search(line)]
    if wrong:
        raise AssertionError("calls that make or change files: " + "; ".join(wrong[:5]))


def trace_a_conference(**bridge_options):
    """From ready on: somebody joins, they talk, they leave, the bridge is asked for all it tells."""
    with Bridge(**bridge_options) as bridge, Trace(bridge.pid) as trace:
        with Bot(bridge) as bot:
            bot.await_media()
            bot.hear("counts")
            bridge.metrics()
            bridge.ask("/v1/conferences")
            bot.next_counts()
            bot.hang_up()
        check_writes_no_file(trace)


@needs_root
class WhileAConferenceRuns(unittest.TestCase):
    def test_no_file_is_opened_for_writing_from_ready_on(self):
        trace_a_conference()

    def test_a_bridge_that_tries_to_write_a_file_is_found_out(self):
        with self.assertRaisesRegex(AssertionError, "calls that make or change files: .*recording"):
            trace_a_conference(sabotage="write_a_file")

    def test_a_file_cannot_be_written_even_by_code_that_tries(self):
        with Bridge(sabotage="write_a_file") as bridge:
            throughout(1.5, lambda: self.assertEqual(bridge.files(), []))
        with Bridge("--hardening", "false", sabotage="write_a_file") as bridge:
            until("the same code writes where nothing stops it", lambda: bridge.files() == ["recording"])


def place_of_cores(bridge):
    """The folder where this kernel would put a core; None when it hands cores to a program."""
    pattern = pathlib.Path("/proc/sys/kernel/core_pattern").read_text().strip()
    return None if pattern.startswith("|") else pathlib.Path(bridge.folder.name, pattern).parent


def crash_under_load(number, *options):
    """The names of the files that came to be where cores would be."""
    with Bridge(*options, restrain=restraint.allow_core_dumps) as bridge, Bot(bridge) as bot:
        bot.await_media()
        place = place_of_cores(bridge)
        before = set(place.iterdir())
        send_signal(bridge, number)
        status = bridge.wait()
        if status != -number:
            raise AssertionError(f"the bridge ended with {status}, not by signal {number.name}")
        return sorted(path.name for path in set(place.iterdir()) - before)


def check_leaves_nothing(number, *options):
    left = crash_under_load(number, *options)
    if left:
        raise AssertionError(f"{number.name} left {left}")


@needs_root
@unittest.skipIf(pathlib.Path("/proc/sys/kernel/core_pattern").read_text().startswith("|"),
                 "this kernel hands core dumps to a program: nothing can be seen of them in files")
class WhenItCrashes(unittest.TestCase):
    def test_no_crash_under_load_leaves_a_file(self):
        for number in CRASHES:
            with self.subTest(signal=number.name):
                check_leaves_nothing(number)

    def test_a_bridge_that_leaves_a_core_is_found_out(self):
        with self.assertRaisesRegex(AssertionError, "SIGSEGV left .*core"):
            check_leaves_nothing(CRASHES[0], "--hardening", "false")


if __name__ == "__main__":
    unittest.main()
