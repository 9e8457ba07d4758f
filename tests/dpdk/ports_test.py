"""A bridge on DPDK's virtual ports, on one end of a cable, and an ordinary Linux host on the other.

Each test runs once on af_packet and once on af_xdp."""
import shutil
import socket
import subprocess
import unittest

from addresses import BRIDGE_V4, BRIDGE_V6, PEER_V4
from frames import Wire, wrong_frames
from namespaces import Cable, needs_namespaces
from running_dpdk import AF_PACKET, AF_XDP, CAME_BACK, MEDIA, DpdkBridge, Load
from running import Process, until
from switch import Vlan

SEED = 20260
UNUSED_PORT = 9
PEOPLE = ["--participants", 3, "--senders", 2, "--audio-senders", 3, "--video-resolution", "low", "--duration", 3]


class Ports:
    """What holds on any port."""
    ports = None
    also_drops = ()

    def ping(self, cable, address, *options):
        """What came back of three pings."""
        text = cable.peer.run("ping", "-c", "3", "-i", "0.2", "-W", "5", *options, address)
        return int(text.split(" received")[0].split()[-1])

    def assert_intact(self, bridge, load):
        """Nothing of a conference was lost on its way through the bridge, or came out wrong."""
        self.assertEqual(load.code, 0, load.output + bridge.output)
        received = load.json["received"]
        self.assertGreater(received["packets"], 300)
        self.assertEqual(received["lost"]["bridge"], 0, load.json)
        for kind in load.json["kinds"].values():
            self.assertEqual(kind["received"]["corrupt"], 0)
            self.assertEqual(kind["received"]["verified"], kind["received"]["packets"])

    def assert_lossless(self, bridge, load):
        self.assert_intact(bridge, load)
        for name in ("dpdk_tx_dropped", "dpdk_hand_over_full", "dpdk_port_missed", "dpdk_split_frames", "io_pool_dry"):
            self.assertEqual(bridge.count(f"viaduct_{name}_total"), 0, name)

    def assert_ends_well(self, cable, bridge):
        self.assertEqual(bridge.stop(), 0, bridge.output)
        self.assertIn(CAME_BACK, bridge.output)
        self.assertNotIn("warning", bridge.output)
        self.assertNotIn("prog/xdp", cable.bridge.ip("link", "show", "media"), "nothing stays on the interface")

    def test_answers_pings_and_is_found_by_its_neighbours(self):
        with Cable() as cable, DpdkBridge(cable, self.ports):
            for address in (BRIDGE_V4, BRIDGE_V6):
                self.assertIsNone(cable.neighbour(address))
                self.assertEqual(self.ping(cable, address), 3)
                self.assertEqual(cable.neighbour(address)[0], cable.mac_of_bridge())
                self.assertEqual(self.ping(cable, address, "-s", "1400"), 3)

    def test_carries_a_conference_without_losing_a_packet(self):
        with Cable() as cable, DpdkBridge(cable, self.ports) as bridge:
            self.assert_lossless(bridge, Load(cable, *PEOPLE))
            self.assertGreater(bridge.count("viaduct_dpdk_port_frames_total", direction="in"), 300)
            self.assert_ends_well(cable, bridge)

    def test_speaks_in_a_vlan(self):
        with Cable(Vlan(100)) as cable, DpdkBridge(cable, self.ports, "--dpdk-vlan", 100) as bridge:
            self.assertEqual(self.ping(cable, BRIDGE_V4), 3)
            self.assertEqual(self.ping(cable, BRIDGE_V6), 3)
            self.assert_lossless(bridge, Load(cable, *PEOPLE))

    def test_does_not_hear_other_vlans(self):
        with Cable(Vlan(100)) as cable, DpdkBridge(cable, self.ports, "--dpdk-vlan", 200):
            with cable.peer.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
                plain.sendto(b"anybody there?", (BRIDGE_V4, UNUSED_PORT))
                until("nobody answers ARP", lambda: "FAILED" in cable.peer.ip("neigh", "show", BRIDGE_V4))

    def test_says_that_a_port_is_closed(self):
        with Cable() as cable, DpdkBridge(cable, self.ports), cable.peer.inside():
            for family, address in ((socket.AF_INET, BRIDGE_V4), (socket.AF_INET6, BRIDGE_V6)):
                with socket.socket(family, socket.SOCK_DGRAM) as plain:
                    plain.settimeout(20)
                    plain.connect((address, UNUSED_PORT))
                    plain.send(b"anybody there?")
                    self.assertRaises(ConnectionRefusedError, plain.recv, 100)

    def test_serves_on_under_thousands_of_malformed_frames(self):
        with Cable() as cable, DpdkBridge(cable, self.ports) as bridge:
            with cable.peer.inside(), Wire("media") as wire:
                sent = wire.send(wrong_frames(10_000, cable.mac_of_bridge(), MEDIA, SEED))
            self.assertEqual(sent, 10_000)
            self.assertEqual(self.ping(cable, BRIDGE_V4), 3)
            self.assertEqual(self.ping(cable, BRIDGE_V6), 3)
            for reason in ("malformed", "ip_checksum", "udp_checksum", "icmp_checksum", "other_vlan", *self.also_drops):
                self.assertGreater(bridge.count("viaduct_dpdk_frame_drops_total", reason=reason), 10, reason)
            self.assert_intact(bridge, Load(cable, *PEOPLE))
            self.assert_ends_well(cable, bridge)

    def test_serves_on_while_testpmd_floods_it(self):
        if not shutil.which("dpdk-testpmd"):
            self.skipTest("there is no dpdk-testpmd (dpdk-dev)")
        with Cable() as cable, DpdkBridge(cable, self.ports) as bridge:
            flood = cable.peer.command(
                "dpdk-testpmd", "--no-huge", "-m", "256", "--no-pci", "--no-shconf", "--no-telemetry", "--vdev",
                "net_af_packet0,iface=media", "--", "--auto-start", "--forward-mode=txonly", "--total-num-mbufs=8192",
                f"--eth-peer=0,{cable.mac_of_bridge()}", f"--tx-ip={PEER_V4},{BRIDGE_V4}", f"--tx-udp=40000,{MEDIA}")
            # It ends with its input.
            with Process(flood, stdin=subprocess.PIPE, stderr=subprocess.STDOUT) as testpmd:
                until("it floods", lambda: bridge.count("viaduct_dropped_packets_total", stage="demux") > 50_000)
                load = Load(cable, *PEOPLE, "--max-loss", 100)
                self.assertEqual(load.code, 0, load.output + bridge.output)
                self.assertGreater(load.json["received"]["packets"], 300)
                self.assertIsNone(testpmd.process.poll(), testpmd.output)
                testpmd.process.stdin.close()
            self.assert_intact(bridge, Load(cable, *PEOPLE))
            self.assert_ends_well(cable, bridge)

    def test_starts_again_after_it_was_killed(self):
        with Cable() as cable:
            with DpdkBridge(cable, self.ports) as bridge:
                bridge.process.kill()
                bridge.wait()
            with DpdkBridge(cable, self.ports):
                self.assertEqual(self.ping(cable, BRIDGE_V4), 3)

    def test_lets_polling_workers_spin(self):
        with Cable() as cable, DpdkBridge(cable, self.ports, "--io-wait", "poll") as bridge:
            self.assertEqual(self.ping(cable, BRIDGE_V4), 3)
            self.assert_ends_well(cable, bridge)


@needs_namespaces
class AfPacket(Ports, unittest.TestCase):
    ports = AF_PACKET  # the kernel puts fragments together for it


@needs_namespaces
class AfXdp(Ports, unittest.TestCase):
    ports = AF_XDP
    also_drops = ("fragment",)

    def test_warns_of_queues_that_nobody_listens_to(self):
        with Cable(queues=2) as cable, DpdkBridge(cable, self.ports) as bridge:
            self.assertIn("media spreads frames over 2 receive queues, of which 1 are the bridge's", bridge.output)


if __name__ == "__main__":
    unittest.main()
