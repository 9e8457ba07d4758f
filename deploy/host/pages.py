"""Huge pages: how many are free, of which size and on which NUMA node, and reserving more."""
from changes import SetNumber
from tree import Fact

SIZES = {"2M": 2048, "1G": 1048576}  # KiB
ALL_NODES = "/sys/kernel/mm/hugepages"


def node_folder(node):
    return f"/sys/devices/system/node/node{node}/hugepages"


def card_nodes(tree, cards):
    """NUMA nodes that the cards are on; a card of a machine without NUMA says -1."""
    nodes = {tree.read_number(f"/sys/bus/pci/devices/{card}/numa_node", -1) for card in cards}
    return sorted(node for node in nodes if node >= 0 and tree.exists(node_folder(node)))


def wanted(tree, options):
    """(folder, name, MiB) of each place that needs pages: the cards' nodes, which share what all workers need."""
    nodes = card_nodes(tree, options.cards)
    if not nodes:
        return [(ALL_NODES, "", options.memory)]
    return [(node_folder(node), f" on NUMA node {node}", -(-options.memory // len(nodes))) for node in nodes]


def free_mib(tree, folder):
    kib = 0
    for name in tree.names(folder):
        size = name.removeprefix("hugepages-").removesuffix("kB")
        if size.isdigit():
            kib += int(size) * tree.read_number(f"{folder}/{name}/free_hugepages")
    return kib // 1024


def facts(tree, options):
    found = []
    for folder, where, needed in wanted(tree, options):
        free = free_mib(tree, folder)
        text = f"{free} MiB free{where}, {needed} MiB needed"
        if free >= needed:
            found.append(Fact("huge pages", "OK", text))
        elif not tree.names(folder):
            found.append(Fact("huge pages", "WARN", "this kernel has none",
                              'leave dpdk-huge-pages at "auto": virtual devices do without, cards get slower'))
        else:
            found.append(Fact("huge pages", "MISSING" if options.cards else "WARN", text,
                              "run `dpdk prepare`, which reserves them until the next start; for good, add "
                              f"hugepagesz={options.page_size} hugepages={count(needed, options.page_size)} to the "
                              "kernel's command line"))
    return found


def count(mib, size):
    return -(-mib * 1024 // SIZES[size])


def changes(tree, options):
    planned = []
    for folder, where, needed in wanted(tree, options):
        short = needed - free_mib(tree, folder)
        path = f"{folder}/hugepages-{SIZES[options.page_size]}kB/nr_hugepages"
        if short <= 0 or not tree.exists(path):
            continue
        before = tree.read_number(path)
        planned.append(SetNumber(path, str(before), str(before + count(short, options.page_size)),
                                 f"huge pages of {options.page_size}{where}"))
    return planned
