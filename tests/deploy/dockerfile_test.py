"""The Dockerfile, read instruction by instruction, as far as that can be judged without building it."""
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import tomllib
import unittest

from project import ROOT, packages


class Instruction:
    def __init__(self, keyword, text, stage):
        self.keyword, self.text, self.stage = keyword, text, stage
        words = text.split()
        self.flags = [word for word in words if word.startswith("--")]
        self.words = [word for word in words if not word.startswith("--")]


def read_dockerfile():
    lines = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if not line.startswith("#")]
    instructions, stage = [], -1
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        if not line.strip():
            continue
        keyword, text = line.split(maxsplit=1)
        stage += keyword == "FROM"
        instructions.append(Instruction(keyword, text, stage))
    return instructions


class Dockerfile(unittest.TestCase):
    def setUp(self):
        self.instructions = read_dockerfile()
        self.last_stage = self.instructions[-1].stage

    def all_of(self, keyword, stage=None):
        return [one for one in self.instructions if one.keyword == keyword and stage in (None, one.stage)]

    def copied_from_context(self):
        return [one for one in self.all_of("COPY") if not any(flag.startswith("--from") for flag in one.flags)]

    def test_uses_known_instructions_and_begins_with_a_stage(self):
        known = {"FROM", "WORKDIR", "COPY", "RUN", "USER", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD"}
        self.assertLessEqual({one.keyword for one in self.instructions}, known)
        self.assertEqual(self.instructions[0].keyword, "FROM")

    def test_pins_every_base_image_to_bookworm(self):
        bases = [one.words[0] for one in self.all_of("FROM")]
        self.assertEqual(bases, ["debian:bookworm", "debian:bookworm-slim"])

    def test_copies_only_what_exists_and_is_not_ignored(self):
        lines = (ROOT / ".dockerignore").read_text().splitlines()
        ignored, *exceptions = [line for line in lines if line and not line.startswith("#")]
        self.assertEqual(ignored, "*")
        allowed = [pathlib.PurePath(line.removeprefix("!")) for line in exceptions]
        sources = [source for one in self.copied_from_context() for source in one.words[:-1]]
        self.assertIn("bridge", sources)
        for source in map(pathlib.PurePath, sources):
            self.assertTrue((ROOT / source).exists(), source)
            self.assertTrue(any(source.is_relative_to(path) for path in allowed), f"{source} is in .dockerignore")

    def test_copies_between_stages_only_forwards(self):
        names = {}
        for one in self.instructions:
            if one.keyword == "FROM" and "AS" in one.words:
                names[one.words[-1]] = one.stage
            for flag in one.flags:
                if flag.startswith("--from="):
                    self.assertLess(names[flag.removeprefix("--from=")], one.stage)

    def test_installs_from_the_list_of_packages_and_leaves_no_lists(self):
        installing = [one for one in self.all_of("RUN") if "install-packages" in one.text or "apt" in one.text]
        groups = [re.search(r"install-packages (\w+)", one.text)[1] for one in installing]
        self.assertEqual(groups, ["build", "run"])
        for one in installing:
            self.assertNotIn("apt-get", one.text)
            self.assertIn("rm -rf /var/lib/apt/lists/*", one.text)
            self.assertTrue(packages(re.search(r"install-packages (\w+)", one.text)[1]))

    def test_installs_packages_before_it_copies_sources(self):
        at = [one.text.split()[0] if one.keyword == "COPY" else one.text for one in self.instructions]
        install = next(i for i, text in enumerate(at) if "install-packages build" in text)
        self.assertLess(install, at.index("bridge"))

    def test_runs_as_a_user_without_privileges(self):
        users = self.all_of("USER", self.last_stage)
        self.assertEqual(len(users), 1)
        self.assertGreater(int(users[0].text), 999)
        created = " ".join(one.text for one in self.all_of("RUN", self.last_stage))
        self.assertIn(f"--uid {users[0].text} ", created)
        after = self.instructions[self.instructions.index(users[0]):]
        self.assertFalse([one for one in after if one.keyword in ("RUN", "COPY")])

    def test_starts_the_bridge_without_a_shell(self):
        self.assertEqual(json.loads(self.all_of("ENTRYPOINT")[-1].text), ["viaduct"])
        self.assertTrue(json.loads(self.all_of("CMD")[-1].text))
        self.assertTrue(json.loads(self.all_of("HEALTHCHECK")[-1].text.split("CMD")[1]))

    def test_exposes_the_ports_of_the_default_configuration(self):
        config = tomllib.loads((ROOT / "deploy" / "viaduct.toml").read_text())
        exposed = " ".join(one.text for one in self.all_of("EXPOSE", self.last_stage))
        self.assertIn(f"{config['page-address'].split(':')[1]}/tcp", exposed)
        self.assertIn(f"{config['media-port']}-", exposed)

    def test_copies_all_that_the_build_is_configured_from(self):
        with tempfile.TemporaryDirectory() as folder:
            for one in (one for one in self.copied_from_context() if one.stage == 0):
                *sources, target = one.words
                for source in sources:
                    # A folder is copied by its content, a file into a target that ends in a slash.
                    to = pathlib.Path(folder, target, pathlib.Path(source).name if target.endswith("/") else "")
                    to.parent.mkdir(parents=True, exist_ok=True)
                    (shutil.copytree if (ROOT / source).is_dir() else shutil.copy)(ROOT / source, to)
            configure = re.search(r"cmake --preset [^&]*", self.all_of("RUN", 0)[-1].text)[0].split()
            done = subprocess.run(configure, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            self.assertEqual(done.returncode, 0, done.stdout)
            self.assertIn("viaduct", subprocess.run(["ninja", "-C", f"{folder}/build/release", "-t", "targets", "all"],
                                                    stdout=subprocess.PIPE, text=True).stdout)


if __name__ == "__main__":
    unittest.main()
