#!/usr/bin/env python3
"""Every allocation of every exported function fails once, whoever asks for it.

    LD_PRELOAD=fault.so functions.py POINTS LIBRARY SYMBOLS [LIBRARY SYMBOLS]...

calls each function with the valid arguments of tests/abi/valid_arguments.py, in a child of its own for each allocation
that fails: POINTS of them, evenly spread, or all (0).  It returns KLDVE_E_NOMEM with a message and leaves its outputs
alone, and then works with new arguments; or it does without that memory.  Crashes of oneDNN's own are counted, not held
against it: docs/reliability.md says which there are."""
import ctypes
import gc
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "abi"))
import nulls  # pylint: disable=wrong-import-position
from valid_arguments import World  # pylint: disable=wrong-import-position

NO_MEMORY = -1  # KLDVE_E_NOMEM
SECONDS = 30
# The interpreter around the calls.
SPARED = (b"python", b"libpython", b"_cffi", b"libffi", b"_ctypes")


class Faults:
    """The functions of fault.h."""

    def __init__(self):
        self.library = ctypes.CDLL(None)
        for name in "fault_library", "fault_function":
            getattr(self.library, name).restype = ctypes.c_char_p
        self.library.fault_end.restype = ctypes.c_long
        for name in SPARED:
            self.library.fault_spare(name)
        self.around(-1, lambda: None)  # what is shared with children is there before them

    def around(self, point, call):
        """-> what call() returns while allocation number `point` fails, and how many there were"""
        self.library.fault_from(ctypes.c_long(point), ctypes.c_bool(False))
        result = call()
        return result, self.library.fault_end()

    def asker(self):
        return f"{self.library.fault_library().decode()} {self.library.fault_function().decode()}"


def called(faults, world, name, parameters, point):
    """Call it with valid arguments -> its result, how many allocations there were, and the outputs that changed"""
    values, function = [world.valid(parameter) for parameter in parameters], world.function(name)
    before = world.outputs()
    result, total = faults.around(point, lambda: function(*values))
    return result, total, [output for output, now in world.outputs().items() if now != before[output]]


def wrong(faults, world, name, kind, parameters, point):
    """What is wrong with the call in which that allocation fails, or None"""
    result, _, changed = called(faults, world, name, parameters, point)
    if kind != "kldve_status" or name in nulls.REPORTS or result == 0:
        return None
    if result != NO_MEMORY:
        return f"returns {result} ({world.message()})"
    if nulls.has_context(parameters, None) and "memory" not in world.message():
        return f"says {world.message()!r}"
    if changed:
        return f"fails and changes {' '.join(changed)}"
    again = called(faults, world, name, parameters, -1)[0]
    return f"then returns {again} ({world.message()})" if again else None


def count(faults, world, name, parameters):
    """What is wrong is a text: how many allocations the call makes."""
    return str(called(faults, world, name, parameters, -1)[1])


def in_job(world, name, parameters, work):
    """work() where the function may be called: in a method or metric, if it is one of theirs."""
    def with_job(job=None):
        world.objects["kldve_job"] = world.objects["kldve_metric_job"] = job
        return work()
    bases = [parameter.base for parameter in parameters]
    if "kldve_metric_job" in bases:
        return world.in_metric(with_job)
    return world.in_method(name, with_job) if "kldve_job" in bases else with_job()


def in_child(work):
    """Run work() in a child -> what it returns as a text, and the signal that ended it or 0"""
    def bounded():
        signal.alarm(SECONDS)
        sys.stderr.flush()
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        return work()
    said = nulls.ends_badly(bounded)
    return said, said.startswith("ends the program")


class Function:
    def __init__(self, faults, world, name, kind, parameters):
        self.faults, self.world, self.name, self.kind, self.parameters = faults, world, name, kind, parameters

    def total(self):
        """How many allocations it makes, or why that is not known."""
        said, _ = in_child(lambda: in_job(self.world, self.name, self.parameters, lambda: count(
            self.faults, self.world, self.name, self.parameters)))
        return int(said) if said.isdecimal() else said

    def fails_at(self, point):
        """-> what is wrong, or "", and whether oneDNN crashed"""
        said, crashed = in_child(lambda: in_job(self.world, self.name, self.parameters, lambda: wrong(
            self.faults, self.world, self.name, self.kind, self.parameters, point)))
        if crashed and self.faults.asker().startswith("libdnnl."):
            return "", True
        return said and f"{said}, asked by {self.faults.asker()}", False


def main(points, *pairs):
    world = World(pairs[::2])
    known = nulls.declarations(world.text)
    world.parse_types(p for _, parameters in known.values() for p in parameters)
    faults = Faults()
    gc.freeze()  # else each child copies the memory of all objects
    names = [name for symbols in pairs[1::2] for name in open(symbols, encoding="utf-8").read().split()]
    tried = bad = crashes = asking = 0
    for name in names:
        function = Function(faults, world, name, *known[name])
        total = function.total()
        if isinstance(total, str):
            print(f"{name}: {total}")
            bad += 1
            continue
        asking += total > 0
        step = max(1, total // points) if points else 1
        for point in range(0, total, step):
            said, crashed = function.fails_at(point)
            tried, crashes, bad = tried + 1, crashes + crashed, bad + bool(said)
            if said:
                print(f"{name}, allocation {point} of {total}: {said}")
    print(f"{len(names)} functions, {asking} of them allocate, {tried} allocations failed, {bad} are wrong, "
          f"{crashes} crashes of oneDNN's")
    return bool(bad) or asking < 20


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), *sys.argv[2:]))
