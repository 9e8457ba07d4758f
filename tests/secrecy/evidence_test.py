"""Who claims end-to-end encryption and does not encrypt is found out, and nobody else is accused."""
import unittest

from running import Bot, Bridge, until

WITHIN = 5  # seconds from the first media on
E2EE = ["--declare-e2ee", "--e2ee-wanted"]
KINDS = ("--audio", "--video")


def streams(bridge):
    """What /v1/conferences/{id}/privacy says of every stream that is sent."""
    report = bridge.privacy()
    return [stream for person in report["participants"] for stream in person["sends"]] if report else []


def verdicts(bridge):
    return {stream["verdict"] for stream in streams(bridge)}


def check_verdict(bridge, verdict, streams_sent=2):
    """Within five seconds it is the verdict on every stream."""
    until(f"every stream is {verdict}",
          lambda: len(streams(bridge)) == streams_sent and verdicts(bridge) == {verdict}, WITHIN)


class Evidence(unittest.TestCase):
    def test_a_sender_that_declares_encryption_and_sends_plain_video_is_contradicted_within_five_seconds(self):
        with Bridge() as bridge, Bot(bridge, "--video", "--bodies", "plain-vp8", *E2EE) as bot:
            bot.await_media()
            check_verdict(bridge, "contradicted")
            bot.hear("participant-changed", lambda e: e["participant"]["e2ee"]["verdict"] == "contradicted")

    def test_frames_in_sframe_are_consistent_within_five_seconds(self):
        for kind in KINDS:
            with self.subTest(kind=kind), Bridge() as bridge, Bot(bridge, kind, "--bodies", "sframe", *E2EE) as bot:
                bot.await_media()
                check_verdict(bridge, "consistent")
                self.assertTrue(bot.hang_up(), bot.output)  # every body arrived as it was sent

    def test_the_verdict_on_honest_frames_is_no_verdict_on_false_ones(self):
        with Bridge() as bridge, Bot(bridge, "--video", "--bodies", "sframe", *E2EE) as bot:
            bot.await_media()
            with self.assertRaisesRegex(AssertionError, "every stream is contradicted"):
                check_verdict(bridge, "contradicted")

    def test_random_bodies_are_never_contradicted(self):
        with Bridge() as bridge, Bot(bridge, "--bodies", "random", *E2EE) as bot:
            bot.await_media()
            for _ in range(8):  # seconds
                bot.next_counts()
                self.assertLessEqual(verdicts(bridge), {"undecided", "consistent"})

    def test_plain_media_that_nobody_declares_is_undeclared_and_forwarded(self):
        with Bridge() as bridge, Bot(bridge, "--video", "--bodies", "plain-vp8") as bot:
            bot.await_media()
            check_verdict(bridge, "undeclared")
            until("every stream is forwarded", lambda: all(stream["forwarded"] for stream in streams(bridge)), WITHIN)
            self.assertTrue(bot.hang_up(), bot.output)


class RequiredEncryption(unittest.TestCase):
    def test_plain_video_that_is_declared_encrypted_is_held_back_and_its_sender_learns_why(self):
        with Bridge() as bridge, Bot(bridge, "--video", "--bodies", "plain-vp8", "--declare-e2ee",
                                     "--require-e2ee") as bot:
            bot.hear("all-connected")
            bot.hear("held-back", lambda event: event["reason"] == "contradicted", seconds=15)
            self.assert_nothing_arrives(bridge, bot)

    def test_what_nobody_declares_is_held_back_at_once(self):
        with Bridge() as bridge, Bot(bridge, "--bodies", "sframe", "--require-e2ee") as bot:
            bot.hear("all-connected")
            bot.hear("held-back", lambda event: event["reason"] == "undeclared")
            self.assert_nothing_arrives(bridge, bot)

    def test_declared_sframe_is_forwarded(self):
        with Bridge() as bridge, Bot(bridge, "--bodies", "sframe", "--declare-e2ee", "--require-e2ee") as bot:
            bot.await_media()
            with self.assertRaises(AssertionError):
                self.assert_nothing_arrives(bridge, bot)
            self.assertTrue(bot.hang_up(), bot.output)

    def assert_nothing_arrives(self, bridge, bot):
        """From one second to the next nothing is received by anybody."""
        until("every stream is held back", lambda: all(s["held_back"] for s in streams(bridge)) and streams(bridge))
        before, after = bot.next_counts(), bot.next_counts()
        self.assertLess(sum(before["sent"].values()), sum(after["sent"].values()))
        self.assertEqual(before["received"], after["received"])


if __name__ == "__main__":
    unittest.main()
