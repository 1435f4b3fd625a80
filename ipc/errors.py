"""Error numbers: the negative results of calls, and the exception for a refused IPC call.

Numbers up to 96 are those of POSIX as NetBSD numbers them, those from 200 the system's own between
its processes, and those from 301 a file system's answers to a lookup.

Source: MINIX ``sys/errno.h``, ``minix/vfsif.h``, ``kernel/vm.h``.
"""

from __future__ import annotations

from typing import Final, NoReturn

OK: Final = 0

EPERM: Final = -1
ENOENT: Final = -2
ESRCH: Final = -3
EINTR: Final = -4
EIO: Final = -5
ENXIO: Final = -6
E2BIG: Final = -7
ENOEXEC: Final = -8
EBADF: Final = -9
ECHILD: Final = -10
EDEADLK: Final = -11
ENOMEM: Final = -12
EACCES: Final = -13
EFAULT: Final = -14
ENOTBLK: Final = -15
EBUSY: Final = -16
EEXIST: Final = -17
EXDEV: Final = -18
ENODEV: Final = -19
ENOTDIR: Final = -20
EISDIR: Final = -21
EINVAL: Final = -22
ENFILE: Final = -23
EMFILE: Final = -24
ENOTTY: Final = -25
ETXTBSY: Final = -26
EFBIG: Final = -27
ENOSPC: Final = -28
ESPIPE: Final = -29
EROFS: Final = -30
EMLINK: Final = -31
EPIPE: Final = -32
EDOM: Final = -33
ERANGE: Final = -34
EAGAIN: Final = -35
EWOULDBLOCK: Final = EAGAIN
EINPROGRESS: Final = -36
EALREADY: Final = -37
ENOTSOCK: Final = -38
EDESTADDRREQ: Final = -39
EMSGSIZE: Final = -40
EPROTOTYPE: Final = -41
ENOPROTOOPT: Final = -42
EPROTONOSUPPORT: Final = -43
ESOCKTNOSUPPORT: Final = -44
EOPNOTSUPP: Final = -45
EPFNOSUPPORT: Final = -46
EAFNOSUPPORT: Final = -47
EADDRINUSE: Final = -48
EADDRNOTAVAIL: Final = -49
ENETDOWN: Final = -50
ENETUNREACH: Final = -51
ENETRESET: Final = -52
ECONNABORTED: Final = -53
ECONNRESET: Final = -54
ENOBUFS: Final = -55
EISCONN: Final = -56
ENOTCONN: Final = -57
ESHUTDOWN: Final = -58
ETOOMANYREFS: Final = -59
ETIMEDOUT: Final = -60
ECONNREFUSED: Final = -61
ELOOP: Final = -62
ENAMETOOLONG: Final = -63
EHOSTDOWN: Final = -64
EHOSTUNREACH: Final = -65
ENOTEMPTY: Final = -66
EPROCLIM: Final = -67
EUSERS: Final = -68
EDQUOT: Final = -69
ESTALE: Final = -70
EREMOTE: Final = -71
EBADRPC: Final = -72
ERPCMISMATCH: Final = -73
EPROGUNAVAIL: Final = -74
EPROGMISMATCH: Final = -75
EPROCUNAVAIL: Final = -76
ENOLCK: Final = -77
ENOSYS: Final = -78
EFTYPE: Final = -79
EAUTH: Final = -80
ENEEDAUTH: Final = -81
EIDRM: Final = -82
ENOMSG: Final = -83
EOVERFLOW: Final = -84
EILSEQ: Final = -85
ENOTSUP: Final = -86
ECANCELED: Final = -87
EBADMSG: Final = -88
ENODATA: Final = -89
ENOSR: Final = -90
ENOSTR: Final = -91
ETIME: Final = -92
ENOATTR: Final = -93
EMULTIHOP: Final = -94
ENOLINK: Final = -95
EPROTO: Final = -96

ERESTART: Final = -200
ENOTREADY: Final = -201
EDEADSRCDST: Final = -202
EDONTREPLY: Final = -203
EGENERIC: Final = -204
EPACKSIZE: Final = -205
EURG: Final = -206
ENOURG: Final = -207
ELOCKED: Final = -208
EBADCALL: Final = -209
ECALLDENIED: Final = -210
ETRAPDENIED: Final = -211
EBADREQUEST: Final = -212
EBADMODE: Final = -213
ENOCONN: Final = -214
EDEADEPT: Final = -215
EBADEPT: Final = -216
EBADCPU: Final = -217

EENTERMOUNT: Final = -301
ELEAVEMOUNT: Final = -302
ESYMLINK: Final = -303

EFAULT_DST: Final = -994
EFAULT_SRC: Final = -995

SUSPEND: Final = -998

