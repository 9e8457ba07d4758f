"""What an operator sees of a bridge on DPDK: metrics, DPDK's telemetry, the log at the end."""
import json
import pathlib
import shutil
import socket
import subprocess
import tempfile
import unittest

from addresses import BRIDGE_V4
from namespaces import Cable, needs_namespaces
from running_dpdk import AF_PACKET, AF_XDP, CAME_BACK, DpdkBridge


def ask_telemetry(folder, *commands):
    """Answers of DPDK's telemetry socket below a runtime directory."""
    path, = pathlib.Path(folder).rglob("dpdk_telemetry.v2")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
        connection.settimeout(20)
        connection.connect(str(path))
        longest = json.loads(connection.recv(1024))["max_output_len"]
        for command in commands:
            connection.send(command.encode())
            yield json.loads(connection.recv(longest))[command.split(",")[0]]


@needs_namespaces
class Operation(unittest.TestCase):
    @unittest.skipUnless(shutil.which("promtool"), "promtool is not installed")
    def test_metrics_are_such_as_promtool_accepts(self):
        with Cable() as cable, DpdkBridge(cable, AF_PACKET, "--dpdk-kernel", "tap") as bridge:
            checked = subprocess.run(["promtool", "check", "metrics"], input=bridge.ask("/metrics"), text=True,
                                     stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            self.assertEqual(checked.returncode, 0, checked.stdout)

    def test_telemetry_counts_what_the_metrics_count(self):
        with tempfile.TemporaryDirectory(prefix="viaduct-dpdk-") as folder, Cable() as cable:
            with DpdkBridge(cable, AF_XDP, "--dpdk-telemetry", "true", runtime_directory=folder) as bridge:
                cable.peer.run("ping", "-c", "5", "-i", "0.1", "-W", "5", BRIDGE_V4)
                ours, ports = ask_telemetry(folder, "/viaduct/io", "/ethdev/stats,0")
                self.assertEqual(ours["dpdk_frames_total_0_echo"], 5)
                self.assertGreaterEqual(ports["ipackets"], 5)
                self.assertEqual(bridge.count("viaduct_dpdk_frames_total", kind="echo"), 5)
                self.assertEqual(bridge.stop(), 0, bridge.output)
                self.assertIn(CAME_BACK, bridge.output)

    def test_there_is_no_telemetry_unless_it_is_asked_for(self):
        with tempfile.TemporaryDirectory(prefix="viaduct-dpdk-") as folder, Cable() as cable:
            with DpdkBridge(cable, AF_XDP, runtime_directory=folder):
                self.assertEqual(list(pathlib.Path(folder).rglob("*telemetry*")), [])


if __name__ == "__main__":
    unittest.main()
