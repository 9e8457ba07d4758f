"""Packets that DPDK's buffers held are gone when their people are, also where a GPU's kernels read them there."""
import os
import queue
import subprocess
import unittest

from addresses import CONTROL_BRIDGE
from namespaces import Cable, needs_namespaces
from running_dpdk import AF_PACKET, CAME_BACK, PAGE, DpdkBridge

from memory_test import GONE_WITHIN, check_gone, count, needle_options  # of tests/secrecy
from running import BUILD, Bot, Process, needs_root, until


class PeerBot(Bot):
    """Callers without a browser, at the other end of the cable."""

    def __init__(self, cable, *options):
        self.events, self.seen = queue.Queue(), []
        command = cable.peer.command(BUILD / "call_bot", "--url", f"ws://{CONTROL_BRIDGE}:{PAGE}", "--from", "0.0.0.0",
                                     "--stay", "--seconds", 90, *options)
        Process.__init__(self, command, stdin=subprocess.PIPE)


@needs_root
@needs_namespaces
class Memory(unittest.TestCase):
    def assert_gone_after_a_call(self, *options):
        needle = os.urandom(32)
        with Cable() as cable, DpdkBridge(cable, AF_PACKET, *options) as bridge:
            with PeerBot(cable, *needle_options(needle, "plain-vp8")) as bot:
                bot.await_media()
                until("plain media is found", lambda: count(bridge, needle) > 0)
                self.assertTrue(bot.hang_up())
                check_gone(bridge, needle, GONE_WITHIN)
            metrics = bridge.ask("/metrics")
            self.assertEqual(bridge.stop(), 0, bridge.output)
            self.assertIn(CAME_BACK, bridge.output)
        return metrics

    def test_holds_nothing_of_people_who_left(self):
        self.assert_gone_after_a_call()

    def test_is_lent_to_the_kernels_and_holds_nothing_afterwards_either(self):
        metrics = self.assert_gone_after_a_call("--crypto", "cuda-emulated")
        self.assertIn('viaduct_cuda_failures_total{worker="0",direction="protect"} 0', metrics)
        self.assertNotIn('viaduct_cuda_launches_total{worker="0",direction="protect"} 0\n', metrics)


if __name__ == "__main__":
    unittest.main()
