#!/usr/bin/env python3
"""filter.py HEADER.h - a public header as Doxygen reads it, on standard output.

The headers are written to be read as they are.  They say once what holds for many places; Doxygen wants it at each:

  - the comment at the head of a header describes the file,
  - a comment behind or before `int32_t width, height;` describes both members,
  - declarations that follow a documented one without an empty line in between share its comment,
  - a parameter of a usual kind, such as the context or an enum of the same name, needs no words of its own,
  - a comment that begins with what a value is, "The number of labels.", describes what the call returns,
  - a constant or an enum is a link wherever it is named.

What nobody has described stays undescribed, and Doxygen warns of it."""
import pathlib
import re
import sys

# Parameters that mean the same wherever they stand, as common.h says.
BY_TYPE = {
    "kldve_ctx": "The context: memory, messages, limits.",
    "kldve_explainer": "The explainer.",
    "kldve_heatmap": "The heat map.",
    "kldve_image": "The picture.",
    "kldve_labels": "The names of the classes.",
    "kldve_divergence": "The divergence.",
    "kldve_card": "The model card.",
    "kldve_onnx": "The network.",
    "kldve_arrays": "What the inference left behind; borrowed for the call.",
    "kldve_options": "NULL means defaults.",
    "kldve_onnx_options": "NULL means defaults.",
    "kldve_render_options": "NULL means defaults.",
    "kldve_job": "What the slot was called with.",
    "kldve_metric_job": "What compute() was called with.",
}
BY_NAME = {
    "out": "The result, written on KLDVE_OK only.",
    "opaque": "What was handed over with the callback.",
    "values": "Becomes the array, borrowed.",
    "count": "The length of the arrays.",
    "*count": "Becomes the length of the array.",
    "nbytes": "The length in bytes.",
    "index": "From 0.",
    "name": "What it is called, as lists have it.",
    "path": "Of the file.",
}
COMMENT = r"/\*\*(?!<)(?:(?!\*/).)*\*/"
BEHIND = r"\s*/\*\*<(?:(?!\*/).)*\*/"
MEMBERS = r"(?:const )?\w+ \**\w+(?:\[\w+\])?(?:, \**\w+(?:\[\w+\])?)+;"
DECLARATION = r"(?:KLDVE_MAY_BE_UNSET\(\d\)\n)?(?:KLDVE_API|typedef|static)[^;{]*?\(((?!\*)[^()]*)\)[^;{}]*[;{]"


def substitute(pattern, change, text):
    return re.sub(pattern, change, text, flags=re.M | re.S)


def head_of_file(text):
    """The first comment, without the name of the header, which Doxygen knows."""
    head = re.match(r"/\* (\w+\.h) - (.)", text)
    return "/** @file %s\n * %s%s" % (head.group(1), head.group(2).upper(), text[head.end():])


def split(members):
    """["int32_t width;", "int32_t height;"] of "int32_t width, height;"."""
    kind, names = re.match(r"((?:const )?\w+) (.*);", members).groups()
    return ["%s %s;" % (kind, name) for name in names.split(", ")]


def split_members(text):
    text = substitute(r"^ +(%s)(%s)" % (MEMBERS, BEHIND),
                      lambda m: "\n".join(member + m.group(2) for member in split(m.group(1))), text)
    return substitute(r"^ +(%s)\n +(%s)$" % (COMMENT, MEMBERS),
                      lambda m: "\n".join(m.group(1) + "\n" + member for member in split(m.group(2))), text)


def sizes_of_structs(text):
    return substitute(r"size_t struct_size;$",
                      "size_t struct_size; /**< sizeof, which the initialiser sets: docs/abi.md */", text)


def initialisers(text):
    return substitute(r"^#define (\w+_INIT) KLDVE_INIT\((\w+)\)",
                      r"/** Initialiser of a #\2: its size, and zero bytes for the defaults. */\n"
                      r"#define \1 KLDVE_INIT(\2)", text)


