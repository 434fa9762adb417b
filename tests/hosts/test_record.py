"""examples/hosts/ring: what was recorded is explained later as if it were now; what is not whole is told;
the file is as its header says."""
import os
import random
import struct
import subprocess
import time

from hosts import NETWORK, PICTURES, PROGRAM, SOURCE, Host, main, rows

LATER = os.path.join(os.path.dirname(PROGRAM), "later")
HEADER = struct.Struct("=8sIIIIIIQQQ")
SLOT = struct.Struct("=QqiI56sQ")
SIZES = (10, 96, 24, 24)  # classes, maps, height, width of the demonstration network


def fnv(data):
    check = 0xcbf29ce484222325
    for byte in data:
        check = (check ^ byte) * 0x100000001b3 % 2 ** 64
    return check


class Ring(Host):
    def record(self, *pictures, slots=4):
        return self.good(NETWORK, "r.ring", slots, *pictures)

    def later(self, *args, failing=None):
        """What the second program printed; with `failing`, why it failed."""
        done = subprocess.run([LATER, "r.ring", *map(str, args)], cwd=self.dir, capture_output=True, text=True,
                              timeout=60)
        if failing:
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stderr, rf"\A[^\n]*{failing}[^\n]*\n\Z")
        else:
            self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def listed(self):
        """The numbers of the entries and what is said of each."""
        lines = [line.split(" ", 1) for line in self.later().splitlines()]
        return {int(number): said.split(" ", 1)[-1] for number, said in lines}

    def bytes_of(self):
        with open(self.path("r.ring"), "rb") as file:
            return file.read()

    def change(self, at, data):
        with open(self.path("r.ring"), "r+b") as file:
            file.seek(at)
            file.write(data)

    def slot_bytes(self):
        return HEADER.unpack_from(self.bytes_of())[8]

    def test_same_map(self):
        """Within what float16 keeps: 11 bits."""
        said = self.record(*PICTURES)
        for number, picture in enumerate(PICTURES, 1):
            index, _ = self.command_class(picture)
            self.assertIn(f"{os.path.basename(picture)}: class {index}\n", said)
            self.assert_close(rows(self.later(number)), self.command_map(NETWORK, picture, "--reading", "paper"),
                              2e-3)
            self.assert_close(rows(self.later(number, NETWORK)), self.command_map(NETWORK, picture), 2e-3)

    def test_the_newest_stay(self):
        self.record(*PICTURES, *PICTURES, PICTURES[1])
        names = [os.path.basename(p) for p in PICTURES]
        self.assertEqual(self.listed(), {4: names[0], 5: names[1], 6: names[2], 7: names[1]})
        self.record(PICTURES[2])  # another run goes on
        self.assertEqual(self.listed(), {5: names[1], 6: names[2], 7: names[1], 8: names[2]})
        size = os.path.getsize(self.path("r.ring"))
        self.record(*PICTURES * 3)
        self.assertEqual(os.path.getsize(self.path("r.ring")), size)
        for number in ("0", "1", "9999", "x"):
            self.later(number, failing="no such entry")

    def test_format(self):
        """Read by another program."""
        before = int(time.time() * 1000)
        self.record(PICTURES[0], slots=2)
        data = self.bytes_of()
        magic, order, slots, *shape, network, slot_bytes, check = HEADER.unpack_from(data)
        self.assertEqual((magic, order, slots, tuple(shape)), (b"KLDVRING", 0x01020304, 2, SIZES))
        with open(NETWORK, "rb") as file:
            self.assertEqual(network, fnv(file.read()))
        self.assertEqual(check, fnv(data[:HEADER.size - 8]))
        self.assertEqual(len(data), HEADER.size + 2 * slot_bytes)
        slot = data[HEADER.size + slot_bytes:]  # of entry 1
        number, when, e, _, name, check = SLOT.unpack_from(slot)
        self.assertEqual((number, name.rstrip(b"\0")), (1, b"scene1.png"))
        self.assertTrue(before <= when <= time.time() * 1000)
        self.assertEqual(check, fnv(slot[:SLOT.size - 8] + slot[SLOT.size:]))
        logits = struct.unpack_from("=10e", slot, SLOT.size)
        index, logit = self.command_class(PICTURES[0])
        self.assertAlmostEqual(logits[index] * 2.0 ** e, logit, delta=abs(logit) / 1024)
        self.assertEqual(max(logits), logits[index])

    def test_torn_entries_are_told(self):
        """One byte of an entry differs: anywhere in it."""
        self.record(*PICTURES)
        size, whole = self.slot_bytes(), self.bytes_of()
        chance = random.Random(5)
        for at in [9, 20, 30, 87] + [chance.randrange(88, 88 + 2 * (10 + 96 * 24 * 24)) for _ in range(6)]:
            at += HEADER.size + 2 * size  # entry 2
            self.change(at, bytes([whole[at] ^ 1 << chance.randrange(8)]))
            self.later(2, failing="not whole")
            self.assertIn("not whole", self.listed()[2])
            self.later(1)
            self.change(at, whole[at:at + 1])
        self.later(2)

    def test_killed_while_writing(self):
        """However often: each entry that is listed by its name is whole, and recording goes on."""
        for delay in (0.05, 0.1, 0.15, 0.2):
            child = subprocess.Popen([PROGRAM, NETWORK, "r.ring", "4", *PICTURES * 200], cwd=self.dir,
                                     stdout=subprocess.DEVNULL)
            time.sleep(delay)
            child.kill()
            child.wait()
            if not os.path.exists(self.path("r.ring")) or not os.path.getsize(self.path("r.ring")):
                continue
            before = max(self.listed(), default=0)
            self.record(PICTURES[0])
            self.assertGreater(max(self.listed()), before)

    def test_other_files_are_refused(self):
        self.record(PICTURES[0])
        self.refused("r.ring: .*another network or with another number", NETWORK, "r.ring", 5, PICTURES[0])
        other = os.path.join(SOURCE, "demo", "kldve-vit.onnx")
        self.refused("r.ring: .*another network", other, "r.ring", 4, PICTURES[0])
        self.later(1, other, failing="another network")
        for at in range(0, HEADER.size, 4):
            whole = self.bytes_of()
            self.change(at, bytes([whole[at] ^ 0x40]))
            self.later(failing="no ring of this release")
            self.change(at, whole[at:at + 1])
        for size in (len(whole) - 1, HEADER.size, 7):
            os.truncate(self.path("r.ring"), size)
            self.later(failing="no ring of this release")
        self.refused("r.ring: ", NETWORK, "r.ring", 4, PICTURES[0])  # cut off: not written over

    def test_failures_are_said(self):
        self.refused("no/r.ring: No such file", NETWORK, "no/r.ring", 4, PICTURES[0])
        self.refused("usage: ", NETWORK, "r.ring", 0, PICTURES[0], status=2)
        self.refused(r"no\.png: .*No such file", NETWORK, "r.ring", 4, "no.png")


if __name__ == "__main__":
    main()
