"""`viaduct gpu-check` as a script would call it: its exit code, and where it says what."""
import ctypes
import json
import subprocess
import unittest

from project import VIADUCT


def has_driver():
    try:
        ctypes.CDLL("libcuda.so.1")
        return True
    except OSError:
        return False


class GpuCheck(unittest.TestCase):
    def run_it(self, *options):
        return subprocess.run([VIADUCT, "gpu-check", *options], capture_output=True, text=True)

    @unittest.skipIf(has_driver(), "this machine has an NVIDIA driver")
    def test_without_a_driver_says_so_in_one_sentence_and_exits_with_3(self):
        done = self.run_it()
        self.assertEqual((done.returncode, done.stdout), (3, ""))
        self.assertRegex(done.stderr, r"\Aviaduct gpu-check: [^\n]*(no NVIDIA driver|built without kernels)[^\n]*\n\Z")

    def test_finds_nothing_wrong_with_the_emulated_device(self):
        done = self.run_it("--emulated", "--json")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        report = json.loads(done.stdout)
        self.assertTrue(report["ok"] and report["emulated"])

    def test_prints_only_json_and_errors_where_they_belong(self):
        done = self.run_it("--emulated", "--jsn")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("'--jsn' is no option", done.stderr)


if __name__ == "__main__":
    unittest.main()