NAMES: Final = {
    OK: "OK",
    EPERM: "EPERM", ENOENT: "ENOENT", ESRCH: "ESRCH", EINTR: "EINTR", EIO: "EIO", ENXIO: "ENXIO",
    E2BIG: "E2BIG", ENOEXEC: "ENOEXEC", EBADF: "EBADF", ECHILD: "ECHILD", EDEADLK: "EDEADLK",
    ENOMEM: "ENOMEM", EACCES: "EACCES", EFAULT: "EFAULT", ENOTBLK: "ENOTBLK", EBUSY: "EBUSY",
    EEXIST: "EEXIST", EXDEV: "EXDEV", ENODEV: "ENODEV", ENOTDIR: "ENOTDIR", EISDIR: "EISDIR",
    EINVAL: "EINVAL", ENFILE: "ENFILE", EMFILE: "EMFILE", ENOTTY: "ENOTTY", ETXTBSY: "ETXTBSY",
    EFBIG: "EFBIG", ENOSPC: "ENOSPC", ESPIPE: "ESPIPE", EROFS: "EROFS", EMLINK: "EMLINK",
    EPIPE: "EPIPE", EDOM: "EDOM", ERANGE: "ERANGE", EAGAIN: "EAGAIN", EINPROGRESS: "EINPROGRESS",
    EALREADY: "EALREADY", ENOTSOCK: "ENOTSOCK", EDESTADDRREQ: "EDESTADDRREQ", EMSGSIZE: "EMSGSIZE",
    EPROTOTYPE: "EPROTOTYPE", ENOPROTOOPT: "ENOPROTOOPT", EPROTONOSUPPORT: "EPROTONOSUPPORT",
    ESOCKTNOSUPPORT: "ESOCKTNOSUPPORT", EOPNOTSUPP: "EOPNOTSUPP", EPFNOSUPPORT: "EPFNOSUPPORT",
    EAFNOSUPPORT: "EAFNOSUPPORT", EADDRINUSE: "EADDRINUSE", EADDRNOTAVAIL: "EADDRNOTAVAIL",
    ENETDOWN: "ENETDOWN", ENETUNREACH: "ENETUNREACH", ENETRESET: "ENETRESET",
    ECONNABORTED: "ECONNABORTED", ECONNRESET: "ECONNRESET", ENOBUFS: "ENOBUFS", EISCONN: "EISCONN",
    ENOTCONN: "ENOTCONN", ESHUTDOWN: "ESHUTDOWN", ETOOMANYREFS: "ETOOMANYREFS",
    ETIMEDOUT: "ETIMEDOUT", ECONNREFUSED: "ECONNREFUSED", ELOOP: "ELOOP",
    ENAMETOOLONG: "ENAMETOOLONG", EHOSTDOWN: "EHOSTDOWN", EHOSTUNREACH: "EHOSTUNREACH",
    ENOTEMPTY: "ENOTEMPTY", EPROCLIM: "EPROCLIM", EUSERS: "EUSERS", EDQUOT: "EDQUOT",
    ESTALE: "ESTALE", EREMOTE: "EREMOTE", EBADRPC: "EBADRPC", ERPCMISMATCH: "ERPCMISMATCH",
    EPROGUNAVAIL: "EPROGUNAVAIL", EPROGMISMATCH: "EPROGMISMATCH", EPROCUNAVAIL: "EPROCUNAVAIL",
    ENOLCK: "ENOLCK", ENOSYS: "ENOSYS", EFTYPE: "EFTYPE", EAUTH: "EAUTH", ENEEDAUTH: "ENEEDAUTH",
    EIDRM: "EIDRM", ENOMSG: "ENOMSG", EOVERFLOW: "EOVERFLOW", EILSEQ: "EILSEQ", ENOTSUP: "ENOTSUP",
    ECANCELED: "ECANCELED", EBADMSG: "EBADMSG", ENODATA: "ENODATA", ENOSR: "ENOSR",
    ENOSTR: "ENOSTR", ETIME: "ETIME", ENOATTR: "ENOATTR", EMULTIHOP: "EMULTIHOP",
    ENOLINK: "ENOLINK", EPROTO: "EPROTO", ERESTART: "ERESTART", ENOTREADY: "ENOTREADY",
    EDEADSRCDST: "EDEADSRCDST", EDONTREPLY: "EDONTREPLY", EGENERIC: "EGENERIC",
    EPACKSIZE: "EPACKSIZE", EURG: "EURG", ENOURG: "ENOURG", ELOCKED: "ELOCKED",
    EBADCALL: "EBADCALL", ECALLDENIED: "ECALLDENIED", ETRAPDENIED: "ETRAPDENIED",
    EBADREQUEST: "EBADREQUEST", EBADMODE: "EBADMODE", ENOCONN: "ENOCONN", EDEADEPT: "EDEADEPT",
    EBADEPT: "EBADEPT", EBADCPU: "EBADCPU", EENTERMOUNT: "EENTERMOUNT", ELEAVEMOUNT: "ELEAVEMOUNT",
    ESYMLINK: "ESYMLINK", EFAULT_DST: "EFAULT_DST", EFAULT_SRC: "EFAULT_SRC", SUSPEND: "SUSPEND",
}  # fmt: skip

NUMBERS: Final = {name: code for code, name in NAMES.items()} | {"EWOULDBLOCK": EWOULDBLOCK}


def error_name(code: int) -> str:
    """`code` as people read it: ``ENOMEM`` for -12, ``OK`` for 0, else the number itself."""
    return NAMES.get(code) or str(code)


class IpcError(Exception):
    """An IPC call that the kernel refused, or a death ended; `code` is the error number.

    The kernel hands it to the process as the result of its trap; `ipc.traps.trap` raises it there.
    """

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code: Final = code

    def __str__(self) -> str:
        return error_name(self.code)

    def __iter__(self) -> NoReturn:
        """Unpacked like a message that was received, it is raised."""
        raise self
