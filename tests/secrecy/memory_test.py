"""Bodies and keys are not in memory that anybody could read: E3, H5 and H7, looked at from outside as root."""
import os
import tempfile
import unittest

import memory
from running import Bot, Bridge, needs_root, throughout, until
from tokens import TokenKey

GONE_WITHIN = 5     # seconds after a participant left: nothing of their media is in memory
NOTHING_OLDER = 3   # seconds: no packet is kept for longer
WIPING = 4          # seconds until a buffer that was given back is wiped, at most
OPENSSL = ("--crypto", "reference")   # what the tampering with ciphers stands in front of


def needle_options(needle, bodies):
    return ["--bodies", bodies, "--needle", needle.hex()]


def count(bridge, needle):
    return memory.scan(bridge.pid, {"needle": needle}).count("needle")


def check_gone(bridge, needle, within):
    """Not there any more within so many seconds, and not there again afterwards."""
    try:
        until("the needle is gone from the bridge's memory", lambda: count(bridge, needle) == 0, within)
    except AssertionError as error:
        raise AssertionError(f"{error}; {places(bridge, needle)}") from None
    throughout(1, lambda: check_never(bridge, needle))


def check_never(bridge, needle):
    found = places(bridge, needle)
    if found:
        raise AssertionError(f"plaintext is in the bridge's memory: {found}")


def places(bridge, needle):
    return memory.scan(bridge.pid, {"needle": needle}).found()


def secrets_as_bytes(event):
    """What one client shares with the bridge, as it stands in memory."""
    keys = {}
    for kind in ("srtp_master_keys", "srtp_session_keys"):
        keys |= {f"{kind} {i}": bytes.fromhex(key) for i, key in enumerate(event[kind])}
    return keys | {"dtls_master_secret": bytes.fromhex(event["dtls_master_secret"]),
                   "bridge_ice_password": event["bridge_ice_password"].encode(),
                   "client_ice_password": event["client_ice_password"].encode()}


def kinds_found(bridge, secrets):
    return {name.split()[0] for name in memory.scan(bridge.pid, secrets).found()}


def check_unreadable(bridge, secrets):
    found = memory.scan(bridge.pid, secrets).found()
    if found:
        raise AssertionError(f"secrets can be read in the bridge's memory: {found}")