def share_comments(text):
    """A comment before several declarations in a row stands before each."""
    declaration = r"KLDVE_API[^;]*;\n|#define KLDVE_VERSION_\w+ \d+\n"
    return substitute(r"(%s)\n((?:%s){2,})" % (COMMENT, declaration),
                      lambda m: "".join("%s\n%s" % (m.group(1), one) for one in re.findall(declaration, m.group(2))),
                      text)


def usual_words(parameter, enums):
    """What a parameter is, where its type or name tells; else None."""
    found = re.search(r"(\*?)(\w+)(?:\[\w*\])?\s*$", parameter)
    if not found:
        return None
    star, name = found.groups()
    words = (BY_TYPE.get(re.sub(r"const|\s|\*$", "", parameter[:found.start(2)])) or BY_NAME.get(star + name)
             or BY_NAME.get(name) or ("kldve_" + name in enums and "A kldve_%s." % name))
    return words and (name, words)


def described(tags, parameters, enums):
    """The @param tags in the order of the parameters, with the usual words for those that have none."""
    by_name, said = {}, set()  # by the first name, for `@param width, height` describes two
    for tag in tags:
        names = re.match(r"@param\s+(\w+(?:, ?\w+)*)", tag)
        if names:
            several = re.split(", ?", names.group(1))
            by_name[several[0]] = tag
            said.update(several)
    for name, words in filter(None, (usual_words(parameter, enums) for parameter in parameters.split(","))):
        if name not in said:
            by_name[name] = "@param %s %s" % (name, words)
    order = re.findall(r"\w+", parameters)
    return [by_name[name] for name in sorted(by_name, key=lambda name: order.index(name) if name in order else -1)]


def complete(match, enums):
    """The comment of a function with the usual words for parameters, and for the value that it returns."""
    body, declaration, parameters = match.groups()
    body = re.sub(r"\n \*  (Threads|Cost): ", r"\n *  @par \1\n *  ", body)
    text, *tags = [part.rstrip(" *\n") for part in re.split(r"(?=@(?:param |return|since|par ))", body)]
    rest = [tag for tag in tags if not tag.startswith("@param")]
    is_value = re.match(r"KLDVE_API (?!KLDVE_MUST_CHECK|kldve_status|void )", declaration)
    if is_value and not any(tag.startswith("@return") for tag in rest):
        rest.insert(0, "@return " + re.split(r"(?<=\.)\s", text.strip())[0])
    return "/**%s */\n" % "\n *  ".join([text] + described(tags, parameters, enums) + rest)


def usual_parameters(text, enums):
    return substitute(r"/\*\*(?!<)((?:(?!\*/).)*)\*/\n(?=(%s))" % DECLARATION,
                      lambda m: complete(m, enums), text)


def enums_of(folder):
    """The names of all enums and of their constants that have a comment, in the headers of a folder."""
    found = set()
    for header in folder.glob("*.h"):
        enums = re.findall(r"^(?:typedef )?enum(?: \w+)? \{(.*?)^\} ?(\w*);", header.read_text(), re.M | re.S)
        for body, name in enums:
            found.update([name] if name else [], re.findall(r"^ +(KLDVE_\w+) = [^/\n]*/\*\*<", body, re.M),
                         re.findall(r"\*/\n +(KLDVE_\w+) = [^/\n]*$", body, re.M))
    return found


def link_enums(text, names):
    """Doxygen links functions, structs and headers by itself.  Paragraphs that begin far to the right are code."""
    def mark(name):
        return "#" * (name.group() in names) + name.group()

    def link(comment):
        paragraphs = re.split(r"(\n ?\*? *\n)", comment.group())
        return "".join(part if re.match(r" *\*? {5}", part)
                       else re.sub(r"(?<![\w#`.])(?:kldve_\w+|KLDVE_\w+)(?![\w*(`])", mark, part) for part in paragraphs)

    return substitute(r"/\*\*(?:(?!\*/).)*\*/", link, text)


def main():
    header = pathlib.Path(sys.argv[1])
    text = header.read_text()
    enums = enums_of(header.parent)
    for step in (head_of_file, split_members, sizes_of_structs, initialisers, share_comments):
        text = step(text)
    sys.stdout.write(link_enums(usual_parameters(text, enums), enums))


main()
