"""What is wrong with the configuration or the host is said in one sentence, before anything is served."""
import pathlib
import unittest

from namespaces import Cable, needs_namespaces
from running_dpdk import AF_PACKET, AF_XDP, DpdkBridge

PCI = pathlib.Path("/sys/bus/pci/devices")


def card_of_the_kernel():
    """The PCI address of a network card that has a driver of the kernel's; None where there is none."""
    usable = {"vfio-pci", "uio_pci_generic", "igb_uio", "mlx4_core", "mlx5_core", "mana"}
    for device in sorted(PCI.glob("*")):
        driver = device / "driver"
        is_network = (device / "class").read_text().startswith("0x02")
        if is_network and driver.exists() and driver.resolve().name not in usable:
            return device.name
    return None


@needs_namespaces
class Start(unittest.TestCase):
    def assert_refused(self, sentence, ports, *options, **more):
        with Cable() as cable, DpdkBridge(cable, ports, *options, wait=False, **more) as bridge:
            self.assertNotEqual(bridge.wait(), 0, bridge.output)
            self.assertGreater(bridge.wait(), 0, f"ended by a signal:\n{bridge.output}")
            self.assertIn(sentence, bridge.output)

    def test_needs_a_port(self):
        self.assert_refused("dpdk-ports", "")

    def test_needs_an_interface_that_exists(self):
        self.assert_refused("there is no network interface nowhere", "net_af_packet0,iface=nowhere")
        self.assert_refused("there is no network interface 'nowhere'", "net_af_xdp0,iface=nowhere")

    def test_needs_a_driver_that_exists(self):
        self.assert_refused("the port net_bagpipe0 cannot be made", "net_bagpipe0")

    def test_needs_a_card_that_exists(self):
        self.assert_refused("there is no PCI device 0000:ff:1f.7", "0000:ff:1f.7")

    def test_does_not_take_a_card_from_the_kernel(self):
        card = card_of_the_kernel()
        if not card:
            self.skipTest("this machine has no PCI network card with a driver of the kernel's")
        self.assert_refused(f"the kernel uses the network card {card}", card)

    def test_needs_a_queue_pair_for_each_worker(self):
        self.assert_refused("the ports have 1 queue pair(s) for 2 workers", AF_PACKET, workers=2)

    def test_needs_the_huge_pages_that_were_asked_for(self):
        if any(int(path.read_text()) for path in pathlib.Path("/sys/kernel/mm/hugepages").glob("*/free_hugepages")):
            self.skipTest("this machine has huge pages")
        self.assert_refused("dpdk-huge-pages is 'on'", AF_PACKET, "--dpdk-huge-pages", "on")

    def test_does_not_share_an_interface_with_another_af_xdp_port(self):
        self.assert_refused("another af_xdp port", f"{AF_XDP} net_af_xdp1,iface=media,start_queue=1", workers=2)

    def test_filters_for_the_kernel_on_af_xdp_ports_alone(self):
        self.assert_refused("dpdk-kernel 'xdp' is for af_xdp ports", AF_PACKET, "--dpdk-kernel", "xdp")


if __name__ == "__main__":
    unittest.main()
