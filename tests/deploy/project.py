"""Where things are, and the two questions that these tests ask Debian's package manager."""
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("VIADUCT_BUILD", ROOT / "build" / "release"))
VIADUCT = BUILD / "viaduct"

# What every Debian image has, whatever else it leaves out.
BASE_IMAGE = ["apt", "base-files", "base-passwd", "bash", "coreutils", "dash", "libc-bin", "passwd"]


def output_of(*command, **options):
    words = [str(word) for word in command]
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True, **options).stdout


def packages(*groups):
    return output_of(ROOT / "deploy" / "install-packages", "--list", *groups).split()


def with_dependencies(names):
    """The packages and all that they depend on (recommendations left out), as far as they are installed here."""
    lines = output_of("apt-cache", "depends", "--recurse", "--installed", "--no-recommends", "--no-suggests",
                      "--no-conflicts", "--no-breaks", "--no-replaces", "--no-enhances", *names).splitlines()
    return {line.split(":")[0] for line in lines if line and not line.startswith((" ", "<", "|"))}


def owners_of(paths):
    """{file: package that installed it}; files that no package installed are left out.

    /lib and /usr/lib are one folder, and a package may have been built with either name for it.
    """
    spellings = {}
    for path in paths:
        real = os.path.realpath(path)
        for name in {str(path), real, real.removeprefix("/usr"), "/usr" + real.removeprefix("/usr")}:
            spellings[name] = path
    found = subprocess.run(["dpkg-query", "--search", *spellings], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                           text=True).stdout
    owners = {}
    for line in found.splitlines():
        package, _, name = line.partition(": ")
        if name in spellings:
            owners[spellings[name]] = package.split(":")[0].split(",")[0]
    return owners
