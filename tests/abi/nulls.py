#!/usr/bin/env python3
"""NULL is answered, not followed: every exported function is called with valid arguments, with NULL for each
pointer in turn, with NULL for each pointer of a struct in turn, and with NULL and 0 for all; each call in a
child of its own.

    nulls.py LIBRARY SYMBOLS [LIBRARY SYMBOLS]...

Valid arguments must succeed.  With a NULL a call returns a negative status, or what an object that is not
there has (0, NULL, "" or NaN), and leaves its outputs alone, except where the headers say what NULL means:
there it does as with valid arguments.  A parameter without a value in valid_arguments.py makes the test fail."""
import gc
import os
import re
import sys

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"  # threads do not survive fork()
try:
    import cffi, pycparser  # pylint: disable=unused-import,multiple-imports
except ImportError as lacking:
    print("skipped:", lacking)
    sys.exit(77)
from valid_arguments import Parameter, World

# What NULL means is documented: "TYPE NAME" wherever it occurs, or FUNCTION.NAME.
OPTIONAL = set("""kldve_card_parse.folder kldve_ctx_memory.most kldve_ctx_memory.now kldve_ctx_new.allocator
    kldve_ctx_poll.ctx kldve_ctx_set_log.log kldve_ctx_set_progress.progress
    kldve_divergence_plain.value kldve_divergence_rows.beta kldve_divergence_rows.perplexity
    kldve_divergence_rows.unattainable kldve_divergence_standardise.flat kldve_heatmap_render.picture
    kldve_heatmap_render_into.picture kldve_heatmap_save.picture kldve_image_borrow.release kldve_job_attentions.cotangent
    kldve_method_at.ctx kldve_method_find.ctx kldve_metric_at.ctx kldve_metric_find.ctx
    kldve_onnx_explainer.path kldve_struct_load.ctx kldve_struct_load.src kldve_struct_store.ctx""".split())
OPTIONAL |= {"void *opaque", "double *z", "double *kl", "const kldve_options *options",
             "const kldve_onnx_options *options", "const kldve_render_options *options",
             "const kldve_divergence_options *options", "const kldve_metric_subject *subject",
             "const kldve_metric_options *options"}
# These return the status that they are given, or KLDVE_E_LIMIT, whatever else is NULL.
REPORTS = {"kldve_ctx_fail", "kldve_ctx_failf", "kldve_ctx_fail_limit", "kldve_ctx_leave"}
# Types that a context for the message is found through; objects that threads share have none.
WITH_CONTEXT = ("kldve_ctx *", "kldve_explainer *", "kldve_divergence *", "const kldve_divergence *")
# What an object that is not there has.
NOTHING = (0, None, b"")


def declarations(text):
    """-> {function: (type of the result, [Parameter])}"""
    found = {}
    for result, name, inside in re.findall(r"([\w ]+?[ *]+)(kldve_\w+) ?\(([^()]*)\) *;", " ".join(text.split())):
        words = [word.strip() for word in inside.split(",") if word.strip() not in ("void", "...")]
        found[name] = result.strip(), [Parameter.parse(name, word) for word in words]
    return found


def is_optional(parameter):
    names = {f"{parameter.function}.{parameter.name}", f"{parameter.type}{parameter.name}",
             f"{parameter.type} {parameter.name}"}
    if parameter.function.startswith("kldve_heatmap_") and parameter.type + parameter.name == "int32_t *count":
        return True  # of the arrays behind a map
    return bool(names & OPTIONAL)


def has_context(parameters, missing):
    """Whether a call without that parameter still has a context for its message."""
    return any(p.type in WITH_CONTEXT for i, p in enumerate(parameters) if i != missing)


def wrong_result(world, name, kind, result, parameters, missing, member):
    """What is wrong with the result of a call without a parameter or a member, or None.  Most members may be NULL:
    then a call need not fail."""
    parameter = None if missing is None else parameters[missing]
    if kind == "void":
        return None
    if name in REPORTS:
        return "leaves no message" if result < 0 and has_context(parameters, missing) and not world.message() else None
    if kind == "kldve_status":
        fine = parameter is None or (result == 0 if member else is_optional(parameter))
        if fine != (result == 0) or result > 0:
            return f"returns {result} ({world.message()})"
        if not fine and has_context(parameters, missing) and not world.message():
            return f"returns {result} without a message"
    elif parameter is not None and parameter.is_object() and kind != "double":
        plain = world.plain(result)
        if plain not in NOTHING:
            return f"returns {plain}"
    return None


def problem(world, name, kind, parameters, missing, member):
    """Call it without parameter number `missing` (None: with all), or without that member of it -> what is wrong, or
    None"""
    values = [world.valid(parameter) for parameter in parameters]
    if missing is not None:
        values[missing] = world.without(values[missing], member) if member else world.ffi.NULL
    before = world.outputs()
    result = world.function(name)(*values)
    wrong = wrong_result(world, name, kind, result, parameters, missing, member)
    if wrong or kind != "kldve_status" or result == 0:
        return wrong
    changed = [output for output, now in world.outputs().items() if now != before[output]]
    return f"returns {result} and changes {' '.join(changed)}" if changed else None


def nothing_at_all(world, name, parameters):
    """All pointers NULL, all numbers 0: it need only return."""
    world.function(name)(*[world.ffi.NULL if p.is_pointer() else 0 for p in parameters])


def ends_badly(work):
    """Run work() in a child -> what is wrong, or None"""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writer, (work() or "").encode())
        except BaseException as raised:  # pylint: disable=broad-except
            os.write(writer, f"{type(raised).__name__}: {raised}".encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as said:
        text = said.read()
    status = os.waitpid(child, 0)[1]
    return f"ends the program (wait status {status})" if status else text


def calls(world, name, kind, parameters):
    """-> pairs of what is NULL and a function that makes the call"""
    def made(missing, member=None):
        def work(job=None):
            world.objects["kldve_job"] = world.objects["kldve_metric_job"] = job
            return problem(world, name, kind, parameters, missing, member)
        bases = [p.base for p in parameters]
        if "kldve_metric_job" in bases:
            return lambda: world.in_metric(work)
        return (lambda: world.in_method(name, work)) if "kldve_job" in bases else work
    yield "nothing NULL", made(None)
    for i, parameter in enumerate(parameters):
        if parameter.is_pointer():
            yield f"{parameter.name} NULL", made(i)
        for member in world.members(parameter):
            yield f"{parameter.name}->{member} NULL", made(i, member)
    yield "all NULL", lambda: nothing_at_all(world, name, parameters)


def main(*pairs):
    world = World(pairs[::2])
    known = declarations(world.text)
    world.parse_types(p for _, parameters in known.values() for p in parameters)
    gc.freeze()  # else each child copies the memory of all objects
    names = [name for symbols in pairs[1::2] for name in open(symbols, encoding="utf-8").read().split()]
    count = bad = 0
    for name in names:
        if name not in known:
            print(f"{name}: in no header")
            bad += 1
            continue
        for what, work in calls(world, name, *known[name]):
            wrong = ends_badly(work)
            count += 1
            if wrong:
                print(f"{name}, {what}: {wrong}")
                bad += 1
    print(f"{len(names)} functions, {count} calls, {bad} are wrong")
    return bool(bad) or len(names) < 100


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
