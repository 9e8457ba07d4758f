"""What is in force the bridge says truly, /proc agrees, and where it must it refuses to start without: H2, H3, H6."""
import pathlib
import re
import unittest

import restraint
from running import Bot, Bridge, needs_root, until

MEASURES = {"core_dumps", "not_dumpable", "no_new_privileges", "memory_locked", "secret_memory", "packet_pools",
            "seccomp", "landlock", "no_file_writes"}


def measures(bridge):
    """{measure: 1 or 0} of /metrics."""
    rows = re.findall(r'^viaduct_hardening\{[^}]*measure="(\w+)"[^}]*\} (\S+)$', bridge.metrics(), re.M)
    return {name: int(float(value)) for name, value in rows}


def check_all_in_force(bridge):
    """In the metrics, each by its name, and in the log of the start."""
    state = measures(bridge)
    missing = sorted(name for name in MEASURES | set(state) if state.get(name) != 1)
    if missing:
        raise AssertionError(f"not in force: {missing}")
    if not re.search(r"hardening is in force", bridge.output):
        raise AssertionError("the log of the start does not say that hardening is in force")


def check_kernel_agrees(bridge):
    """Every thread is filtered and can gain nothing; nothing is swapped out, and nothing may become a core."""
    for status in pathlib.Path(f"/proc/{bridge.pid}/task").glob("*/status"):
        fields = dict(re.findall(r"^(\w+):\s+(.*)$", status.read_text(), re.M))
        wrong = {key: fields[key] for key, want in (("VmSwap", "0 kB"), ("Seccomp", "2"), ("NoNewPrivs", "1"))
                 if fields[key] != want}
        if wrong:
            raise AssertionError(f"thread {fields['Name']}: {wrong}")
    limits = pathlib.Path(f"/proc/{bridge.pid}/limits").read_text()
    if not re.search(r"^Max core file size\s+0\s+0\s", limits, re.M):
        raise AssertionError("core dumps have room")


def refused_start(restrain, *options):
    """What a bridge says that must not start; it has 40 s to say it."""
    with Bridge("--require-hardening", "true", *options, restrain=restrain, wait=False) as bridge:
        status = bridge.wait()
        if status != 1:
            raise AssertionError(f"it ended with {status}: {bridge.output}")
        return bridge.lines[-1]


@needs_root
class Hardening(unittest.TestCase):
    def test_what_is_in_force_is_printed_at_start_and_exported(self):
        with Bridge("--require-hardening", "true") as bridge:
            check_all_in_force(bridge)

    def test_a_bridge_without_hardening_says_so(self):
        with Bridge("--hardening", "false") as bridge:
            with self.assertRaisesRegex(AssertionError, "not in force: .*landlock.*seccomp"):
                check_all_in_force(bridge)
            self.assertRegex(bridge.output, "hardening is off")

    def test_the_kernel_agrees_while_a_call_runs(self):
        with Bridge() as bridge, Bot(bridge) as bot:
            bot.await_media()
            check_kernel_agrees(bridge)

    def test_the_kernel_disagrees_about_a_bridge_without_hardening(self):
        with Bridge("--hardening", "false") as bridge:
            with self.assertRaisesRegex(AssertionError, "Seccomp.*NoNewPrivs"):
                check_kernel_agrees(bridge)

    def test_it_does_not_start_without_hardening_where_that_is_required(self):
        said = refused_start(None, "--hardening", "false")
        self.assertRegex(said, "require-hardening .*cannot be met with hardening .false.")

    def test_it_does_not_start_where_it_may_lock_no_memory_and_says_what_to_do(self):
        sentence = refused_start(restraint.lock_no_memory)
        self.assertRegex(sentence, "memory_locked is not in force: .*LimitMEMLOCK")
        self.assertNotIn("landlock is not", sentence)

    def test_it_does_not_start_where_the_kernel_has_no_landlock_and_names_it(self):
        sentence = refused_start(restraint.without_landlock)
        self.assertRegex(sentence, "landlock is not in force: ")
        self.assertNotIn("seccomp is not", sentence)

    def test_it_starts_without_a_measure_where_none_is_required_and_says_which(self):
        with Bridge(restrain=restraint.without_landlock) as bridge:
            self.assertEqual({name for name, value in measures(bridge).items() if value == 0}, {"landlock"})
            self.assertRegex(bridge.output, "landlock is not in force: ")

    def test_at_start_it_tries_to_create_a_file_and_is_not_deceived_by_a_lockdown_that_only_says_yes(self):
        sentence = refused_start(restraint.pretended_lockdown)
        self.assertRegex(sentence, "no_file_writes is not in force: .*could create a file")
        with Bridge(restrain=restraint.pretended_lockdown) as bridge:
            self.assertEqual(until("the metric is there", lambda: measures(bridge))["no_file_writes"], 0)
            self.assertEqual(bridge.files(), [])  # what the attempt made, it removed


if __name__ == "__main__":
    unittest.main()
