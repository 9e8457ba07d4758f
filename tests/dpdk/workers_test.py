"""Several workers on one port: the kernel spreads frames over queues as it likes, and each still finds its worker."""
import unittest

from namespaces import Cable, needs_namespaces
from running_dpdk import AF_PACKET, CAME_BACK, DpdkBridge, Load

# Two conferences: the bridge puts them on different workers.
PEOPLE = ["--conferences", 4, "--participants", 3, "--senders", 1, "--audio-senders", 2, "--video-resolution", "low",
          "--duration", 4]


@needs_namespaces
class Workers(unittest.TestCase):
    def test_hand_over_what_arrives_on_the_wrong_queue(self):
        with Cable(queues=2) as cable, DpdkBridge(cable, f"{AF_PACKET},qpairs=2", workers=2) as bridge:
            load = Load(cable, *PEOPLE)
            self.assertEqual(load.code, 0, load.output + bridge.output)
            self.assertEqual(load.json["received"]["lost"]["bridge"], 0, load.json)
            self.assertGreater(load.json["received"]["packets"], 500)
            self.assertGreater(bridge.count("viaduct_dpdk_handed_over_total"), 100)
            self.assertEqual(bridge.count("viaduct_dpdk_hand_over_full_total"), 0)
            for worker in ("0", "1"):
                self.assertGreater(bridge.count("viaduct_io_packets_total", worker=worker, direction="out"), 100)
            self.assertEqual(bridge.stop(), 0, bridge.output)
            self.assertIn(CAME_BACK, bridge.output)


if __name__ == "__main__":
    unittest.main()
