"""viaduct-load against a real bridge on loopback: what it reports, and how it exits."""
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "secrecy"))
from running import BUILD, Bridge  # noqa: E402

SCENARIO = """version: 1
name: end to end
duration: 4s
settle: 500ms
conferences:
  - name: room
    count: 2
    bodies: {bodies}
    groups:
      - name: people
        participants: 3
        send:
          audio: {{senders: all, talk: 100 %}}
          video: {{senders: 2, layers: [{{size: 320x180, fps: 20, bitrate: 300 kbit/s}}]}}
        receive: {{audio: 3, video: 3}}
        network: {{both: {{loss: {loss}}}}}
timeline:
  - {{at: 1s, do: leave, group: people, count: 1}}
  - {{at: 2s, do: join, group: people, count: 1}}
  - {{at: 3s, do: mute, media: video, group: people, count: 1}}
thresholds: {{failed-joins: 0 %, corrupt-packets: 0, loss: {allowed}}}
"""


# The machine may be busy with other things: how late packets may leave is not what most tests ask.
PATIENT = ["--max-lateness", 10_000]


class Load:
    """One run of the load tester, over and done."""

    def __init__(self, port, *options, scenario=None):
        with tempfile.TemporaryDirectory(prefix="viaduct-load-") as folder:
            folder = pathlib.Path(folder)
            files = {kind: folder / f"report.{kind}" for kind in ("json", "csv", "html")}
            command = [BUILD / "viaduct-load", "--url", f"ws://127.0.0.1:{port}", "--quiet", *options]
            for kind, path in files.items():
                command += [f"--{kind}", path]
            if scenario:
                (folder / "scenario.yaml").write_text(scenario)
                command += ["--scenario", folder / "scenario.yaml"]
            done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  text=True, timeout=120)
            self.code, self.out, self.err = done.returncode, done.stdout, done.stderr
            self.files = {kind: path.read_text() for kind, path in files.items() if path.exists()}
        self.json = json.loads(self.files["json"]) if "json" in self.files else None


