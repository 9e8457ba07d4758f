"""Packets in real huge pages, which deploy/host/dpdk reserves for the test and gives back."""
import pathlib
import re
import subprocess
import tempfile
import unittest

from namespaces import Cable, needs_namespaces
from running_dpdk import AF_PACKET, AF_XDP, CAME_BACK, DpdkBridge, Load

TOOL = pathlib.Path(__file__).resolve().parents[2] / "deploy" / "host" / "dpdk"
PAGES = pathlib.Path("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages")
MIB = 100  # more than a bridge of one worker with a small pool takes
SPARE_MIB = 1024


def free_mib():
    return int(re.search(r"MemAvailable: +(\d+)", pathlib.Path("/proc/meminfo").read_text())[1]) >> 10


@needs_namespaces
class HugePages(unittest.TestCase):
    def setUp(self):
        if not PAGES.exists() or PAGES.read_text().strip() != "0":
            self.skipTest("this kernel has no pages of 2 MiB, or somebody uses them")
        if free_mib() < SPARE_MIB:
            self.skipTest(f"less than {SPARE_MIB} MiB of memory are free")
        folder = tempfile.TemporaryDirectory(prefix="viaduct-dpdk-")
        self.addCleanup(folder.cleanup)
        self.state = ["--state", f"{folder.name}/state.json"]
        self.addCleanup(self.give_back)
        self.tool("prepare", "--memory", str(MIB), "--yes")

    def tool(self, *words):
        return subprocess.run([TOOL, *words, *self.state], check=True, stdout=subprocess.PIPE, text=True).stdout

    def give_back(self):
        self.tool("undo")
        self.assertEqual(PAGES.read_text(), "0\n")

    def test_hold_the_packets_of_a_conference(self):
        self.assertRegex(self.tool("check", "--memory", str(MIB)), r"OK +huge pages +100 MiB free")
        for ports in (AF_PACKET, AF_XDP):
            with Cable() as cable, DpdkBridge(cable, ports, "--dpdk-huge-pages", "on") as bridge:
                self.assertIn("MiB in huge pages", bridge.output)
                in_use = re.search(r"HugePages_Free: +(\d+)", pathlib.Path("/proc/meminfo").read_text())
                self.assertTrue(in_use is None or int(in_use[1]) < MIB // 2)
                load = Load(cable, "--participants", 3, "--senders", 1, "--audio-senders", 3, "--video-resolution",
                            "low", "--duration", 2)
                self.assertEqual(load.code, 0, load.output + bridge.output)
                self.assertEqual(load.json["received"]["lost"]["bridge"], 0)
                self.assertEqual(bridge.stop(), 0, bridge.output)
                self.assertIn(CAME_BACK, bridge.output)


if __name__ == "__main__":
    unittest.main()
