"""deploy/host/dpdk on made-up machines: trees of /sys and /proc that answer a write as the kernel would."""
import contextlib
import importlib.machinery
import importlib.util
import io
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from project import ROOT

TOOL = ROOT / "deploy" / "host" / "dpdk"
sys.path.insert(0, str(TOOL.parent))
from tree import Tree  # noqa: E402

LOADER = importlib.machinery.SourceFileLoader("host_dpdk", str(TOOL))
TOOL_MODULE = importlib.util.module_from_spec(importlib.util.spec_from_loader("host_dpdk", LOADER))
LOADER.exec_module(TOOL_MODULE)

CARD, OTHER_CARD = "0000:3b:00.0", "0000:3b:00.1"
PAGES = "sys/kernel/mm/hugepages/hugepages-2048kB"
NODE_PAGES = "sys/devices/system/node/node1/hugepages/hugepages-2048kB"
ROUTE_HEADER = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"


class Machine(Tree):
    """A made-up host. Writing to its files has the consequences that sysfs has."""

    def __init__(self, root):
        super().__init__(root)
        self.modules = {"vfio-pci"}
        self.most_pages = 1 << 20
        self.complaints = {}
        for name, text in {
            f"{PAGES}/nr_hugepages": "0", f"{PAGES}/free_hugepages": "0",
            "proc/cmdline": "BOOT_IMAGE=/vmlinuz root=/dev/sda1 quiet", "proc/sys/kernel/osrelease": "6.1.0",
            "proc/self/limits": "Max locked memory         unlimited            unlimited            bytes",
            "proc/net/route": ROUTE_HEADER, "proc/net/ipv6_route": "", "proc/1/comm": "systemd",
            "sys/devices/system/cpu/online": "0-7", "lib/modules/6.1.0/modules.dep": "kernel/vfio/pci/vfio-pci.ko: ",
            "sys/bus/pci/drivers_probe": ""}.items():
            self.put(name, text)

    def put(self, name, text):
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")

    def link(self, name, target):
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.symlink_to(self.path(target))

    def load_driver(self, name):
        self.put(f"sys/bus/pci/drivers/{name}/unbind", "")

    def add_card(self, card=CARD, driver="ice", interface="ens1", node=-1, group="7", class_="0x020000"):
        folder = f"sys/bus/pci/devices/{card}"
        for name, text in {"class": class_, "numa_node": node, "driver_override": "(null)"}.items():
            self.put(f"{folder}/{name}", text)
        if driver:
            self.load_driver(driver)
            self.link(f"{folder}/driver", f"sys/bus/pci/drivers/{driver}")
        self.put(f"{folder}/kernel_driver", driver)
        if interface:
            self.path(f"{folder}/net/{interface}").mkdir(parents=True)
            self.path(f"sys/class/net/{interface}").mkdir(parents=True)
        if group:
            self.link(f"{folder}/iommu_group", f"sys/kernel/iommu_groups/{group}")
            self.link(f"sys/kernel/iommu_groups/{group}/devices/{card}", folder)

    def add_default_route(self, interface):
        self.put("proc/net/route", ROUTE_HEADER + f"{interface}\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0")

    def write(self, name, text):
        super().write(name, text)
        path = self.path(name)
        if path.name == "nr_hugepages":
            pages = min(int(text), self.most_pages)
            self.put(name, pages)
            (path.parent / "free_hugepages").write_text(f"{pages}\n")
        elif path.name == "unbind":
            self.path(f"sys/bus/pci/devices/{text}/driver").unlink()
        elif path.name == "drivers_probe":
            folder = f"sys/bus/pci/devices/{text}"
            driver = self.read(f"{folder}/driver_override") or self.read(f"{folder}/kernel_driver")
            if driver and self.exists(f"sys/bus/pci/drivers/{driver}"):
                self.link(f"{folder}/driver", f"sys/bus/pci/drivers/{driver}")

    def run(self, *command):
        if command in self.complaints:
            return self.complaints[command]
        if command == ("modprobe", "vfio-pci"):
            self.load_driver("vfio-pci")
            self.put("sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "N")
        elif command == ("modprobe", "--remove", "vfio-pci"):
            self.path("sys/bus/pci/drivers/vfio-pci/unbind").unlink()
            self.path("sys/bus/pci/drivers/vfio-pci").rmdir()
        return ""

    def driver(self, card=CARD):
        return self.link_target(f"sys/bus/pci/devices/{card}/driver")

    def snapshot(self):
        files = {str(path): path.read_text() for path in sorted(self.root.rglob("*"))
                 if path.is_file() and path.name not in ("unbind", "drivers_probe", "free_hugepages")}
        return files, self.driver(), self.driver(OTHER_CARD)


class HostTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        os.environ.pop("SSH_CONNECTION", None)
        self.state = pathlib.Path(folder.name) / "state.json"
        self.machine = Machine(pathlib.Path(folder.name) / "root")

    def tool(self, *words):
        """(exit code, what it printed)"""
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            code = TOOL_MODULE.main([*words, "--state", str(self.state)], self.machine)
        return code, out.getvalue()

    def facts(self, *words):
        """{topic: (state, text and remedy)}"""
        found, topic = {}, None
        for line in self.tool("check", *words)[1].splitlines():
            if line.startswith(" "):
                found[topic] = (found[topic][0], found[topic][1] + line)
            else:
                state, rest = line.split(maxsplit=1)
                topic, text = rest.split("  ", 1)
                found[topic] = (state, text)
        return found


class Check(HostTest):
    def test_of_a_bare_machine_says_what_is_missing_and_what_to_do(self):
        self.machine.add_card(group=None)
        code, text = self.tool("check", CARD)
        self.assertEqual(code, 1)
        facts = self.facts(CARD)
        self.assertEqual({topic: state for topic, (state, _) in facts.items()},
                         {"huge pages": "MISSING", CARD: "MISSING", "IOMMU": "MISSING", "driver": "WARN",
                          "locked memory": "OK", "cores": "OK"}, text)
        self.assertIn("hugepages=88", facts["huge pages"][1])
        self.assertIn("intel_iommu=on iommu=pt", facts["IOMMU"][1])
        self.assertIn("bound to ice, interface ens1", facts[CARD][1])

    def test_of_a_prepared_machine_is_content(self):
        self.machine.add_card()
        self.assertEqual(self.tool("prepare", CARD, "--yes")[0], 0)
        code, text = self.tool("check", CARD)
        self.assertEqual(code, 0, text)
        self.assertNotIn("MISSING", text)

    def test_without_cards_wants_nothing_that_virtual_ports_can_do_without(self):
        self.assertEqual(self.tool("check")[0], 0)

    def test_counts_free_pages_of_all_sizes(self):
        self.machine.put(f"{PAGES}/free_hugepages", 10)
        self.machine.put("sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages", 1)
        self.assertIn("1044 MiB free", self.facts()["huge pages"][1])

    def test_looks_for_pages_on_the_node_of_the_card(self):
        self.machine.add_card(driver="vfio-pci", interface=None, node=1)
        self.machine.put(f"{PAGES}/free_hugepages", 1000)
        self.machine.put(f"{NODE_PAGES}/free_hugepages", 1)
        state, text = self.facts(CARD)["huge pages"]
        self.assertEqual(state, "MISSING")
        self.assertIn("2 MiB free on NUMA node 1", text)

    def test_leaves_cards_alone_whose_drivers_share_them(self):
        self.machine.add_card(driver="mlx5_core", group=None)
        facts = self.facts(CARD)
        self.assertEqual(facts[CARD][0], "OK")
        self.assertNotIn("IOMMU", facts)

    def test_finds_devices_that_would_go_with_the_card(self):
        self.machine.add_card()
        self.machine.add_card(OTHER_CARD, driver="nvme", interface=None, class_="0x010802")
        self.assertEqual(self.facts(CARD)["IOMMU group"][0], "MISSING")
        self.assertIn(OTHER_CARD, self.facts(CARD)["IOMMU group"][1])

    def test_does_not_take_a_disk_for_a_card(self):
        self.machine.add_card(driver="nvme", interface=None, class_="0x010802")
        self.assertIn("is no network card", self.facts(CARD)[CARD][1])

    def test_tells_the_words_for_the_kernels_command_line(self):
        state, text = self.facts("--cpus", "2-4,6")["isolation"]
        self.assertEqual(state, "WARN")
        self.assertIn("isolcpus=2-4,6 nohz_full=2-4,6 rcu_nocbs=2-4,6", text)
        self.machine.put("proc/cmdline", "isolcpus=domain,managed_irq,2-6 nohz_full=2-6 rcu_nocbs=0-7")
        self.assertEqual(self.facts("--cpus", "2-4,6")["isolation"][0], "OK")

    def test_notices_cores_that_are_not_there_or_far_away(self):
        self.machine.add_card(node=1)
        self.machine.put("sys/devices/system/node/node1/cpulist", "4-7")
        self.assertEqual(self.facts("--cpus", "6-9")["cores"][0], "MISSING")
        self.assertIn("CPU 2-3 is not", self.facts(CARD, "--cpus", "2-5")["NUMA"][1])

    def test_notices_irqbalance(self):
        self.machine.put("proc/812/comm", "irqbalance")
        self.assertIn("IRQBALANCE_BANNED_CPULIST=2-3", self.facts("--cpus", "2,3")["irqbalance"][1])
        self.assertNotIn("irqbalance", self.facts())

    def test_knows_the_limit_of_locked_memory(self):
        self.machine.put("proc/self/limits", "Max locked memory         8388608              8388608  bytes")
        self.assertEqual(self.facts()["locked memory"][0], "WARN")

    def test_changes_nothing(self):
        self.machine.add_card()
        before = self.machine.snapshot()
        self.tool("check", CARD, "--cpus", "2")
        self.assertEqual(self.machine.snapshot(), before)

    def test_works_from_the_command_line_on_any_root(self):
        done = subprocess.run([TOOL, "check", "--root", self.machine.root, "--workers", "2"], stdout=subprocess.PIPE,
                              text=True)
        self.assertEqual(done.returncode, 0)
        self.assertIn("0 MiB free, 288 MiB needed", done.stdout)


class Prepare(HostTest):
    def test_says_what_it_would_change_and_changes_nothing(self):
        self.machine.add_card()
        before = self.machine.snapshot()
        code, text = self.tool("prepare", CARD)
        self.assertEqual(code, 0)
        self.assertIn("huge pages of 2M: 0 -> 88", text)
        self.assertIn("load the kernel module vfio-pci", text)
        self.assertIn(f"bind the card {CARD} to vfio-pci instead of ice", text)
        self.assertEqual(self.machine.snapshot(), before)
        self.assertFalse(self.state.exists())

    def test_does_what_it_said(self):
        self.machine.add_card()
        code, text = self.tool("prepare", CARD, "--yes")
        self.assertEqual(code, 0, text)
        self.assertEqual(self.machine.read(f"{PAGES}/nr_hugepages"), "88")
        self.assertEqual(self.machine.read(f"sys/bus/pci/devices/{CARD}/driver_override"), "vfio-pci")
        self.assertEqual(self.machine.driver(), "vfio-pci")

    def test_adds_to_pages_that_others_use(self):
        self.machine.put(f"{PAGES}/nr_hugepages", 100)
        self.machine.put(f"{PAGES}/free_hugepages", 8)
        self.tool("prepare", "--yes")
        self.assertEqual(self.machine.read(f"{PAGES}/nr_hugepages"), "180")

    def test_reserves_pages_on_the_node_of_the_card(self):
        self.machine.add_card(node=1)
        for name in ("nr_hugepages", "free_hugepages"):
            self.machine.put(f"{NODE_PAGES}/{name}", 0)
        self.tool("prepare", CARD, "--yes", "--memory", "64")
        self.assertEqual(self.machine.read(f"{NODE_PAGES}/nr_hugepages"), "32")
        self.assertEqual(self.machine.read(f"{PAGES}/nr_hugepages"), "0")

    def test_twice_changes_nothing_more(self):
        self.machine.add_card()
        self.tool("prepare", CARD, "--yes")
        self.assertIn("Nothing to change", self.tool("prepare", CARD, "--yes")[1])

    def test_refuses_the_card_of_the_default_route_unless_forced(self):
        self.machine.add_card()
        self.machine.add_default_route("ens1")
        before = self.machine.snapshot()
        code, text = self.tool("prepare", CARD, "--yes")
        self.assertEqual(code, 2)
        self.assertIn("the default route goes over its interface ens1", text)
        self.assertEqual(self.machine.snapshot(), before)
        self.assertEqual(self.tool("prepare", CARD, "--yes", "--force")[0], 0)
        self.assertEqual(self.machine.driver(), "vfio-pci")

    def test_refuses_the_card_of_the_ipv6_default_route(self):
        self.machine.add_card()
        none, router = "0" * 32, "fe80" + "0" * 27 + "1"
        self.machine.put("proc/net/ipv6_route", f"{none} 00 {none} 00 {router} 00000400 1 0 00000003 ens1")
        self.assertEqual(self.tool("prepare", CARD, "--yes")[0], 2)

    def test_refuses_a_port_of_the_bond_that_the_default_route_goes_over(self):
        self.machine.add_card()
        self.machine.add_default_route("bond0.100")
        for upper, lower in (("bond0.100", "bond0"), ("bond0", "ens1")):
            self.machine.link(f"sys/class/net/{upper}/lower_{lower}", f"sys/class/net/{lower}")
        self.assertEqual(self.tool("prepare", CARD, "--yes")[0], 2)

    def test_refuses_the_card_that_an_ssh_session_comes_over(self):
        self.machine.add_card()
        self.machine.put("proc/net/route", ROUTE_HEADER + "ens1\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0")
        self.assertEqual(self.tool("prepare", CARD)[0], 0)
        os.environ["SSH_CONNECTION"] = "192.0.2.77 50222 192.0.2.1 22"
        code, text = self.tool("prepare", CARD, "--yes")
        self.assertEqual(code, 2)
        self.assertIn("this SSH session", text)

    def test_refuses_to_go_without_an_iommu_unless_asked_to(self):
        self.machine.add_card(group=None)
        code, text = self.tool("prepare", CARD, "--yes")
        self.assertEqual((code, self.machine.driver()), (2, "ice"))
        self.assertIn("there is no IOMMU", text)
        self.assertEqual(self.tool("prepare", CARD, "--yes", "--no-iommu")[0], 0)
        self.assertEqual(self.machine.read("sys/module/vfio/parameters/enable_unsafe_noiommu_mode"), "Y")

    def test_refuses_what_is_no_address_or_no_device(self):
        self.assertIn("is no PCI address", self.tool("prepare", "eth0")[1])
        self.assertIn("there is no PCI device", self.tool("prepare", CARD)[1])

    def test_says_when_memory_is_too_scattered_for_pages(self):
        self.machine.most_pages = 30
        code, text = self.tool("prepare", "--yes")
        self.assertEqual(code, 2)
        self.assertIn("the kernel made it 30 instead of 88", text)


class Undo(HostTest):
    def test_puts_everything_back(self):
        self.machine.add_card()
        self.machine.add_card(OTHER_CARD, driver="", interface=None)
        self.assertEqual(self.tool("prepare", CARD, OTHER_CARD, "--yes")[0], 0)
        self.assertEqual((self.machine.driver(), self.machine.driver(OTHER_CARD)), ("vfio-pci", "vfio-pci"))
        self.assertEqual(self.tool("undo")[0], 0)
        self.assertEqual((self.machine.driver(), self.machine.driver(OTHER_CARD)), ("ice", ""))
        self.assertEqual(self.machine.read(f"{PAGES}/nr_hugepages"), "0")
        self.assertEqual(self.machine.read(f"sys/bus/pci/devices/{CARD}/driver_override"), "")
        self.assertFalse(self.machine.exists("sys/bus/pci/drivers/vfio-pci"))
        self.assertFalse(self.state.exists())

    def test_puts_back_what_an_interrupted_prepare_did(self):
        self.machine.most_pages = 30
        self.tool("prepare", "--yes")
        self.assertEqual(self.machine.read(f"{PAGES}/nr_hugepages"), "30")
        self.assertEqual(self.tool("undo")[0], 0)
        self.assertEqual(self.machine.read(f"{PAGES}/nr_hugepages"), "0")

    def test_puts_back_several_prepares_in_the_opposite_order(self):
        self.tool("prepare", "--yes", "--memory", "64")
        self.tool("prepare", "--yes", "--memory", "128")
        self.assertEqual([change["after"] for change in json.loads(self.state.read_text())], ["32", "64"])
        self.tool("undo")
        self.assertEqual(self.machine.read(f"{PAGES}/nr_hugepages"), "0")

    def test_keeps_in_mind_what_it_could_not_put_back(self):
        self.machine.add_card()
        self.tool("prepare", CARD, "--yes")
        self.machine.complaints["modprobe", "--remove", "vfio-pci"] = "Module vfio_pci is in use"
        code, text = self.tool("undo")
        self.assertEqual(code, 1)
        self.assertIn("stays loaded (Module vfio_pci is in use)", text)
        self.assertEqual(self.machine.driver(), "ice")
        self.assertEqual([change["kind"] for change in json.loads(self.state.read_text())], ["LoadModule"])

    def test_has_nothing_to_do_on_a_machine_that_was_not_prepared(self):
        code, text = self.tool("undo")
        self.assertEqual(code, 0)
        self.assertIn("Nothing to undo", text)


if __name__ == "__main__":
    unittest.main()
