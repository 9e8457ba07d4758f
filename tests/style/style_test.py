#!/usr/bin/env python3
"""Rules worth having are tests. Each takes the tree and returns its problems, one line each.

style_test.py --rule NAME [--build FOLDER]   checks the source tree (the build folder is needed by 'headers' alone)
style_test.py --self-test                    plants violations into a small tree: every rule must find its own
"""

import argparse
import pathlib
import re
import sys

from headers import check_headers
from tables import MAY_INCLUDE, NAMES_WRITING, READS_PAYLOAD, SYSTEM, WRAPPED_IN
from tree import CODE, TEXT, Tree

OURS = ['bridge', 'kernels', 'dpdk']
EVERYTHING = [*OURS, 'tests', 'deploy', 'cmake']


def part_of(path):
    """The row of MAY_INCLUDE for a path below bridge/ (or in kernels/, dpdk/); None when there is none."""
    for parts in (path.parts[:2], path.parts[:1]):
        if '/'.join(parts) in MAY_INCLUDE:
            return '/'.join(parts)
    if len(path.parts) > 1:
        return None
    return 'config' if path.stem.startswith('config') else path.stem if path.stem in MAY_INCLUDE else None


def below_bridge(path):
    return path.relative_to('bridge') if path.parts[0] == 'bridge' else path


def check_includes(tree):
    problems = []
    for path in tree.files(OURS, CODE):
        here = below_bridge(path)
        part = part_of(here)
        if part is None:
            problems.append(f'{path}: its folder has no row in tests/style/tables.py')
            continue
        for line, kind, name in tree.includes(path):
            where = f'{path}:{line}'
            if kind == '"':
                target = part_of(pathlib.PurePosixPath(name))
                allowed = [part, *MAY_INCLUDE[part]]
                if target is None:
                    problems.append(f'{where}: "{name}" is not written relative to bridge/')
                elif not any(a in ('*', target) or target.startswith(a + '/') for a in allowed):
                    problems.append(f'{where}: {part} may not include {target} ("{name}")')
            elif ('/' in name or name in WRAPPED_IN) and (library := name.split('/')[0]) not in SYSTEM:
                if library not in WRAPPED_IN:
                    problems.append(f'{where}: <{name}> is of no library in tests/style/tables.py')
                elif not any(str(here).startswith(prefix) for prefix in WRAPPED_IN[library]):
                    problems.append(f'{where}: {library} stays inside {", ".join(WRAPPED_IN[library])}')
    return problems


CLOCKS = re.compile(r'\b\w+_clock\s*::\s*now\b|\b(?:gettimeofday|clock_gettime|timespec_get|ftime|__rdtscp?)\s*\('
                    r'|(?<![\w.>])(?:std::|::)?time\s*\(\s*(?:nullptr|NULL|0|&)'
                    r'|(?<![\w.>])(?:std::|::)?clock\s*\(\s*\)')


def check_clocks(tree):
    """Only base/clock.cc reads a clock; everyone else is handed `now`."""
    return [f'{path}:{line}: reads a clock; take `now` as an argument'
            for path in tree.files(OURS, CODE) if path != pathlib.Path('bridge/base/clock.cc')
            for line, text in enumerate(tree.code(path).splitlines(), 1) if CLOCKS.search(text)]


def check_sizes(tree):
    counts = [(path, tree.text(path).count('\n')) for path in tree.files(OURS, TEXT)]
    return [f'{path}: {lines} lines; a file above 600 wants to be two' for path, lines in counts if lines > 600]


def check_columns(tree):
    return [f'{path}:{line}: {len(text)} columns; at most 120'
            for path in tree.files(EVERYTHING, TEXT)
            for line, text in enumerate(tree.text(path).splitlines(), 1) if len(text) > 120]


def check_conditionals(tree):
    """Optional hardware is another file with the same functions, never a branch of the preprocessor in the path."""
    return [f'{path}:{line}: no #if in the packet path; choose by source file'
            for path in tree.files(['bridge/path', 'bridge/conference'], CODE)
            for line, text in enumerate(tree.text(path).splitlines(), 1) if re.match(r'\s*#\s*(?:if|el)', text)]


