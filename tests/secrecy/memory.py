"""What root finds in a process: its mappings, and which of them hold given bytes. Needs nothing but /proc."""
import dataclasses
import os
import re

CHUNK = 4 << 20


@dataclasses.dataclass(frozen=True)
class Mapping:
    start: int
    end: int
    rights: str
    name: str
    flags: tuple   # VmFlags of smaps: lo is locked, dd is left out of dumps
    resident: int  # bytes, with what is swapped out

    @property
    def is_secret(self):
        return "secretmem" in self.name  # memfd_secret(2)

    def __str__(self):
        return f"{self.start:x}-{self.end:x} {self.rights} {self.name or '(anonymous)'} {' '.join(self.flags)}"


@dataclasses.dataclass
class Scan:
    hits: dict        # name of the needle: [(mapping, count)]
    read_bytes: int
    unreadable: list  # mappings that the kernel lets nobody read

    def count(self, name):
        return sum(count for _, count in self.hits[name])

    def found(self):
        """The names of what was found, with where."""
        return {name: [f"{count} x in {mapping}" for mapping, count in hits]
                for name, hits in self.hits.items() if hits}


def mappings(pid):
    found, head, flags, resident = [], None, (), 0
    with open(f"/proc/{pid}/smaps", encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if match := re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+\s*(.*)", line):
                head, resident = match, 0
            elif line.startswith(("Rss:", "Swap:")):
                resident += int(line.split()[1]) * 1024
            elif line.startswith("VmFlags:"):
                flags = tuple(line.split()[1:])
                found.append(Mapping(int(head[1], 16), int(head[2], 16), head[3], head[4].strip(), flags, resident))
    return found


def scan(pid, needles):
    """Counts each of `needles` ({name: bytes}) in all that can be read of the process, from the outside, as root."""
    result = Scan({name: [] for name in needles}, 0, [])
    memory = os.open(f"/proc/{pid}/mem", os.O_RDONLY)
    try:
        for mapping in mappings(pid):
            if mapping.is_secret:
                (_scan_mapping if _is_readable(memory, mapping) else _note_unreadable)(memory, mapping, needles, result)
            elif mapping.resident and mapping.rights[0] == "r" and mapping.name not in ("[vvar]", "[vsyscall]"):
                _scan_mapping(memory, mapping, needles, result)
    finally:
        os.close(memory)
    return result


def _is_readable(memory, mapping):
    try:
        return len(os.pread(memory, 1, mapping.start)) == 1
    except OSError:
        return False


def _note_unreadable(_memory, mapping, _needles, result):
    result.unreadable.append(mapping)


def _scan_mapping(memory, mapping, needles, result):
    overlap = max(map(len, needles.values())) - 1
    counts = dict.fromkeys(needles, 0)
    at, tail = mapping.start, b""
    while at < mapping.end:
        try:
            read = os.pread(memory, min(CHUNK, mapping.end - at), at)
        except OSError:
            break  # it went away meanwhile, or ends before its end: a file shorter than its mapping
        if not read:
            break
        text = tail + read
        for name, needle in needles.items():
            counts[name] += text.count(needle)
        at += len(read)
        tail = text[-overlap:] if overlap else b""
        result.read_bytes += len(read)
    for name, count in counts.items():
        if count:
            result.hits[name].append((mapping, count))
