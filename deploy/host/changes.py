"""What prepare does, as things that know how to be undone, and the file in which they are written down."""
import dataclasses
import json
import os

from tree import Refusal


@dataclasses.dataclass
class SetNumber:
    """A number in a file of sysfs."""
    path: str
    before: str
    after: str
    what: str

    def describe(self):
        return f"{self.what}: {self.before} -> {self.after} ({self.path})"

    def describe_undo(self):
        return f"{self.what}: {self.after} -> {self.before} ({self.path})"

    def do(self, tree):
        tree.write(self.path, self.after)
        got = tree.read(self.path)
        if got != self.after:
            raise Refusal(f"{self.what}: the kernel made it {got} instead of {self.after}; do it at boot, before "
                          "memory is in pieces, or ask for less")

    def undo(self, tree):
        tree.write(self.path, self.before)


@dataclasses.dataclass
class LoadModule:
    name: str

    def describe(self):
        return f"load the kernel module {self.name}"

    def describe_undo(self):
        return f"unload the kernel module {self.name}"

    def do(self, tree):
        if complaint := tree.run("modprobe", self.name):
            raise Refusal(f"the kernel module {self.name} cannot be loaded ({complaint}); run a kernel that has it")

    def undo(self, tree):
        if complaint := tree.run("modprobe", "--remove", self.name):
            raise Refusal(f"the kernel module {self.name} stays loaded ({complaint})")


@dataclasses.dataclass
class BindCard:
    """A PCI card from the kernel's driver (or none) to another, without a word in any configuration file."""
    card: str
    before: str
    override_before: str
    after: str

    def describe(self):
        return f"bind the card {self.card} to {self.after} instead of {self.before or 'no driver'}"

    def describe_undo(self):
        return f"bind the card {self.card} to {self.before or 'no driver'} instead of {self.after}"

    def do(self, tree):
        self.rebind(tree, self.after)
        bound = tree.link_target(f"{self.folder()}/driver")
        if bound != self.after:
            raise Refusal(f"the card {self.card} has {bound or 'no driver'} instead of {self.after}; look into `dmesg`")

    def undo(self, tree):
        self.rebind(tree, self.override_before)

    def folder(self):
        return f"/sys/bus/pci/devices/{self.card}"

    def rebind(self, tree, override):
        tree.write(f"{self.folder()}/driver_override", override)
        if tree.exists(f"{self.folder()}/driver"):
            tree.write(f"{self.folder()}/driver/unbind", self.card)
        if override or self.before:
            tree.write("/sys/bus/pci/drivers_probe", self.card)


KINDS = {kind.__name__: kind for kind in (SetNumber, LoadModule, BindCard)}


class Journal:
    """Each change is written down before it is done, so that an interrupted prepare can be undone too."""

    def __init__(self, path):
        self.path = path
        self.changes = []
        try:
            entries = json.loads(path.read_text())
        except FileNotFoundError:
            return
        except ValueError:
            raise Refusal(f"{path} cannot be understood; put the host back by a restart, and remove the file") from None
        for entry in entries:
            self.changes.append(KINDS[entry.pop("kind")](**entry))

    def carry_out(self, tree, change):
        self.changes.append(change)
        self.write_down()
        change.do(tree)

    def undo(self, tree, announce):
        """Undoes all, the last change first; what could not be undone, in sentences, and stays written down."""
        failures, remaining = [], []
        for change in reversed(self.changes):
            announce(change)
            try:
                change.undo(tree)
            except (Refusal, OSError) as error:
                failures.append(f"{change.describe_undo()}: {error}")
                remaining.insert(0, change)
        self.changes = remaining
        self.write_down()
        return failures

    def write_down(self):
        if not self.changes:
            self.path.unlink(missing_ok=True)
            return
        entries = [{"kind": type(change).__name__, **dataclasses.asdict(change)} for change in self.changes]
        draft = self.path.with_name(self.path.name + ".new")
        draft.write_text(json.dumps(entries, indent=2) + "\n")
        os.replace(draft, self.path)
