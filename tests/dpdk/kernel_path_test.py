"""What is not media reaches the kernel: HTTP over TCP on the bridge's own media address, while media flows."""
import threading
import unittest

from addresses import BRIDGE_V4, BRIDGE_V6
from namespaces import Cable, needs_namespaces
from running_dpdk import AF_PACKET, AF_XDP, CAME_BACK, PAGE, DpdkBridge, Load, fetch
from switch import Vlan

PEOPLE = ["--participants", 3, "--senders", 2, "--audio-senders", 3, "--video-resolution", "low", "--duration", 4]


@needs_namespaces
class KernelPath(unittest.TestCase):
    def assert_http_beside_media(self, cable, bridge):
        loads = []
        conference = threading.Thread(target=lambda: loads.append(Load(cable, *PEOPLE, page_address=BRIDGE_V4)))
        conference.start()
        pages = 0
        while conference.is_alive():
            page = fetch(cable.peer, f"http://{BRIDGE_V4}:{PAGE}/")
            self.assertIn("<html", page)
            pages += 1
            conference.join(0.2)  # the bridge lets one address ask only so often
        self.assertGreater(pages, 10)
        load = loads[0]
        self.assertEqual(load.code, 0, load.output + bridge.output)
        self.assertEqual(load.json["received"]["lost"]["bridge"], 0, load.json)
        self.assertGreater(bridge.count("viaduct_dpdk_port_frames_total", direction="in"), 300)
        for address in (BRIDGE_V4, BRIDGE_V6):
            cable.peer.run("ping", "-c", "1", "-W", "5", address)
        self.assertEqual(bridge.stop(), 0, bridge.output)
        self.assertIn(CAME_BACK, bridge.output)

    def test_is_a_tap_device_with_the_same_addresses(self):
        with Cable() as cable, DpdkBridge(cable, AF_PACKET, "--dpdk-kernel", "tap", page_address=BRIDGE_V4) as bridge:
            self.assertIn(BRIDGE_V4, cable.bridge.ip("addr", "show", "viaduct0"))
            self.assert_http_beside_media(cable, bridge)
            self.assertNotIn("viaduct0", cable.bridge.ip("link", "show"))

    def test_serves_a_tap_device_in_a_vlan(self):
        with Cable(Vlan(100)) as cable, DpdkBridge(cable, AF_PACKET, "--dpdk-kernel", "tap", "--dpdk-vlan", 100,
                                                  page_address=BRIDGE_V4) as bridge:
            self.assert_http_beside_media(cable, bridge)

    def test_is_the_interface_itself_where_a_filter_takes_media_alone(self):
        with Cable() as cable:
            cable.give_address(cable.bridge, "media", BRIDGE_V4, BRIDGE_V6)
            with DpdkBridge(cable, AF_XDP, "--dpdk-kernel", "xdp", page_address=BRIDGE_V4) as bridge:
                self.assertIn("media_filter", cable.bridge.ip("link", "show", "media"))
                self.assert_http_beside_media(cable, bridge)

    def test_leaves_the_interface_to_the_kernel_when_the_bridge_is_killed(self):
        with Cable() as cable:
            cable.give_address(cable.bridge, "media", BRIDGE_V4, BRIDGE_V6)
            with DpdkBridge(cable, AF_XDP) as bridge:
                bridge.process.kill()
                bridge.wait()
            cable.peer.run("ping", "-c", "1", "-W", "5", BRIDGE_V4)


if __name__ == "__main__":
    unittest.main()
