"""Several workers on one port: the kernel spreads frames over queues as it likes, and each still finds its worker."""
import threading
import unittest

from addresses import MOVED_V4, PEER_V4
from namespaces import Cable, needs_namespaces
from running_dpdk import AF_PACKET, CAME_BACK, DpdkBridge, Load
from running import until
from switch import Translator

# More than one conference: the bridge puts them on different workers.
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

    def test_keep_clients_whose_address_changes(self):
        nat = Translator(PEER_V4, MOVED_V4)
        with Cable(nat, queues=2) as cable, DpdkBridge(cable, f"{AF_PACKET},qpairs=2", workers=2) as bridge:
            loads = []
            call = threading.Thread(target=lambda: loads.append(Load(cable, *PEOPLE[:-1], 15, "--max-loss", 100)))
            call.start()
            until("media flows", lambda: bridge.count("viaduct_io_packets_total", direction="out") > 500)
            nat.move()  # the client's next consent check comes from the new address, within six seconds
            until("everybody is reached at their new address",
                  lambda: len([port for port, datagrams in nat.received.items() if datagrams > 50]) == 12)
            handed_over = bridge.count("viaduct_dpdk_handed_over_total")
            until("their media goes on to its worker",
                  lambda: bridge.count("viaduct_dpdk_handed_over_total") > handed_over + 100)
            call.join()
            self.assertEqual(loads[0].code, 0, loads[0].output + bridge.output)
            self.assertEqual(bridge.stop(), 0, bridge.output)
            self.assertIn(CAME_BACK, bridge.output)


if __name__ == "__main__":
    unittest.main()
