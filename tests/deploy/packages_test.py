"""deploy/packages against what the build really reads and the program really loads."""
import pathlib
import re
import subprocess
import unittest

from project import BASE_IMAGE, BUILD, ROOT, VIADUCT, output_of, owners_of, packages, with_dependencies


def loaded_libraries():
    """The shared libraries that the dynamic linker finds for the program."""
    return re.findall(r"=> (/\S+)", output_of("ldd", VIADUCT))


def dpdk_drivers():
    """The plug-ins that DPDK looks for when it starts."""
    return list(pathlib.Path("/usr/lib").glob("*/dpdk/pmds-*/librte_*.so.*"))


def read_headers():
    """The system's headers that the compiler read for the program (not its tests), from ninja's log of dependencies."""
    headers, ours = set(), False
    for line in output_of("ninja", "-C", BUILD, "-t", "deps").splitlines():
        if not line.startswith(" "):
            ours = line.startswith(("bridge/", "dpdk/", "kernels/"))
        elif ours and line.strip().startswith("/usr/"):
            headers.add(line.strip())
    return headers


class Packages(unittest.TestCase):
    def simulate(self, names):
        done = subprocess.run(["apt-get", "install", "--simulate", "--no-install-recommends", *names],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_of_the_build_can_be_installed_together(self):
        self.simulate(packages("build"))

    def test_of_the_program_can_be_installed_together(self):
        self.simulate(packages("run"))

    def test_of_the_tests_can_be_installed_together(self):
        # Node.js may be here from elsewhere, with an npm that excludes Debian's.
        self.simulate([name for name in packages("build", "run", "test") if name not in ("nodejs", "npm")])

    def test_of_the_build_bring_every_header_that_it_reads(self):
        headers = read_headers()
        self.assertTrue(headers)
        owners = owners_of(headers)
        missing = set(owners.values()) - with_dependencies(packages("build") + BASE_IMAGE)
        self.assertEqual(missing, set(), "packages that the build reads headers of")

    def test_of_the_program_bring_every_library_that_it_loads(self):
        libraries = loaded_libraries()
        owners = owners_of(libraries)
        self.assertEqual(set(libraries), set(owners), "libraries from packages")
        missing = set(owners.values()) - with_dependencies(packages("run") + BASE_IMAGE)
        self.assertEqual(missing, set(), "packages of libraries that the program loads")

    def test_of_the_program_are_all_needed(self):
        needed = set(owners_of(loaded_libraries()).values()) | set(owners_of(dpdk_drivers()).values())
        self.assertEqual(set(packages("run")) - needed, set())

    def test_of_the_program_bring_the_drivers_that_need_no_hardware(self):
        owners = {path.name.split(".")[0]: owner for path, owner in owners_of(dpdk_drivers()).items()}
        for driver in ("mempool_ring", "net_af_packet", "net_af_xdp", "net_tap"):
            self.assertIn(owners[f"librte_{driver}"], packages("run"))

    def test_are_named_once(self):
        names = packages("build", "run", "test")
        self.assertEqual(len(names), len(set(names)))

    def test_of_an_unknown_group_are_refused(self):
        done = subprocess.run([ROOT / "deploy" / "install-packages", "everything"], stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("'everything' is no group of deploy/packages", done.stderr)


if __name__ == "__main__":
    unittest.main()