def check_payloads(tree):
    """Codec data is read by one step for conferences in clear, and by the witness: nowhere else on a packet's way."""
    return [f'{path}:{line}: reads codec data ("{name}"); only {", ".join(READS_PAYLOAD[name])} may'
            for path in tree.files(['bridge/path', 'bridge/conference'], CODE)
            for line, _, name in tree.includes(path)
            if name in READS_PAYLOAD and str(below_bridge(path)) not in READS_PAYLOAD[name]]


UNFINISHED = re.compile(r'\b(?:' + '|'.join(['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX']) + r')\b')


def check_unfinished(tree):
    return [f'{path}:{line}: unfinished: {text.strip()[:80]}'
            for path in tree.files(EVERYTHING, TEXT)
            for line, text in enumerate(tree.text(path).splitlines(), 1) if UNFINISHED.search(text)]


WRITERS = re.compile(r'\bO_(?:WRONLY|RDWR|CREAT|TMPFILE|APPEND|TRUNC)\b'
                     r'|\b(?:ofstream|filebuf|(?:basic|rotating|daily)_file_sink\w*)\b|(?<!<)\bfstream\b'
                     r'|\b(?:fopen(?:64)?|freopen|fdopen|creat|tmpfile|tmpnam|mk\w*temps?|mkfifo|mknod(?:at)?)\s*\('
                     r'|\b(?:shm_open|memfd_create|pcap_dump_open|BIO_new_file|PEM_write\w*|sendfile)\s*\(')


def check_writers(tree):
    """The program has no writer of files, so nothing that it forwards can end in one."""
    return [f'{path}:{line}: names a way to write a file; the bridge has none'
            for path in tree.files(OURS, CODE) if str(path) not in NAMES_WRITING
            for line, text in enumerate(tree.code(path).splitlines(), 1) if WRITERS.search(text)]


NAMED_FILE = re.compile(r'`([\w./{},-]+)`|\]\(([\w./-]+)\)')


def alternatives(name):
    """demux.{h,cc} -> demux.h, demux.cc"""
    braces = re.match(r'(.*)\{([^}]*)\}(.*)', name)
    return [braces[1] + middle + braces[3] for middle in braces[2].split(',')] if braces else [name]


def check_packet_life(tree):
    """README's Life of a Packet names a file at each step, and each is where it says."""
    if not (tree.root / 'README.md').exists():
        return ['README.md: missing']
    section = re.search(r'^#+ [^\n]*life of a packet[^\n]*\n(.*?)(?=^#+ |\Z)', tree.text('README.md'),
                        re.MULTILINE | re.DOTALL | re.IGNORECASE)
    if not section:
        return ['README.md: has no section "Life of a packet"']
    names = [name for match in NAMED_FILE.finditer(section[1]) for name in alternatives(match[1] or match[2])]
    files = [name for name in names if '/' in name[1:] and name[0] != '/' or pathlib.PurePosixPath(name).suffix in CODE]
    missing = [name for name in files if not any((tree.root / base / name).exists() for base in ('', 'bridge'))]
    problems = [f'README.md: Life of a packet names {name}, which does not exist' for name in missing]
    if len(files) < 9:
        problems.append('README.md: Life of a packet names fewer than nine files, one for each step')
    return problems


RULES = {
    'includes': check_includes,
    'clocks': check_clocks,
    'sizes': check_sizes,
    'columns': check_columns,
    'conditionals': check_conditionals,
    'payloads': check_payloads,
    'unfinished': check_unfinished,
    'writers': check_writers,
    'packet_life': check_packet_life,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument('--rule', choices=[*RULES, 'headers'])
    what.add_argument('--self-test', action='store_true')
    parser.add_argument('--build', help='folder with compile_commands.json')
    parser.add_argument('--compiler', default='c++', help='for --self-test')
    options = parser.parse_args()

    if options.self_test:
        from self_test import run_self_test
        problems = run_self_test(RULES, options.compiler)
    else:
        tree = Tree(pathlib.Path(__file__).resolve().parents[2])
        rule = RULES.get(options.rule) or (lambda t: check_headers(t, options.build))
        problems = rule(tree)
    print('\n'.join(problems) if problems else 'no problems')
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main())
