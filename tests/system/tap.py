# SPDX-License-Identifier: BSD-3-Clause
"""Runs named cases one after the other and prints the outcome as TAP.

A case is a function without a result: it passes unless it raises. The notes that it
made with note(), and the exception, become diagnostics. Cases run in the order in which
they were named, and may depend on each other."""

import os
import shutil
import signal
import sys
import tempfile
import time
import traceback

_cases = []
_directories = []


class Skip(Exception):
    """Raised by a case that cannot run here; the text says why."""


def case(name, function=None, *arguments):
    """Adds a case: case(name, function, arguments...) or a decorator @case(name)."""
    if function is None:
        return lambda decorated: case(name, decorated) or decorated
    _cases.append((name.replace("#", "no."), function, arguments))
    return None


def note(text):
    for line in str(text).splitlines():
        print("#", line)


def equal(got, want, what="result"):
    if got != want:
        raise AssertionError(f"{what}:\n  got  {got!r}\n  want {want!r}")


def contains(text, part, what="text"):
    if part not in text:
        raise AssertionError(f"{what}: {part!r} is not in\n{text}")


def lacks(text, part, what="text"):
    if part in text:
        raise AssertionError(f"{what}: {part!r} is in\n{text}")


def directory():
    """Creates a directory that every user can enter, and that is removed after the
    run."""
    path = tempfile.mkdtemp(prefix="sqlcrypt-")
    os.chmod(path, 0o755)
    _directories.append(path)
    return path


def remove_directories():
    """Done by run(), too."""
    for path in _directories:
        shutil.rmtree(path, ignore_errors=True)


def skip_all(why):
    """Ends the process: none of this program can run here."""
    remove_directories()
    print(f"1..0 # SKIP {why}")
    sys.exit(0)


def _members(group):
    """The living processes of a process group. Dead ones are left to the process that
    adopts them, which may take a while."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
                state, _, member_of = file.read().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(member_of) == group and state not in "ZX":
            found.append(int(pid))
    return found


def _signal(pids, number):
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def end_group(leader):
    """Ends a process (a subprocess.Popen with start_new_session) and the rest of its
    process group, by force if necessary, and waits for them."""
    group = leader.pid
    for number, patience in ((None, 2), (signal.SIGTERM, 2), (signal.SIGKILL, 10)):
        if number is None:
            # Servers end what they have started, mostly.
            leader.terminate()
        else:
            _signal(_members(group), number)
        end = time.monotonic() + patience
        while time.monotonic() < end:
            leader.poll()
            if not _members(group):
                break
            time.sleep(0.005)
    leader.wait()


def _strays():
    """Processes that still live in one of our directories, or were started for one."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        if int(pid) == os.getpid():
            continue
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                command = file.read().replace(b"\0", b" ").decode("utf-8", "replace")
            place = os.readlink(f"/proc/{pid}/cwd")
        except OSError:
            continue
        if any(path in command or place.startswith(path) for path in _directories):
            found.append(f"{pid} {command}")
    return found


def _no_strays():
    equal(_strays(), [], "processes left behind")


def _run_case(number, name, function, arguments):
    try:
        function(*arguments)
    except Skip as why:
        print(f"ok {number} - {name} # SKIP {why}")
        return True
    except Exception as error:
        print(f"not ok {number} - {name}")
        if not isinstance(error, AssertionError):
            note(traceback.format_exc())
            return False
        where = traceback.extract_tb(error.__traceback__)
        note(error)
        note(" < ".join(f"{os.path.basename(f.filename)}:{f.lineno}" for f in reversed(where[1:])))
        return False
    print(f"ok {number} - {name}")
    return True


def run(*stoppers):
    """Runs all cases, then `stoppers`, each of which may be called twice.

    Ends the process: status 0 if nothing failed."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.stdout.reconfigure(line_buffering=True)
    for stop in stoppers:
        case("all servers stop in order", stop)
    case("no process is left behind", _no_strays)
    print(f"1..{len(_cases)}")
    failed = 0
    try:
        for number, (name, function, arguments) in enumerate(_cases, 1):
            failed += not _run_case(number, name, function, arguments)
    finally:
        for stop in stoppers:
            try:
                stop()
            except Exception:
                traceback.print_exc()
        remove_directories()
    sys.exit(1 if failed else 0)
