"""Cores for workers that spin: are they kept free of everything else? Also limits of the bridge's process."""
from tree import Fact, Refusal


def parse_list(text):
    """2-5,8 as a sorted list of numbers."""
    found = set()
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        if not first.isdigit() or (last and not last.isdigit()):
            raise Refusal(f"'{text}' is no list of CPUs; write it like 2-5,8")
        found.update(range(int(first), int(last or first) + 1))
    return sorted(found)


def write_list(numbers):
    parts, numbers = [], sorted(numbers)
    while numbers:
        last = 0
        while last + 1 < len(numbers) and numbers[last + 1] == numbers[last] + 1:
            last += 1
        parts.append(str(numbers[0]) if last == 0 else f"{numbers[0]}-{numbers[last]}")
        numbers = numbers[last + 1:]
    return ",".join(parts)


def of_command_line(tree, option):
    """The CPUs that an option of the kernel's command line names; isolcpus has flags in front of them."""
    for word in tree.read("/proc/cmdline").split():
        name, _, value = word.partition("=")
        if name == option:
            numbers = [part for part in value.split(",") if part[:1].isdigit()]
            return set(parse_list(",".join(numbers))) if numbers else set()
    return set()


def facts(tree, options):
    found = [locked_memory(tree)]
    if options.cpus:
        found += [existing(tree, options), *isolation(tree, options), *numa(tree, options), *irqbalance(tree, options)]
    else:
        found.append(Fact("cores", "OK", "no --cpus given; the bridge pins nothing unless dpdk-cpus says so"))
    return found


def existing(tree, options):
    online = set(parse_list(tree.read("/sys/devices/system/cpu/online", "0")))
    if missing := set(options.cpus) - online:
        return Fact("cores", "MISSING", f"there is no CPU {write_list(missing)}",
                    f"choose dpdk-cpus from {write_list(online)}")
    left = online - set(options.cpus)
    if not left:
        return Fact("cores", "WARN", "workers get every CPU", "leave one to the kernel, HTTP and handshakes")
    return Fact("cores", "OK", f"{write_list(options.cpus)} for workers, {write_list(left)} for the rest")


def isolation(tree, options):
    explain = {"isolcpus": "other programs run on them", "nohz_full": "the kernel's tick interrupts them",
               "rcu_nocbs": "the kernel's callbacks run on them"}
    lacking = {option: set(options.cpus) - of_command_line(tree, option) for option in explain}
    if not any(lacking.values()):
        return [Fact("isolation", "OK", f"{write_list(options.cpus)} are isolated")]
    reasons = "; ".join(explain[option] for option, missing in lacking.items() if missing)
    words = " ".join(f"{option}={write_list(options.cpus)}" for option in explain)
    return [Fact("isolation", "WARN", reasons, f"workers that spin want to be alone: add {words} to the kernel's "
                 "command line (GRUB_CMDLINE_LINUX in /etc/default/grub, then update-grub) and restart")]


def numa(tree, options):
    for card in options.cards:
        node = tree.read_number(f"/sys/bus/pci/devices/{card}/numa_node", -1)
        near = set(parse_list(tree.read(f"/sys/devices/system/node/node{node}/cpulist")))
        if node >= 0 and near and (far := set(options.cpus) - near):
            yield Fact("NUMA", "WARN", f"{card} is on node {node}, CPU {write_list(far)} is not",
                       f"choose dpdk-cpus from {write_list(near)}")


def irqbalance(tree, options):
    if not any(tree.read(f"/proc/{name}/comm") == "irqbalance" for name in tree.names("/proc") if name.isdigit()):
        return
    yield Fact("irqbalance", "WARN", "it runs, and may send interrupts to the workers' CPUs",
               f"set IRQBALANCE_BANNED_CPULIST={write_list(options.cpus)} in /etc/default/irqbalance and restart it")


def locked_memory(tree):
    for line in tree.read("/proc/self/limits").splitlines():
        if line.startswith("Max locked memory"):
            limit = line.split()[3]
            if limit == "unlimited":
                return Fact("locked memory", "OK", "unlimited")
            return Fact("locked memory", "WARN", f"{int(limit) >> 20} MiB in this shell",
                        "viaduct.service and --ulimit memlock=-1 of Docker lift it; in a shell: ulimit -l unlimited")
    return Fact("locked memory", "WARN", "its limit is not known", "see LimitMEMLOCK in viaduct.service")
