"""Logs and metrics keep to themselves what they must: H8. No key, password, token or address of a participant."""
import base64
import os
import tempfile
import unittest

from running import Bot, Bridge
from tokens import TokenKey

CLIENT = "127.77.3.9"  # an address that nothing else in a test has


def spellings(name, secret):
    """{what it is: how it might be written} for bytes."""
    return {f"{name} in hex": secret.hex(), f"{name} in upper case hex": secret.hex().upper(),
            f"{name} in hex with colons": secret.hex(":"),
            f"{name} in base64": base64.b64encode(secret).decode().rstrip("=")}


def what_must_not_be_said(events, key, needle):
    texts = {"the client's address": CLIENT, "the token": key.token, "the token's secret": key.secret.decode()}
    texts |= spellings("the media", needle)
    for event in events:
        texts |= {"the bridge's ICE password": event["bridge_ice_password"],
                  "the client's ICE password": event["client_ice_password"]}
        texts |= spellings("the DTLS master secret", bytes.fromhex(event["dtls_master_secret"]))
        for key in event["srtp_master_keys"] + event["srtp_session_keys"]:
            texts |= spellings("an SRTP key", bytes.fromhex(key))
    return texts


def check_silent(where, said, secrets):
    found = sorted(name for name, text in secrets.items() if text in said)
    if found:
        raise AssertionError(f"the {where} names {found}")


def check_call(**bridge_options):
    """A call with tokens from a known address; then all that the bridge wrote and exports is looked through."""
    needle = os.urandom(32)
    with tempfile.TemporaryDirectory() as folder:
        key = TokenKey(folder)
        with Bridge(*key.options, **bridge_options) as bridge:
            with Bot(bridge, "--show-keys", "--from", CLIENT, "--token", key.token, "--bodies", "needle", "--needle",
                     needle.hex()) as bot:
                bot.await_media()
                address = bot.hear("connected")["address"]
                secrets = what_must_not_be_said([bot.secrets(1), bot.secrets(2)], key, needle)
                secrets["the client's address and port"] = address
                bot.hear("counts")
                metrics = bridge.metrics()
                bot.hang_up()
            bridge.end()
            check_silent("log", bridge.output, secrets)
            check_silent("metrics", metrics, secrets)
            return bridge.output, metrics


class Silence(unittest.TestCase):
    def test_neither_log_nor_metrics_name_keys_passwords_tokens_media_or_addresses_of_participants(self):
        log, metrics = check_call(log_level="trace")
        self.assertGreater(len(log.splitlines()), 3)  # it did say something
        self.assertIn("viaduct_joins_total", metrics)

    def test_a_bridge_that_talks_is_found_out(self):
        with self.assertRaisesRegex(AssertionError, "the log names .*the bridge's ICE password.*the client's address"):
            check_call(sabotage="talk")


if __name__ == "__main__":
    unittest.main()
