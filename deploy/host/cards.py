"""Network cards that the bridge gets for itself: the IOMMU, the vfio-pci driver, and who would miss them."""
import ipaddress
import os
import re

from changes import BindCard, LoadModule, SetNumber
from tree import Fact, Refusal

PCI = "/sys/bus/pci/devices"
DRIVER = "vfio-pci"
# Their drivers share the card with a program: nothing is taken from the kernel, and there is nothing to bind.
SHARING_DRIVERS = {"mlx4_core", "mlx5_core", "mana"}
READY_DRIVERS = {DRIVER, "uio_pci_generic", "igb_uio"} | SHARING_DRIVERS
NO_IOMMU = "/sys/module/vfio/parameters/enable_unsafe_noiommu_mode"


def full_address(text):
    if not re.fullmatch(r"(?:[0-9a-fA-F]{4}:)?[0-9a-fA-F]{2}:[0-9a-fA-F]{2}\.[0-7]", text):
        raise Refusal(f"'{text}' is no PCI address; write it like 0000:3b:00.0, as `lspci -D` does")
    return text.lower() if len(text) == 12 else f"0000:{text.lower()}"


def driver_of(tree, card):
    return tree.link_target(f"{PCI}/{card}/driver")


def interfaces_of(tree, card):
    folder = f"{PCI}/{card}/net"
    return tree.names(folder) or [name for part in tree.names(f"{PCI}/{card}") if part.startswith("virtio")
                                  for name in tree.names(f"{PCI}/{card}/{part}/net")]


def with_lower(tree, interface):
    """The interface and those below it: the ports of a bond or bridge, what a VLAN stands on."""
    found = {interface}
    for name in tree.names(f"/sys/class/net/{interface}"):
        if name.startswith("lower_"):
            found |= with_lower(tree, name.removeprefix("lower_"))
    return found


def ipv4_routes(tree):
    for line in tree.read("/proc/net/route").splitlines()[1:]:
        words = line.split()
        if len(words) >= 8:
            network, mask = (int.from_bytes(bytes.fromhex(words[i])[::-1], "big") for i in (1, 7))
            yield ipaddress.ip_network((network, mask.bit_count())), words[0]


def ipv6_routes(tree):
    for line in tree.read("/proc/net/ipv6_route").splitlines():
        words = line.split()
        if len(words) >= 10 and words[9] != "lo":
            yield ipaddress.ip_network((bytes.fromhex(words[0]), int(words[1], 16)), strict=False), words[9]


def routes(tree):
    return [*ipv4_routes(tree), *ipv6_routes(tree)]


def interface_towards(tree, address):
    matching = [(network.prefixlen, name) for network, name in routes(tree)
                if network.version == address.version and address in network]
    return max(matching)[1] if matching else ""


def needed_interfaces(tree, environment=os.environ):
    """{interface: why this machine needs it}, with what lies below it."""
    reasons = {name: "the default route" for network, name in routes(tree) if network.prefixlen == 0}
    peer = environment.get("SSH_CONNECTION", "").split()
    if peer and (name := interface_towards(tree, ipaddress.ip_address(peer[0].split("%")[0]))):
        reasons[name] = "this SSH session"
    return {lower: why for name, why in reasons.items() for lower in with_lower(tree, name)}


def why_needed(tree, card):
    needed = needed_interfaces(tree)
    return next((f"{needed[name]} goes over its interface {name}" for name in interfaces_of(tree, card)
                 if name in needed), "")


def refuse_needed_cards(tree, options):
    for card in options.cards:
        if not tree.exists(f"{PCI}/{card}"):
            raise Refusal(f"there is no PCI device {card}; take one that `lspci -D` shows")
        if driver_of(tree, card) in READY_DRIVERS or options.force:
            continue
        if why := why_needed(tree, card):
            raise Refusal(f"{card} is left alone: {why}; take another card, or --force if you reach this machine "
                          "otherwise")


def has_iommu(tree):
    return bool(tree.names("/sys/kernel/iommu_groups"))


def has_module(tree, name):
    release = tree.read("/proc/sys/kernel/osrelease")
    listed = tree.read(f"/lib/modules/{release}/modules.dep") + tree.read(f"/lib/modules/{release}/modules.builtin")
    return f"/{name}.ko" in listed


def to_bind(tree, options):
    """Cards that vfio-pci must get."""
    return [card for card in options.cards if driver_of(tree, card) not in READY_DRIVERS]


