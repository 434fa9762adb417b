"""Lists of labels."""
from bomb import Bomb, fifo, link_to, png, sparse

MIB = 1 << 20


def lists():
    return {
        "15 MB of line ends, then a name": b"\n" * (15 * MIB) + b"last\n",
        "15 MB of line ends alone": b"\n" * (15 * MIB),
        "15 MB of carriage returns": b"\r" * (15 * MIB) + b"x",
        "a line of 15 MB": b"x" * (15 * MIB),
        "7 million labels": b"a\n" * (7 * MIB),
        "a million synsets": b"n00000001\n" * MIB,
        "15 MB of blanks": b" " * (15 * MIB),
        "blanks between names": (b"a" + b" " * 1000 + b"\n") * 10000,
        "above the limit": b"a\n" * (9 * MIB),
        "NUL": b"cat\0dog\n",
        "NUL at the end": b"cat\n\0",
        "invalid UTF-8": b"\xff\xfe\xc3\n\x80\x9b31m\n" * 5,
        "UTF-16": "cat\ndog\n".encode("utf-16"),
        "escape sequences": b"\x1b[31m\x1b]0;evil\x07\x9b2J\n" * 9,
        "bidirectional": "\u202edoor\u2066\u200b\n".encode() * 9,
        "shell": b"$(rm -rf ~)`reboot`\n" * 9,
        "empty": b"",
        "a mark of byte order alone": b"\xef\xbb\xbf",
        "a picture": png(16, 16),
    }


def files():
    return {
        "FIFO": fifo, "/dev/zero": link_to("/dev/zero"), "/dev/full": link_to("/dev/full"),
        "/proc/self/mem": link_to("/proc/self/mem"), "/dev/random": link_to("/dev/random"),
        "a link to itself": link_to("labels.txt"), "a folder": link_to("/"),
        "a sparse file of 8 GiB": sparse(8 << 30), "15 MB of NULs": sparse(15 * MIB),
    }


def bombs():
    for name, data in lists().items():
        shown = {"labels.txt": data, "pic.png": png(16, 16)}
        yield Bomb("labels", "lists", name, shown,
                   ["explain", "pic.png", "--labels", "labels.txt", "--json", "r.json"], host=("labels", "labels.txt"))
    for name, make in files().items():
        yield Bomb("labels", "files", name, {"labels.txt": make, "pic.png": png(16, 16)},
                   ["explain", "pic.png", "--labels", "labels.txt", "--json", "r.json"], allowed=(1, 2))
