"""Two machines on one cable: network namespaces of the test's own, and virtual Ethernet between them.

`bridge` has no address on the cable: there the bridge is the host. `peer` is an ordinary Linux host. A second cable, on
which both have addresses of the kernel's, carries what is not tested: signalling and HTTP.
"""
import contextlib
import ctypes
import functools
import itertools
import os
import pathlib
import shutil
import subprocess
import unittest

from addresses import BRIDGE_V4, BRIDGE_V6, CONTROL_BRIDGE, CONTROL_PEER, PEER_V4, PEER_V6
from switch import Switch

CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)
NUMBERS = itertools.count(1)

MTU = 1500
# What a veth does in software while nobody needs it: packets without checksums, of 64 KiB, with the tag beside them.
OFFLOADS = ["rx", "off", "tx", "off", "gso", "off", "tso", "off", "gro", "off", "txvlan", "off", "rxvlan", "off"]


def run(*command):
    return subprocess.run([str(word) for word in command], check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True).stdout


@functools.cache
def missing_privilege():
    """Why this machine cannot run these tests; None where it can."""
    for tool in ("ip", "ethtool", "ping"):
        if not shutil.which(tool):
            return f"there is no {tool}: deploy/install-packages test"
    if os.geteuid() != 0:
        return "makes network namespaces: run it as root"
    try:
        with Namespace("probe") as probe:
            probe.ip("link", "add", "v0", "type", "veth", "peer", "name", "v1")
    except subprocess.CalledProcessError as error:
        return f"no network namespaces here: {error.stderr.strip()}"
    return None


def needs_namespaces(test_class):
    """Skips a class of tests, and says why, where the privileges are missing."""
    def set_up_class(cls):
        if why := missing_privilege():
            raise unittest.SkipTest(why)
    test_class.setUpClass = classmethod(set_up_class)
    return test_class


class Namespace:
    """A network namespace; it goes, with its interfaces, at the end of the with block."""

    def __init__(self, name):
        self.name = f"viaduct-{os.getpid()}-{next(NUMBERS)}-{name}"

    def __enter__(self):
        run("ip", "netns", "add", self.name)
        try:
            self.ip("link", "set", "lo", "up")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        run("ip", "netns", "del", self.name)

    def ip(self, *words):
        return run("ip", "-n", self.name, *words)

    def run(self, *command):
        return run("ip", "netns", "exec", self.name, *command)

    def command(self, *words):
        """The same command, to run in here."""
        return ["ip", "netns", "exec", self.name, *words]

    @contextlib.contextmanager
    def inside(self):
        """The calling thread is in here within the block: sockets that it opens stay here."""
        with open("/proc/thread-self/ns/net") as home, open(f"/run/netns/{self.name}") as here:
            enter(here)
            try:
                yield
            finally:
                enter(home)


def enter(namespace_file):
    if LIBC.setns(namespace_file.fileno(), CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


class Cable(contextlib.ExitStack):
    """bridge.media <-> peer.media, and bridge.control <-> peer.control; `behind` is the way of a switch at the peer."""

    def __init__(self, behind=None, queues=1):
        super().__init__()
        self.behind, self.queues = behind, queues

    def __enter__(self):
        super().__enter__()
        try:
            self.lay()
        except BaseException:
            self.close()
            raise
        return self

    def lay(self):
        self.bridge = self.enter_context(Namespace("bridge"))
        self.peer = self.enter_context(Namespace("peer"))
        self.connect("media", self.queues)
        self.connect("control", 1)
        self.bridge.ip("addr", "add", f"{CONTROL_BRIDGE}/24", "dev", "control")
        self.peer.ip("addr", "add", f"{CONTROL_PEER}/24", "dev", "control")
        if self.behind:
            self.put_switch_between()
        self.give_address(self.peer, "host" if self.behind else "media", PEER_V4, PEER_V6)

    def connect(self, name, queues):
        ends = ["numrxqueues", queues, "numtxqueues", queues]
        self.bridge.ip("link", "add", name, *ends, "type", "veth", "peer", "name", name, "netns", self.peer.name,
                       *ends)
        self.set_up(self.bridge, name)
        self.set_up(self.peer, name)

    def put_switch_between(self):
        self.peer.ip("link", "add", "host", "type", "veth", "peer", "name", "switch")
        self.set_up(self.peer, "host")
        self.set_up(self.peer, "switch")
        with self.peer.inside():
            self.callback(Switch("switch", "media", self.behind).close)

    @staticmethod
    def set_up(namespace, name):
        # No addresses and no router solicitations of the kernel's own: only the test speaks on this cable.
        settings = {"addr_gen_mode": 1, "accept_ra": 0, "router_solicitations": 0}
        with namespace.inside():
            for setting, value in settings.items():
                pathlib.Path(f"/proc/sys/net/ipv6/conf/{name}/{setting}").write_text(f"{value}")
        namespace.run("ethtool", "--features", name, *OFFLOADS)
        namespace.ip("link", "set", name, "mtu", MTU, "up")

    @staticmethod
    def give_address(namespace, interface, v4, v6):
        namespace.ip("addr", "add", f"{v4}/24", "dev", interface)
        namespace.ip("addr", "add", f"{v6}/64", "dev", interface, "nodad")

    def neighbour(self, address):
        """(link address, state) of an entry in the peer's neighbour table; None when there is none."""
        words = self.peer.ip("neigh", "show", address).split()
        return (words[words.index("lladdr") + 1], words[-1]) if "lladdr" in words else None

    def mac_of_bridge(self):
        return (self.bridge.run("cat", "/sys/class/net/media/address")).strip()