def facts(tree, options):
    if not options.cards:
        return [Fact("cards", "OK", "none given; af_packet, af_xdp and tap ports need no driver and no IOMMU")]
    found = [card_fact(tree, options, card) for card in options.cards]
    if any(driver_of(tree, card) not in SHARING_DRIVERS for card in options.cards):
        found += [iommu_fact(tree, options), driver_fact(tree)]
    return found + [fact for card in options.cards for fact in group_facts(tree, card)]


def iommu_fact(tree, options):
    if has_iommu(tree):
        return Fact("IOMMU", "OK", f"{len(tree.names('/sys/kernel/iommu_groups'))} groups")
    if tree.read(NO_IOMMU) == "Y":
        return Fact("IOMMU", "WARN", "none; vfio works without, and the card can write to all memory",
                    "fine in a virtual machine that trusts its host")
    named = re.search(r"\b(?:intel_iommu|amd_iommu|iommu)=", tree.read("/proc/cmdline"))
    remedy = ("switch it on in the firmware (VT-d, AMD-Vi)" if named else
              "add intel_iommu=on iommu=pt to the kernel's command line and restart")
    state = "WARN" if options.no_iommu else "MISSING"
    return Fact("IOMMU", state, "none", f"{remedy}; where there is none, such as in many virtual machines: "
                "`dpdk prepare --no-iommu`")


def driver_fact(tree):
    if tree.exists(f"/sys/bus/pci/drivers/{DRIVER}"):
        return Fact("driver", "OK", f"{DRIVER} is loaded")
    if has_module(tree, DRIVER):
        return Fact("driver", "WARN", f"{DRIVER} is not loaded", "`dpdk prepare` loads it")
    return Fact("driver", "MISSING", f"this kernel has no {DRIVER}", "run a kernel with CONFIG_VFIO_PCI")


def card_fact(tree, options, card):
    if not tree.exists(f"{PCI}/{card}"):
        return Fact(card, "MISSING", "there is no such PCI device", "take one that `lspci -D` shows")
    if not tree.read(f"{PCI}/{card}/class").startswith("0x02"):
        return Fact(card, "MISSING", "is no network card", "take one that `lspci -D` calls Ethernet controller")
    driver = driver_of(tree, card)
    if driver in SHARING_DRIVERS:
        return Fact(card, "OK", f"{driver} shares it with the bridge; nothing to bind")
    if driver in READY_DRIVERS:
        return Fact(card, "OK", f"bound to {driver}")
    text = f"bound to {driver or 'no driver'}" + "".join(f", interface {name}" for name in interfaces_of(tree, card))
    if (why := why_needed(tree, card)) and not options.force:
        return Fact(card, "MISSING", f"{text}; {why}",
                    "take another card, or use an af_xdp port on this interface, which leaves the kernel its part")
    return Fact(card, "MISSING", text, f"`dpdk prepare {card}` binds it to {DRIVER}; the kernel loses its interface")


def group_facts(tree, card):
    """vfio gives away groups as a whole: other devices of the group may not have drivers of the kernel."""
    folder = f"{PCI}/{card}/iommu_group/devices"
    others = [name for name in tree.names(folder) if name != card and
              driver_of(tree, name) not in READY_DRIVERS | {"", "pcieport", "pci-stub"}]
    if others:
        yield Fact("IOMMU group", "MISSING", f"{card} shares its group with {', '.join(others)}",
                   "give these to `dpdk prepare` too, or put the card into another slot")


def changes(tree, options):
    cards = to_bind(tree, options)
    if not cards:
        return []
    planned = []
    if not tree.exists(f"/sys/bus/pci/drivers/{DRIVER}"):
        planned.append(LoadModule(DRIVER))
    if not has_iommu(tree):
        if not options.no_iommu:
            raise Refusal("there is no IOMMU, so a card could write to all memory; switch it on (`dpdk check` says "
                          "how), or accept that by --no-iommu")
        planned.append(SetNumber(NO_IOMMU, tree.read(NO_IOMMU, "N"), "Y", "vfio without an IOMMU"))
    planned += [BindCard(card, driver_of(tree, card), override_of(tree, card), DRIVER) for card in cards]
    return planned


def override_of(tree, card):
    text = tree.read(f"{PCI}/{card}/driver_override")
    return "" if text == "(null)" else text
