"""Each header compiles alone.

The build itself proves it of a header that one of its sources includes before anything else, and most sources begin
with their own. For each other header a file that includes nothing else is handed to the compiler for a syntax check.
What compiled once is remembered in the build folder by a hash over the header, all it includes of ours, and the flags.
"""

import concurrent.futures
import hashlib
import json
import pathlib
import re
import shlex
import subprocess


def commands(build):
    """(source file, words of its command) for each that is compiled."""
    entries = json.loads((pathlib.Path(build) / 'compile_commands.json').read_text())
    return [(pathlib.Path(entry['file']), shlex.split(entry['command'])) for entry in entries]


def flags_of_folders(compiled):
    """Folder of a source file -> the compiler and flags that build it. Sanitizers do not matter to syntax."""
    flags = {}
    for source, words in compiled:
        kept, skip = [], False
        for word in words:
            if skip:
                skip = False
            elif word in ('-o', '-MT', '-MF', '-c'):
                skip = True
            elif not re.match(r'-(fsanitize|fno-sanitize|O|g|M)', word) and not word.endswith('ccache'):
                kept.append(word)
        flags.setdefault(source.parent, kept)
    return flags


def first_of_a_source(tree, compiled):
    """The headers of ours before which the compiler sees nothing but comments when it compiles some source."""
    found = set()
    for source, words in compiled:
        if not source.is_relative_to(tree.root) or not source.is_file() or any('cmake_pch' in word for word in words):
            continue
        path = source.relative_to(tree.root)
        first, includes = re.search(r'\S.*', tree.code(path)), tree.includes(path)
        if includes and includes[0][1] == '"' and re.match(r'#\s*include\b', first[0]):
            found.update(base / includes[0][2] for base in (pathlib.Path('bridge'), pathlib.Path()))
    return found


def closure(tree, header):
    """The header and every file of ours that it includes, directly or not."""
    seen, waiting = set(), [header]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        for _, kind, name in tree.includes(path):
            for base in (pathlib.Path('bridge'), pathlib.Path()):
                if kind == '"' and (tree.root / base / name).is_file():
                    waiting.append(base / name)
    return sorted(seen)


def compile_alone(tree, header, command):
    name = header.relative_to('bridge') if header.parts[0] == 'bridge' else header
    done = subprocess.run([*command, '-fsyntax-only', '-x', 'c++', '-'], input=f'#include "{name}"\n', text=True,
                          capture_output=True, cwd=tree.root, check=False)
    first_error = next((line for line in done.stderr.splitlines() if 'error' in line), done.stderr.strip())
    return [] if done.returncode == 0 else [f'{header}: does not compile alone: {first_error}']


def check_headers(tree, build, jobs=2):
    compiled = commands(build)
    flags, proven = flags_of_folders(compiled), first_of_a_source(tree, compiled)
    cache_path = pathlib.Path(build) / 'style_headers.json'
    known = set(json.loads(cache_path.read_text())) if cache_path.exists() else set()
    anything = next(iter(flags.values()))
    # A folder of headers alone has no flags of its own: it is compiled with control's, which name the most libraries.
    control = flags.get(tree.root / 'bridge' / 'control', anything)
    keys, waiting = {}, []
    for header in tree.files(['bridge', 'kernels', 'dpdk', 'tests/support'], {'.h'}):
        if header in proven:
            continue
        if header.name == 'cuda_language.h' and header.parent.name != 'emulated':
            continue  # for another compiler: tests/kernel_images compiles it
        command = flags.get((tree.root / header).parent, control)
        digest = hashlib.sha256('\0'.join(command).encode())
        for path in closure(tree, header):
            digest.update(tree.text(path).encode())
        keys[header] = digest.hexdigest()
        if keys[header] not in known:
            waiting.append((header, command))
    passed = {key for key in keys.values() if key in known}
    problems = []
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for header, found in pool.map(lambda job: (job[0], compile_alone(tree, *job)), waiting):
            problems += found
            if not found:
                passed.add(keys[header])
                cache_path.write_text(json.dumps(sorted(passed)))  # each time, so that a run cut short is not lost
    return problems
