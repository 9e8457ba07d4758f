"""Starts a bridge on a system that withholds something: run between fork and exec, as subprocess's preexec_fn."""
import ctypes
import errno
import platform
import resource
import struct

PR_SET_NO_NEW_PRIVS, PR_CAPBSET_DROP, PR_SET_SECCOMP = 38, 24, 22
CAP_IPC_LOCK = 14
SECCOMP_MODE_FILTER, SECCOMP_RET_ERRNO, SECCOMP_RET_ALLOW = 2, 0x00050000, 0x7FFF0000
LOAD_WORD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
# x86-64 and arm64 agree on the newer ones.
SYSCALLS = {"landlock_create_ruleset": 444, "landlock_restrict_self": 446, "memfd_secret": 447,
            "seccomp": {"x86_64": 317, "aarch64": 277}[platform.machine()]}

_libc = ctypes.CDLL(None, use_errno=True)


def _prctl(option, *arguments):
    if _libc.prctl(option, *(ctypes.c_ulong(a) if isinstance(a, int) else a for a in arguments)) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def allow_core_dumps():
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def lock_no_memory():
    """Neither a limit nor the capability that goes beyond it."""
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (0, 0))
    _prctl(PR_CAPBSET_DROP, CAP_IPC_LOCK)


def answer(*names, code):
    """From here on these system calls do nothing but answer `code`; 0 pretends that they succeed."""
    def restrain():
        program = struct.pack("HBBI", LOAD_WORD, 0, 0, 0)  # the number of the system call
        for left, name in zip(range(len(names), 0, -1), names):
            program += struct.pack("HBBI", JUMP_IF_EQUAL, left, 0, SYSCALLS[name])
        program += struct.pack("HBBI", RETURN, 0, 0, SECCOMP_RET_ALLOW)
        program += struct.pack("HBBI", RETURN, 0, 0, SECCOMP_RET_ERRNO | code)
        held = ctypes.create_string_buffer(program)
        whole = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(held))
        _prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        _prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.c_char_p(whole))
    return restrain


def without_landlock():
    answer("landlock_create_ruleset", code=errno.EOPNOTSUPP)()


def pretended_lockdown():
    """Landlock and seccomp say that they are in force and are not."""
    answer("landlock_restrict_self", "seccomp", code=0)()
