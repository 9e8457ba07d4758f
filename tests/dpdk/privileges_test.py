"""The bridge needs no root: the capabilities that the service's drop-in gives it are enough for each kind of port."""
import pathlib
import re
import shutil
import unittest

from addresses import BRIDGE_V4, BRIDGE_V6
from namespaces import Cable, needs_namespaces
from running_dpdk import AF_PACKET, AF_XDP, CAME_BACK, DpdkBridge

DROP_IN = pathlib.Path(__file__).resolve().parents[2] / "deploy" / "viaduct-dpdk.conf"
NOBODY = 65534


def restrained():
    """What runs a command as nobody, with the drop-in's capabilities and no others."""
    names = re.search(r"^AmbientCapabilities=(.*)$", DROP_IN.read_text(), re.MULTILINE)[1].split()
    these = ",".join("+" + name.removeprefix("CAP_").lower() for name in names)
    return ["setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "--inh-caps", f"-all,{these}",
            "--ambient-caps", f"-all,{these}", "--bounding-set", f"-all,{these}", "--no-new-privs"]


@needs_namespaces
@unittest.skipUnless(shutil.which("setpriv"), "there is no setpriv (util-linux)")
class Privileges(unittest.TestCase):
    def assert_enough(self, cable, *words, **more):
        with DpdkBridge(cable, *words, prefix=restrained(), **more) as bridge:
            status = pathlib.Path(f"/proc/{bridge.pid}/status").read_text()
            self.assertEqual(re.search(r"^Uid:\t(\d+)", status, re.MULTILINE)[1], str(NOBODY))
            self.assertEqual(bridge.is_ready(), True)
            for address in (BRIDGE_V4, BRIDGE_V6):
                cable.peer.run("ping", "-c", "1", "-W", "5", address)
            self.assertEqual(bridge.stop(), 0, bridge.output)
            self.assertIn(CAME_BACK, bridge.output)
        self.assertNotIn("prog/xdp", cable.bridge.ip("link", "show", "media"), bridge.output)

    def test_of_the_drop_in_are_enough_for_af_packet(self):
        with Cable() as cable:
            self.assert_enough(cable, AF_PACKET)

    def test_of_the_drop_in_are_enough_for_af_xdp(self):
        with Cable() as cable:
            self.assert_enough(cable, AF_XDP)

    def test_of_the_drop_in_are_enough_for_a_tap_device(self):
        with Cable() as cable:
            self.assert_enough(cable, AF_PACKET, "--dpdk-kernel", "tap", page_address=BRIDGE_V4)

    def test_of_the_drop_in_are_enough_for_a_filtered_interface(self):
        with Cable() as cable:
            cable.give_address(cable.bridge, "media", BRIDGE_V4, BRIDGE_V6)
            self.assert_enough(cable, AF_XDP, "--dpdk-kernel", "xdp", page_address=BRIDGE_V4)

    def test_of_the_drop_in_do_not_suffice_to_take_away_what_a_killed_bridge_left(self):
        with Cable() as cable:
            with DpdkBridge(cable, AF_XDP) as bridge:
                bridge.process.kill()
                bridge.wait()
            with DpdkBridge(cable, AF_XDP, prefix=restrained(), wait=False) as bridge:
                self.assertGreater(bridge.wait(), 0)
                self.assertIn("take it away by 'ip link set dev media xdp off'", bridge.output)
            cable.bridge.ip("link", "set", "dev", "media", "xdp", "off")
            self.assert_enough(cable, AF_XDP)


if __name__ == "__main__":
    unittest.main()