class LoadTester(unittest.TestCase):
    def run_scenario(self, bridge, *options, bodies="plain", loss="0 %", allowed="100 %"):
        return Load(bridge.page, "--bridge-pid", bridge.pid, *PATIENT, *options,
                    scenario=SCENARIO.format(bodies=bodies, loss=loss, allowed=allowed))

    def test_passes_a_scenario_and_reports_on_it(self):
        with Bridge(log_level="warn") as bridge:
            load = self.run_scenario(bridge, "--verify", "all")
        self.assertEqual(load.code, 0, load.out + load.err)
        report = load.json
        self.assertEqual(report["verdict"], "passed")
        self.assertEqual(report["joins"]["begun"], 8)
        self.assertEqual(report["joins"]["connected"], 8)
        for kind in ("audio", "video"):
            received = report["kinds"][kind]["received"]
            self.assertGreater(received["packets"], 100)
            self.assertEqual(received["verified"], received["packets"])
            self.assertEqual(received["corrupt"], 0)
            self.assertGreater(report["kinds"][kind]["latency_milliseconds"]["p50"], 0)
        for phase in ("signalling", "ice", "dtls", "first_media"):
            self.assertEqual(report["joins"]["milliseconds"][phase]["count"], 8, phase)
        self.assertGreater(report["bridge"]["cpu_us_per_packet_received"], 0)
        self.assertIn("Verdict: passed", load.out)
        self.assertIn("<svg", load.files["html"])
        self.assertGreaterEqual(len(load.files["csv"].splitlines()), 4)

    def test_gets_every_packet_intact_from_the_kernels(self):
        for profile in ("gcm256", "sha1"):
            with Bridge("--crypto", "cuda-emulated", log_level="warn") as bridge:
                load = Load(bridge.page, "--video-publishers", 1, "--subscribers", 2, "--pps", 60, "--duration", 3,
                            "--profile", profile, "--verify", "all", *PATIENT)
                metrics = bridge.metrics()
            self.assertEqual(load.code, 0, load.out + load.err)
            received = load.json["received"]
            self.assertGreater(received["packets"], 200)
            self.assertEqual(load.json["kinds"]["video"]["received"]["corrupt"], 0)
            self.assertEqual(load.json["kinds"]["video"]["received"]["verified"], received["packets"])
            by_device = re.search(r'viaduct_cipher_packets_total{.*"protect",reason="device"} (\d+)', metrics)
            self.assertGreaterEqual(int(by_device[1]), received["packets"])

    def test_sends_bodies_as_end_to_end_encryption_leaves_them(self):
        with Bridge(log_level="warn") as bridge:
            load = self.run_scenario(bridge, "--verify", "all", bodies="sealed")
        self.assertEqual(load.code, 0, load.out + load.err)
        self.assertGreater(load.json["kinds"]["video"]["received"]["verified"], 50)

    def test_tells_losses_of_its_own_impairment_from_those_of_the_bridge(self):
        with Bridge(log_level="warn") as bridge:
            load = self.run_scenario(bridge, "--verify", "all", loss="10 %")
        lost = load.json["received"]["lost"]
        self.assertGreater(lost["impairment"], 100)
        self.assertEqual(load.json["received"]["reordered"], 0)
        self.assertLess(lost["bridge"], lost["impairment"] / 10)

    def test_measures_packets_of_one_size_at_a_fixed_rate(self):
        with Bridge(log_level="warn") as bridge:
            load = Load(bridge.page, "--video-publishers", 1, "--subscribers", 4, "--pps", 500, "--duration", 3,
                        "--profile", "sha1", *PATIENT, "--metrics-url", f"http://127.0.0.1:{bridge.admin}/metrics")
        self.assertEqual(load.code, 0, load.out + load.err)
        self.assertEqual(load.json["srtp_profile"], "AES128_CM_HMAC_SHA1_80")
        sent, received = load.json["sent"]["packets"], load.json["received"]["packets"]
        self.assertAlmostEqual(received / (4 * sent), 1, delta=0.05)
        self.assertIsNotNone(load.json["bridge"])

    def test_exits_with_1_when_a_threshold_is_missed(self):
        with Bridge(log_level="warn") as bridge:
            load = Load(bridge.page, "--bridge-pid", bridge.pid, "--participants", 2, "--senders", 2, "--duration", 2,
                        *PATIENT, "--max-bridge-cpu", "0.0000001")
        self.assertEqual(load.code, 1, load.out + load.err)
        self.assertEqual(load.json["verdict"], "threshold missed")

    def test_exits_with_2_when_it_cannot_keep_up_itself(self):
        with Bridge(log_level="warn") as bridge:
            load = Load(bridge.page, "--video-publishers", 1, "--subscribers", 1, "--pps", 50_000_000,
                        "--duration", 2, "--max-bridge-cpu", "0.0000001")
        self.assertEqual(load.code, 2, load.out + load.err)
        self.assertIn("behind their schedule", load.out)

    def test_exits_with_3_and_a_sentence_when_it_is_used_wrongly(self):
        for options in (["--participants", 2, "--profile", "rot13"], [],
                        ["--participants", 1, "--bridge-pid", 1 << 29]):
            load = Load(1, *options)
            self.assertEqual(load.code, 3, load.out + load.err)
            self.assertTrue(load.err.strip())
        load = Load(1, scenario="version: 1\nspeed: fast\n")
        self.assertEqual(load.code, 3)
        self.assertIn("scenario.yaml:", load.err)

    def test_exits_with_4_when_there_is_no_bridge(self):
        load = Load(1, "--participants", 1, "--duration", 1)
        self.assertEqual(load.code, 4, load.out + load.err)
        self.assertIn("Nobody could connect", load.err)


if __name__ == "__main__":
    unittest.main()