@needs_root
class Bodies(unittest.TestCase):
    def setUp(self):
        self.needle = os.urandom(32)

    def call(self, bridge, bodies, *options):
        return Bot(bridge, *needle_options(self.needle, bodies), *options)

    def test_plain_media_is_in_memory_while_it_is_forwarded_and_gone_five_seconds_after_everyone_left(self):
        with Bridge() as bridge, self.call(bridge, "plain-vp8") as bot:
            bot.await_media()
            until("the honest control: plain media is found", lambda: count(bridge, self.needle) > 0)
            self.assertTrue(bot.hang_up())
            check_gone(bridge, self.needle, GONE_WITHIN)

    def test_media_and_keys_that_went_through_the_kernels_are_gone_after_everyone_left(self):
        with Bridge("--crypto", "cuda-emulated") as bridge, self.call(bridge, "plain-vp8", "--show-keys") as bot:
            secrets = secrets_as_bytes(bot.secrets())
            bot.await_media()
            until("plain media is found", lambda: count(bridge, self.needle) > 0)
            self.assertIn('viaduct_cuda_failures_total{worker="0",direction="protect"} 0', bridge.metrics())
            self.assertTrue(bot.hang_up())
            check_gone(bridge, self.needle, GONE_WITHIN)
            check_unreadable(bridge, secrets)

    def test_media_of_somebody_who_left_is_gone_while_the_others_go_on(self):
        with Bridge() as bridge, Bot(bridge, "--bodies", "random") as staying:
            staying.await_media()
            with self.call(bridge, "plain-vp8") as leaving:
                leaving.await_media()
                until("plain media is found", lambda: count(bridge, self.needle) > 0)
                leaving.hang_up()
                check_gone(bridge, self.needle, GONE_WITHIN)
            staying.hear("counts")

    def test_no_packet_is_kept_longer_than_three_seconds_while_the_call_goes_on(self):
        with Bridge() as bridge, self.call(bridge, "plain-vp8", "--needle-for", "1") as bot:
            bot.await_media()
            until("plain media is found", lambda: count(bridge, self.needle) > 0)
            check_gone(bridge, self.needle, 1 + NOTHING_OLDER + WIPING)
            self.assertTrue(bot.hang_up())

    def test_sound_that_was_mixed_is_gone_five_seconds_after_everyone_left(self):
        with Bridge() as bridge, self.call(bridge, "plain-vp8", "--mixed", "--audio") as bot:
            bot.await_media()
            until("sound on its way to the mix is found", lambda: count(bridge, self.needle) > 0)
            self.assertTrue(bot.hang_up())
            check_gone(bridge, self.needle, GONE_WITHIN)

    def test_media_encrypted_end_to_end_is_never_in_memory_in_clear(self):
        e2ee = ["--declare-e2ee", "--e2ee-wanted"]
        with Bridge() as bridge, self.call(bridge, "sframe", *e2ee) as bot:
            bot.await_media()
            throughout(4, lambda: check_never(bridge, self.needle))
            self.assertTrue(bot.hang_up(), bot.output)
            throughout(1, lambda: check_never(bridge, self.needle))

    def test_media_in_clear_lies_only_in_memory_that_is_locked_and_left_out_of_dumps(self):
        with Bridge() as bridge, self.call(bridge, "plain-vp8") as bot:
            bot.await_media()
            check_places(bridge, self.needle)

    def test_a_bridge_that_records_is_found_out(self):
        with Bridge(*OPENSSL, sabotage="keep_bodies") as bridge, self.call(bridge, "plain-vp8") as bot:
            bot.await_media()
            bot.hang_up()
            with self.assertRaisesRegex(AssertionError, "the needle is gone"):
                check_gone(bridge, self.needle, GONE_WITHIN)

    def test_a_bridge_that_forgets_to_wipe_is_found_out(self):
        with Bridge(sabotage="skip_wiping") as bridge, self.call(bridge, "plain-vp8", "--needle-for", "1") as bot:
            bot.await_media()
            with self.assertRaisesRegex(AssertionError, "the needle is gone"):
                check_gone(bridge, self.needle, 1 + NOTHING_OLDER + WIPING)

    def test_a_sender_that_does_not_encrypt_is_found_out(self):
        with Bridge() as bridge, self.call(bridge, "plain-vp8", "--declare-e2ee", "--e2ee-wanted") as bot:
            bot.await_media()
            with self.assertRaisesRegex(AssertionError, "plaintext is in the bridge's memory"):
                throughout(4, lambda: check_never(bridge, self.needle))

    def test_a_bridge_that_locks_nothing_is_found_out(self):
        with Bridge(sabotage="lock_nothing") as bridge, self.call(bridge, "plain-vp8") as bot:
            bot.await_media()
            with self.assertRaisesRegex(AssertionError, "media lies in"):
                check_places(bridge, self.needle)


def check_places(bridge, needle):
    """Every mapping that holds media in clear is locked (lo) and left out of dumps (dd)."""
    places = until("plain media is found", lambda: memory.scan(bridge.pid, {"needle": needle}).hits["needle"])
    for mapping, _ in places:
        if not {"lo", "dd"} <= set(mapping.flags):
            raise AssertionError(f"media lies in {mapping}")


@needs_root
class Keys(unittest.TestCase):
    def test_keys_and_passwords_can_never_be_read(self):
        with tempfile.TemporaryDirectory() as folder:
            key = TokenKey(folder)
            with Bridge(*key.options) as bridge, Bot(bridge, "--show-keys", "--token", key.token) as bot:
                bot.await_media()
                secrets = secrets_as_bytes(bot.secrets()) | {"token_secret": key.secret}
                self.assertTrue(any(m.is_secret for m in memory.mappings(bridge.pid)), "no mapping is of memfd_secret")
                throughout(3, lambda: check_unreadable(bridge, secrets))
                self.assertTrue(bot.hang_up())
                throughout(2, lambda: check_unreadable(bridge, secrets))

    def test_a_bridge_that_keeps_keys_in_ordinary_memory_is_found_out(self):
        with Bridge(*OPENSSL, sabotage="keep_keys") as bridge, Bot(bridge, "--show-keys") as bot:
            bot.await_media()
            secrets = secrets_as_bytes(bot.secrets())
            kept = {"srtp_master_keys", "srtp_session_keys", "dtls_master_secret", "bridge_ice_password"}
            until("all kinds of keys that it keeps are found", lambda: kept <= kinds_found(bridge, secrets))
            with self.assertRaisesRegex(AssertionError, "secrets can be read"):
                check_unreadable(bridge, secrets)


if __name__ == "__main__":
    unittest.main()
