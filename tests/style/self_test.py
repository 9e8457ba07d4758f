"""A rule that cannot fail is no rule: each must pass a clean tree and find what is planted in it."""

import json
import pathlib
import tempfile

from headers import check_headers
from tree import Tree

STEPS = ['receive', 'demux', 'unprotect', 'observe', 'read_payload', 'witness', 'feedback', 'route', 'rewrite',
         'protect', 'transmit']

CLEAN = {
    'README.md': '# V\n## Life of a packet\nand `/metrics`\n'
                 + ''.join(f'1. `bridge/path/{s}.{{h,cc}}`\n' for s in STEPS) + '## Next\n`no/file`\n',
    **{f'bridge/path/{s}.{e}': '' for s in STEPS for e in ('h', 'cc')},
    'bridge/limits.h': '#include "base/time.h"\n',
    'bridge/main.cc': '#include "control/control.h"\n#include "path/demux.h"\n',
    'bridge/base/time.h': '#pragma once\n#include <cstdint>\nusing Time = uint64_t;\n',
    'bridge/base/clock.cc': 'long now() { return clock_gettime(0, nullptr); }\n',
    'bridge/base/log.h': '#include <spdlog/spdlog.h>\n',
    'bridge/config_file.cc': '#include <fstream>\nstd::ifstream in(name);  // never an ofstream\n',
    'bridge/secrecy/self_test.cc': 'int fd = open(path, O_WRONLY | O_CREAT, 0600);\n',
    'bridge/protocol/rtcp/parse.h': '#include "protocol/rtp/packet.h"\n',
    'bridge/path/read_payload.cc': '#include "protocol/codec/vp8.h"\n',
    'bridge/path/witness.cc': '#include "protocol/codec/plain_check.h"\n#include "protocol/sframe/header.h"\n',
    'bridge/path/rewrite.cc': '#include "protocol/codec/vp8_descriptor.h"\n#include "protocol/rtp/rtx.h"\n',
    'bridge/conference/a.cc': '#include "limits.h"\n#include "protocol/sdp/sdp.h"\n#include <sys/mman.h>\n',
    'bridge/control/a.cc': '#include <boost/asio.hpp>\n'
                           '// steady_clock::now() in a comment\nauto a = "time(nullptr)"; clock.time(0);\n',
}

# rule, file, its text, what the rule must say
PLANTED = [
    ('includes', 'bridge/base/a.cc', '#include "protocol/rtp/packet.h"\n', 'base may not include protocol/rtp'),
    ('includes', 'bridge/base/a.cc', '#include "limits.h"\n', 'base may not include limits.h'),
    ('includes', 'bridge/protocol/rtp/a.h', '#include "protocol/rtcp/parse.h"\n', 'may not include protocol/rtcp'),
    ('includes', 'bridge/conference/b.h', '#include "edge/packet_io.h"\n', 'conference may not include edge'),
    ('includes', 'bridge/path/b.h', '#  include "control/control.h"\n', 'path may not include control'),
    ('includes', 'bridge/control/b.h', '#include "path/demux.h"\n', 'control may not include path'),
    ('includes', 'bridge/edge/b.h', '#include "protocol/dtls/session.h"\n', 'edge may not include protocol/dtls'),
    ('includes', 'bridge/config_file.cc', '#include "control/control.h"\n', 'config may not include control'),
    ('includes', 'bridge/path/b.h', '#include "config.h"\n', 'path may not include config'),
    ('includes', 'kernels/a.h', '#include "edge/packet_io.h"\n', 'kernels may not include edge'),
    ('includes', 'bridge/path/b.h', '#include "demux.h"\n', 'not written relative to bridge/'),
    ('includes', 'bridge/attic/b.h', '', 'has no row'),
    ('includes', 'bridge/path/b.h', '#include <nlohmann/json.hpp>\n', 'nlohmann stays inside control/'),
    ('includes', 'bridge/base/b.h', '#include <spdlog/spdlog.h>\n', 'spdlog stays inside base/log.'),
    ('includes', 'bridge/control/b.h', '#include <absl/strings/str_cat.h>\n', 'of no library'),
    ('clocks', 'bridge/path/b.cc', 'auto t = std::chrono::steady_clock::now();\n', 'b.cc:1: reads a clock'),
    ('clocks', 'bridge/path/b.cc', '\nauto t = std::time(nullptr);\n', 'b.cc:2: reads a clock'),
    ('clocks', 'bridge/base/b.cc', 'int f() { return gettimeofday(&tv, nullptr); }\n', 'reads a clock'),
    ('clocks', 'dpdk/b.cc', 'int f() { return clock_gettime(CLOCK_MONOTONIC, &t); }\n', 'reads a clock'),
    ('sizes', 'bridge/web/page.js', '\n' * 601, '601 lines'),
    ('columns', 'tests/unit/a_test.cc', '\n' + 'x' * 121, 'a_test.cc:2: 121 columns'),
    ('conditionals', 'bridge/path/b.cc', '#ifdef HAVE_GPU\n#endif\n', 'no #if'),
    ('conditionals', 'bridge/conference/b.cc', ' # if defined(HAVE_GPU)\n#endif\n', 'no #if'),
    ('payloads', 'bridge/path/route.cc', '#include "protocol/codec/vp8.h"\n', 'route.cc:1: reads codec data'),
    ('payloads', 'bridge/path/read_payload.h', '#include "protocol/codec/frame_start.h"\n', 'may'),
    ('payloads', 'bridge/path/observe.cc', '\n#include "protocol/codec/plain_check.h"\n', 'only path/witness.cc'),
    ('payloads', 'bridge/conference/b.h', '#include "protocol/sframe/header.h"\n', 'reads codec data'),
    ('unfinished', 'deploy/a.toml', '# TO' + 'DO: say more\n', 'a.toml:1: unfinished'),
    ('unfinished', 'bridge/base/b.h', '// FIX' + 'ME\n', 'unfinished'),
    ('includes', 'bridge/control/b.cc', '#include <seccomp.h>\n', 'seccomp.h stays inside secrecy/'),
    ('writers', 'bridge/path/b.cc', '\nstd::ofstream dump(path);\n', 'b.cc:2: names a way to write'),
    ('writers', 'bridge/path/b.cc', 'std::fstream dump(path);\n', 'names a way to write'),
    ('writers', 'bridge/control/b.cc', 'FILE* f = std::fopen(path, mode);\n', 'names a way to write'),
    ('writers', 'bridge/secrecy/b.cc', 'int fd = open(path, O_RDONLY | O_CREAT, 0600);\n', 'names a way to write'),
    ('writers', 'kernels/b.cu', 'int fd = open(path, O_WRONLY);\n', 'names a way to write'),
    ('writers', 'dpdk/b.cc', 'int fd = mkstemp(name);\n', 'names a way to write'),
    ('writers', 'bridge/base/b.cc', 'spdlog::sinks::basic_file_sink_mt sink(name);\n', 'names a way to write'),
    ('packet_life', 'README.md', '# V\n', 'no section'),
    ('packet_life', 'README.md', CLEAN['README.md'].replace('path/route', 'path/router'), 'router.h, which does not'),
    ('packet_life', 'README.md', '# Life of a packet\n1. `bridge/path/demux.cc`\n', 'fewer than'),
]


