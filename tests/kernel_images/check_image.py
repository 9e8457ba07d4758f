#!/usr/bin/env python3
"""Looks at the kernels as a compiler has made them.

check_image.py entries PTX                          every kernel, and nothing else, can be launched by name
check_image.py target PTX VERSION GPU               what the image asks for
check_image.py no_local_memory PTX                  no kernel keeps values in memory of its thread
check_image.py no_spill PTX PTXAS GPU               nor does it when registers are given out for that GPU
check_image.py spill_is_refused NVCC CMAKE SCRIPT SOURCE    compile_kernels.cmake fails for a kernel that spills
check_image.py self_test                            each check finds what it is for
"""

import pathlib
import re
import subprocess
import sys
import tempfile

KERNELS = {'viaduct_srtp_protect', 'viaduct_srtp_unprotect', 'viaduct_srtp_expand_keys', 'viaduct_audio_measure',
           'viaduct_audio_mix', 'viaduct_speaker_scores'}

# Far more values than a thread has registers, all of them needed to the end.
SPILLING_KERNEL = '''
extern "C" __global__ void __launch_bounds__(1024) spills(unsigned* at) {
  unsigned values[100];
  for (int i = 0; i < 100; ++i) values[i] = at[i * 1024 + threadIdx.x];
  __syncthreads();
  for (int round = 0; round < 3; ++round)
    for (int i = 0; i < 100; ++i) values[i] = values[i] * values[(i + 7) % 100] + values[(i + 31) % 100];
  for (int i = 0; i < 100; ++i) at[i * 1024 + threadIdx.x] = values[i];
}
'''


def wrong_entries(ptx):
    names = re.findall(r'\.visible \.entry (\w+)', ptx)
    return [] if sorted(names) == sorted(KERNELS) else [f'entry points are {sorted(names)}, not {sorted(KERNELS)}']


def wrong_target(ptx, version, gpu):
    asked = re.search(r'^\.version (\S+)$', ptx, re.M)[1], re.search(r'^\.target (\w+)', ptx, re.M)[1]
    return [] if asked == (version, gpu) else [f'the image is for {asked}']


def local_memory(ptx):
    """Declarations and uses of a thread's own memory, where arrays go that no register can hold."""
    return [line.strip() for line in ptx.splitlines() if re.search(r'\.local\b|%SP\b|__local_depot', line)]


def spills(report):
    """The kernels that ptxas -v has given memory of the thread's."""
    found, kernel, seen = [], None, set()
    for line in report.splitlines():
        if about := re.search(r'Function properties for (\w+)', line):
            kernel = about[1]
        elif counts := re.findall(r'(\d+) bytes (?:stack frame|spill stores|spill loads)', line):
            seen.add(kernel)
            found += [f'{kernel}: {line.strip()}'] if any(map(int, counts)) else []
    return found + [f'ptxas says nothing about {kernel}' for kernel in sorted(KERNELS - seen)]


def check_spills(ptx, ptxas, gpu):
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([ptxas, '-v', f'-arch={gpu}', ptx, '-o', f'{folder}/image'], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
    return spills(done.stdout) if done.returncode == 0 else [done.stdout]


def check_refusal(nvcc, cmake, script, source):
    with tempfile.TemporaryDirectory() as folder:
        tree = pathlib.Path(folder, 'kernels')
        tree.mkdir()
        tree.joinpath('cuda_language').symlink_to(pathlib.Path(source, 'kernels', 'cuda_language'))
        tree.joinpath('image.cu').write_text(SPILLING_KERNEL)
        image = pathlib.Path(folder, 'image')
        done = subprocess.run([cmake, f'-DCOMPILER={nvcc}', f'-DSOURCE={folder}', f'-DOUTPUT={image}', '-P', script],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        refused = done.returncode != 0 and 'A kernel has too few registers' in done.stdout
        return [] if refused and not image.exists() else [f'it was taken, or failed otherwise: {done.stdout}']


def self_test():
    entries = ''.join(f'.visible .entry {name}(\n' for name in KERNELS)
    ptx = f'.version 7.0\n.target sm_75\n{entries}'
    report = ''.join(f"ptxas info : Function properties for {name}\n"
                     "    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads\n" for name in KERNELS)
    sound = [wrong_entries(ptx), wrong_target(ptx, '7.0', 'sm_75'), local_memory(ptx), spills(report)]
    faulty = [wrong_entries(ptx.replace('viaduct_audio_mix', '_Z17viaduct_audio_mix')),
              wrong_entries(ptx + '.visible .entry one_more(\n'),
              wrong_target(ptx, '7.0', 'sm_80'), wrong_target(ptx, '6.4', 'sm_75'),
              local_memory(ptx + '.local .align 4 .b8 __local_depot0[16];'),
              local_memory(ptx + 'ld.local.u32 %r1, [%rd1];'),
              spills(report.replace('0 bytes stack', '16 bytes stack', 1)),
              spills(report.replace('0 bytes spill loads', '8 bytes spill loads', 1)), spills('')]
    return [f'sound, yet found: {found}' for found in sound if found] + \
           [f'fault {number} is not found' for number, found in enumerate(faulty) if not found]


def main():
    check, *arguments = sys.argv[1:]
    if check == 'self_test':
        problems = self_test()
    elif check == 'spill_is_refused':
        problems = check_refusal(*arguments)
    elif check == 'no_spill':
        problems = check_spills(*arguments)
    else:
        ptx, *rest = arguments
        checks = {'entries': wrong_entries, 'target': wrong_target, 'no_local_memory': local_memory}
        problems = checks[check](pathlib.Path(ptx).read_text(), *rest)
    sys.exit('\n'.join(problems) or 0)


if __name__ == '__main__':
    main()
