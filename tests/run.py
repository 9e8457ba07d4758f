"""Builds Viaduct and runs its tests, part by part, and counts them. Started by tests/run.

The last line says `N passed, N failed, N skipped`; the exit status is 1 when anything failed. A part that cannot even
be built or started counts as one failure. Logs lie in build/tests.
"""
import argparse
import concurrent.futures
import dataclasses
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = ROOT / "build"
LOGS = BUILD / "tests"
MINUTES = 60
SHOWN_LINES = 200  # of a failed step's log
UNSTEADY = []      # files of browser tests that passed only at the second try; named at the end


@dataclasses.dataclass(frozen=True)
class Counts:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other):
        return Counts(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def __str__(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


class StepFailed(Exception):
    """A step that had to succeed before tests could run did not."""


class Step:
    """One command of a part: its output goes to a log, which is shown when it fails."""

    def __init__(self, part, jobs):
        self.part, self.jobs = part, jobs

    def run(self, name, command, minutes, cwd=ROOT):
        """The exit status; 124 when it took too long."""
        log = LOGS / f"{self.part}-{name}.log"
        say(f"{self.part}: {name}")
        with open(log, "wb") as out:
            process = subprocess.Popen([str(word) for word in command], cwd=cwd, stdin=subprocess.DEVNULL,
                                       stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
            try:
                status = process.wait(minutes * MINUTES)
            except subprocess.TimeoutExpired:
                status = 124
            except BaseException:
                stop_group(process)
                raise
            if status == 124:
                stop_group(process)
                out.write(f"\nstopped after {minutes} minutes\n".encode())
        if status != 0:
            show_tail(log)
        return status

    def must(self, name, command, minutes, **options):
        if self.run(name, command, minutes, **options) != 0:
            raise StepFailed(name)

    def configure(self, preset):
        self.must("configure", ["cmake", "--preset", preset, "-DVIADUCT_TESTS=ON"], 5)

    def build(self, preset, targets=()):
        self.configure(preset)
        chosen = ["--target", *targets] if targets else []
        self.must("build", ["cmake", "--build", "--preset", preset, "--parallel", self.jobs, *chosen], 60)

    def ctest(self, preset, *selection):
        """The tests of a preset that `selection` (ctest's -R, -E) leaves."""
        report, whole = LOGS / f"{self.part}.xml", BUILD / preset / "gtest"
        for old in (report, *whole.glob("*.xml")):
            old.unlink(missing_ok=True)
        status = self.run("test", ["ctest", "--test-dir", BUILD / preset, "--output-on-failure", "--no-tests=error",
                                   "--parallel", self.jobs, "--output-junit", report, *selection], 30)
        if not report.exists():
            return Counts(failed=1)
        counts = junit_counts(report, whole)
        return counts if status == 0 or counts.failed else counts + Counts(failed=1)


def say(text):
    print(text, flush=True)


def show_tail(log):
    lines = log.read_text(errors="replace").splitlines()
    say("\n".join(["-" * 80, *lines[-SHOWN_LINES:], "-" * 80]))


def stop_group(process):
    """Ends a command together with what it has started."""
    try:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(10)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def junit_counts(report, whole):
    """Over CTest's tests. One that is a whole binary of GoogleTest counts by the report which that left in `whole`."""
    counts = Counts()
    for case in ElementTree.parse(report).getroot().findall("testcase"):
        own, binary = case_counts(case), whole / f"{case.get('name').replace('/', '_')}.xml"
        if binary.exists():
            inside = gtest_counts(binary)
            own = inside if inside.failed or not own.failed else inside + own  # a leak shows only after the last test
        counts += own
    return counts


def case_counts(case):
    """A test that did not run was skipped only if it said so itself; one that could not be started has failed."""
    skipped = case.find("skipped")
    if case.get("status") == "run":
        return Counts(passed=1)
    if case.get("status") == "disabled" or (skipped is not None and "SKIP_" in skipped.get("message", "")):
        return Counts(skipped=1)
    return Counts(failed=1)


def gtest_counts(report):
    counts = Counts()
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        if case.find("failure") is not None:
            counts += Counts(failed=1)
        elif case.get("status") == "notrun" or case.get("result") == "skipped":
            counts += Counts(skipped=1)
        else:
            counts += Counts(passed=1)
    return counts


def run_unit(step):
    """CTest of the release build: unit, packets, sim, differential"""
    step.build("release")
    return step.ctest("release", "--exclude-regex", "^(style|deploy|secrecy|load|dpdk)")


def run_style(step):
    """the rules of the code base: includes, clocks, headers"""
    step.configure("release")  # they read sources, and how each is compiled
    return step.ctest("release", "--tests-regex", "^style")


def run_deploy(step):
    """Dockerfile, packages, installation"""
    step.build("release")
    return step.ctest("release", "--tests-regex", "^deploy")


def run_secrecy(step):
    """what root can find out about a running bridge, and sabotaged ones"""
    step.build("release", ["viaduct", "call_bot", "sabotage"])
    return step.ctest("release", "--tests-regex", "^secrecy")


def run_load(step):
    """the load tester against a bridge on loopback, for a few seconds each"""
    step.build("release", ["viaduct", "viaduct-load"])
    return step.ctest("release", "--tests-regex", "^load")


def run_dpdk(step):
    """a bridge on DPDK's virtual ports, from another network namespace; needs root"""
    step.build("release", ["viaduct", "viaduct-load"])
    return step.ctest("release", "--tests-regex", "^dpdk")


def run_sanitizers(step):
    """unit, packets, sim and differential under ASan and UBSan"""
    step.build("fuzz", ["gtests"])
    return step.ctest("fuzz", "--exclude-regex", "^(style|deploy|secrecy|load|dpdk)")


def run_fuzz(step):
    """every fuzzer for ten seconds"""
    names = sorted(source.stem for source in (ROOT / "tests" / "fuzz").glob("*_fuzz.cc"))
    if not names:
        raise StepFailed("there is no fuzzer in tests/fuzz")
    step.build("fuzz", names)
    with concurrent.futures.ThreadPoolExecutor(step.jobs) as pool:
        return sum(pool.map(lambda name: run_fuzzer(step, name), names), Counts())


def run_fuzzer(step, name):
    corpus = BUILD / "fuzz" / "corpus" / name
    corpus.mkdir(parents=True, exist_ok=True)
    limits = ["-max_total_time=10", "-timeout=10", "-rss_limit_mb=2048"]
    status = step.run(name, [BUILD / "fuzz" / name, corpus, *limits, f"-artifact_prefix={LOGS}/{name}-"], 3)
    return Counts(passed=1) if status == 0 else Counts(failed=1)


def run_interop(step):
    """real Chromium and Firefox in conferences on the release build"""
    step.build("release", ["viaduct"])
    folder = ROOT / "tests" / "interop"
    installed = folder / "node_modules" / ".package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < (folder / "package-lock.json").stat().st_mtime:
        step.must("npm", ["npm", "ci", "--no-audit", "--no-fund"], 5, cwd=folder)
    return sum((run_interop_file(step, file) for file in sorted(folder.glob("*.test.mjs"))), Counts())


def run_interop_file(step, file):
    """Browsers keep real time beside whatever else the machine does: a file that fails has a second try and says so."""
    for attempt in ("", "-again"):
        name = file.name.removesuffix(".test.mjs") + attempt
        report = LOGS / f"interop-{name}.tap"
        report.unlink(missing_ok=True)
        status = step.run(name, ["node", "--test", "--test-reporter=spec", "--test-reporter-destination=stdout",
                                 "--test-reporter=tap", f"--test-reporter-destination={report}", file],
                          20, cwd=file.parent)
        counts = tap_counts(report)
        if status == 0:
            if attempt:
                UNSTEADY.append(file.name)
            return counts
        say(f"interop: {file.name} failed" + ("; it passes only if a second run does" if not attempt else " twice"))
    return counts if counts.failed else counts + Counts(failed=1)


def tap_counts(report):
    """From the totals that node writes last: `# pass 12`."""
    if not report.exists():
        return Counts()
    found = re.findall(r"^# (pass|fail|cancelled|skipped|todo) (\d+)$", report.read_text(), re.M)
    totals = {key: int(number) for key, number in found}
    return Counts(totals.get("pass", 0), totals.get("fail", 0) + totals.get("cancelled", 0),
                  totals.get("skipped", 0) + totals.get("todo", 0))


# In this order: what finds a fault soonest comes first, and what shares a build is together.
PARTS = {"style": run_style, "unit": run_unit, "deploy": run_deploy, "secrecy": run_secrecy, "load": run_load,
         "dpdk": run_dpdk, "sanitizers": run_sanitizers, "fuzz": run_fuzz, "interop": run_interop}


def run_part(part, jobs):
    try:
        return PARTS[part](Step(part, jobs))
    except StepFailed as failure:
        say(f"{part}: failed: {failure}")
        return Counts(failed=1)


def print_table(rows):
    say(f"\n{'part':<12}{'passed':>8}{'failed':>8}{'skipped':>9}{'time':>9}")
    for part, counts, seconds in rows:
        minutes, rest = divmod(round(seconds), 60)
        say(f"{part:<12}{counts.passed:>8}{counts.failed:>8}{counts.skipped:>9}{f'{minutes}:{rest:02}':>9}")


def parse_arguments():
    described = "\n".join(f"  {part:<12}{run.__doc__}" for part, run in PARTS.items())
    parser = argparse.ArgumentParser(prog="tests/run", formatter_class=argparse.RawDescriptionHelpFormatter,
                                     description=__doc__, epilog=f"parts:\n{described}")
    parser.add_argument("parts", nargs="*", metavar="PART", help="what to run (default: all parts)")
    parser.add_argument("-j", "--jobs", type=int, default=len(os.sched_getaffinity(0)), metavar="N",
                        help="compile and test this many at a time (default: %(default)s, the cores)")
    parser.add_argument("--no-install", action="store_true", help="do not look for missing packages")
    options = parser.parse_args()
    unknown = [part for part in options.parts if part not in PARTS]
    if unknown or options.jobs < 1:
        parser.error(f"no such part: {unknown[0]}; there are {', '.join(PARTS)}" if unknown else "--jobs is at least 1")
    return options


def main():
    options = parse_arguments()
    LOGS.mkdir(parents=True, exist_ok=True)
    rows = []
    for part in options.parts or PARTS:
        started = time.monotonic()
        counts = run_part(part, options.jobs)
        rows.append((part, counts, time.monotonic() - started))
        say(f"{part}: {counts}")
    print_table(rows)
    if UNSTEADY:
        say(f"\npassed only at the second try: {', '.join(UNSTEADY)}")
    total = sum((counts for _, counts, _ in rows), Counts())
    say(f"\n{total}")
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main())
