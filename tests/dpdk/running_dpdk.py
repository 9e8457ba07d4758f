"""The bridge with io = "dpdk" in one namespace, and its callers in the other."""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import urllib.request

from addresses import BRIDGE_V4, BRIDGE_V6, CONTROL_BRIDGE

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "secrecy"))
from running import BUILD, BridgeProcess  # noqa: E402

PAGE, ADMIN, MEDIA = 8080, 9091, 10000
AF_PACKET = "net_af_packet0,iface=media"
AF_XDP = "net_af_xdp0,iface=media"
CAME_BACK = "all packet buffers came back"


def fetch(namespace, url):
    with namespace.inside(), urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


class DpdkBridge(BridgeProcess):
    """A bridge whose media address is on the cable; its page is on the other one, or at `page_address`."""

    def __init__(self, cable, ports, *options, page_address=CONTROL_BRIDGE, workers=1, wait=True, prefix=(),
                 runtime_directory=None):
        self.namespace, self.page_address = cable.bridge, page_address
        super().__init__(
            cable.bridge.command(
                *prefix, BUILD / "viaduct", "--io", "dpdk", "--dpdk-ports", ports, "--dpdk-addresses",
                f"{BRIDGE_V4}/24,{BRIDGE_V6}/64", "--page-address", f"{page_address}:{PAGE}", "--admin-address",
                f"127.0.0.1:{ADMIN}", "--media-port", MEDIA, "--workers", workers, "--packet-pool-packets", 4096,
                "--log-level", "debug", *options),
            stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT,
            env={**os.environ, "RUNTIME_DIRECTORY": runtime_directory} if runtime_directory else None)
        if wait:
            self.await_ready()

    def ask(self, path):
        return fetch(self.namespace, f"http://127.0.0.1:{ADMIN}{path}")

    def count(self, name, **labels):
        """The sum of a metric over all series that have these labels."""
        found = 0
        for line in self.ask("/metrics").splitlines():
            match = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line)
            if not match or match[1] != name:
                continue
            if labels.items() <= dict(re.findall(r'(\w+)="([^"]*)"', match[2] or "")).items():
                found += float(match[3])
        return found

    def stop(self):
        """Ends it by SIGTERM; its exit status."""
        self.process.terminate()
        return self.wait()


class Load:
    """One conference of viaduct-load in the peer's namespace, over and done."""

    def __init__(self, cable, *options, page_address=CONTROL_BRIDGE, seconds=120):
        with tempfile.TemporaryDirectory(prefix="viaduct-dpdk-") as folder:
            report = pathlib.Path(folder) / "report.json"
            command = cable.peer.command(BUILD / "viaduct-load", "--url", f"ws://{page_address}:{PAGE}", "--quiet",
                                         "--verify", "all", "--max-lateness", 10_000, "--json", report, *options)
            done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  text=True, timeout=seconds)
            self.code, self.output = done.returncode, done.stdout
            self.json = json.loads(report.read_text()) if report.exists() else None