def tree_of(folder, files):
    for name, text in files.items():
        path = pathlib.Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Tree(folder)


def problems_with(rule, files):
    with tempfile.TemporaryDirectory() as folder:
        return rule(tree_of(folder, files))


def self_test_headers(compiler):
    """Finds the header that leans on another's includes, forgives it once mended, and notices a change behind it."""
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        tree = tree_of(folder, {'bridge/base/time.h': CLEAN['bridge/base/time.h'], 'bridge/base/a.cc': '',
                                'bridge/base/late.h': '#pragma once\ninline Time later(Time t) { return t + 1; }\n'})
        command = f'{compiler} -std=c++20 -iquote {folder}/bridge -o a.o -c a.cc'
        (tree.root / 'compile_commands.json').write_text(
            json.dumps([{'file': f'{folder}/bridge/base/a.cc', 'command': command}]))
        first = check_headers(tree, folder)
        if [p.split(':')[0] for p in first] != ['bridge/base/late.h']:
            lines.append(f'headers: expected late.h alone, got {first}')
        late = tree.root / 'bridge/base/late.h'
        late.write_text('#include "base/time.h"\n' + late.read_text())
        if again := check_headers(tree, folder):
            lines.append(f'headers: still finds {again}')
        (tree.root / 'bridge/base/time.h').write_text('#pragma once\n')
        if not check_headers(tree, folder):
            lines.append('headers: remembers a header although what it includes has changed')
        source = tree.root / 'bridge/base/a.cc'
        source.write_text('// Its own header first: the build compiles late.h alone.\n#include "base/late.h"\n')
        if again := check_headers(tree, folder):
            lines.append(f'headers: compiles what a source proves already: {again}')
        source.write_text('#define early\n#include "base/late.h"\n')
        if not check_headers(tree, folder):
            lines.append('headers: takes a header for proven that is not the first thing in its source')
    return lines


def run_self_test(rules, compiler):
    lines = [f'{name}: finds fault with a clean tree: {found}'
             for name, rule in rules.items() if (found := problems_with(rule, CLEAN))]
    for name, path, text, expected in PLANTED:
        found = problems_with(rules[name], {**CLEAN, path: text})
        if len(found) != 1 and name != 'packet_life' or not any(expected in problem for problem in found):
            lines.append(f'{name}: planted {text.strip()[:60]!r} in {path}; expected "{expected}", got {found}')
    lines += [f'{name}: nothing is planted for it' for name in rules if name not in {row[0] for row in PLANTED}]
    return lines + self_test_headers(compiler)
