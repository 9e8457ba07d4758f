"""The installed bridge, the quickstart and the files that start or watch a bridge, run for real on loopback."""
import http.server
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.request

from project import BUILD, ROOT, VIADUCT

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from ports import free_port  # noqa: E402


def loopback_options():
    """Options for a bridge that nobody else notices; its page's port is known beforehand."""
    page, admin = free_port(socket.SOCK_STREAM), free_port(socket.SOCK_STREAM)
    return ["--page-address", f"127.0.0.1:{page}", "--admin-address", f"127.0.0.1:{admin}", "--workers", "1",
            "--media-address", "127.0.0.1", "--media-port", str(free_port(socket.SOCK_DGRAM))]


def fetch(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


class Running:
    """A command that runs inside a with block, and its output as it comes. It is stopped, and judged, at the end."""

    def __init__(self, *command):
        self.command = [str(word) for word in command]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True)
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.rest, _ = self.process.communicate(timeout=60)

    def until(self, pattern):
        """Waits for a line that matches and returns the match."""
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if match := re.search(pattern, line):
                return match
        raise AssertionError(f"it ended without a line like {pattern}:\n{''.join(lines)}")


class Install(unittest.TestCase):
    def installed(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        subprocess.run(["cmake", "--install", BUILD, "--prefix", folder.name], check=True, stdout=subprocess.DEVNULL)
        return pathlib.Path(folder.name)

    def test_brings_the_program_the_page_and_the_configuration(self):
        prefix = self.installed()
        names = ["bin/viaduct", "share/viaduct/web/index.html", "etc/viaduct/viaduct.toml"]
        if (BUILD / "dpdk/xdp/media_filter.o").exists():  # not where the build found no libbpf
            names.append("share/viaduct/media_filter.o")
        for name in names:
            self.assertTrue((prefix / name).is_file(), name)
        config = prefix / "etc/viaduct/viaduct.toml"
        checked = subprocess.run([prefix / "bin/viaduct", "--config", config, "--check-config"])
        self.assertEqual(checked.returncode, 0)

    def test_gives_a_bridge_that_serves_its_own_page_and_stops_on_sigterm(self):
        prefix = self.installed()
        with (prefix / "share/viaduct/web/index.html").open("a") as page:
            page.write("<!-- the installed page -->")
        with Running(prefix / "bin/viaduct", *loopback_options()) as bridge:
            url = bridge.until(r"meeting page is at (\S+)")[1]
            self.assertIn("<!-- the installed page -->", fetch(url))
        self.assertEqual(bridge.process.returncode, 0, bridge.rest)

    def test_of_wrong_options_ends_with_one_sentence(self):
        done = subprocess.run([VIADUCT, "--workers", "99"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stdout, "")
        self.assertEqual(len(done.stderr.splitlines()), 1)
        self.assertIn("--workers: '99' is not allowed", done.stderr)


class Quickstart(unittest.TestCase):
    def test_explains_itself(self):
        done = subprocess.run([ROOT / "deploy/quickstart", "--help"], stdout=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 0)
        self.assertIn("--page-address", done.stdout)

    @unittest.skipUnless(BUILD == ROOT / "build/release", "the quickstart builds build/release")
    def test_runs_a_bridge_and_says_where_its_page_is(self):
        with Running(ROOT / "deploy/quickstart", *loopback_options()) as quickstart:
            url = quickstart.until(r"^The meeting page is at (\S+)")[1]
            self.assertIn("<html", fetch(url))
        self.assertEqual(quickstart.process.returncode, 0, quickstart.rest)
        with self.assertRaises(OSError):
            fetch(url)


class Healthcheck(unittest.TestCase):
    def status_when_livez_answers(self, code):
        class Livez(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(code if self.path == "/livez" else 404)
                self.end_headers()

            def log_message(self, *_):
                pass

        with http.server.HTTPServer(("127.0.0.1", 0), Livez) as server:
            threading.Thread(target=server.handle_request, daemon=True).start()
            return self.status(f"127.0.0.1:{server.server_port}")

    def status(self, address):
        return subprocess.run([ROOT / "deploy/healthcheck"], env={**os.environ, "VIADUCT_ADMIN_ADDRESS": address},
                              stderr=subprocess.DEVNULL, timeout=30).returncode

    def test_succeeds_when_the_bridge_lives(self):
        self.assertEqual(self.status_when_livez_answers(200), 0)

    def test_fails_when_the_bridge_says_no_or_nothing(self):
        self.assertNotEqual(self.status_when_livez_answers(503), 0)
        self.assertNotEqual(self.status(f"127.0.0.1:{free_port(socket.SOCK_STREAM)}"), 0)


class Units(unittest.TestCase):
    def verify(self, *drop_ins):
        with tempfile.TemporaryDirectory() as folder:
            unit = pathlib.Path(folder, "viaduct.service")
            text = (ROOT / "deploy/viaduct.service").read_text()
            unit.write_text(text.replace("/usr/local/bin/viaduct", str(VIADUCT)))
            for drop_in in drop_ins:
                unit.with_suffix(".service.d").mkdir(exist_ok=True)
                shutil.copy(ROOT / "deploy" / drop_in, unit.with_suffix(".service.d"))
            done = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True)
        for file in ("viaduct.service", *drop_ins):
            self.assertNotIn(file, done.stdout)
        self.assertEqual(done.returncode, 0, done.stdout)

    @unittest.skipUnless(shutil.which("systemd-analyze"), "systemd is not installed")
    def test_service_is_one_that_systemd_understands(self):
        self.verify()

    @unittest.skipUnless(shutil.which("systemd-analyze"), "systemd is not installed")
    def test_service_may_have_hardware(self):
        self.verify("viaduct-gpu.conf", "viaduct-dpdk.conf")

    def test_compose_file_gives_options_that_the_bridge_knows(self):
        command = re.search(r"command: (\[.*\])", (ROOT / "deploy/compose.yaml").read_text())[1]
        done = subprocess.run([VIADUCT, *json.loads(command), "--check-config"])
        self.assertEqual(done.returncode, 0)


if __name__ == "__main__":
    unittest.main()
