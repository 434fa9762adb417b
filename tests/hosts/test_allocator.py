"""examples/hosts/allocator: all memory comes from the pool, stays within it and returns to it."""
import re

from hosts import NETWORK, PICTURES, Host, main

FULL = 64 << 10  # KiB, the largest pool


class Allocator(Host):
    def pool(self, kib):
        """Exit status, class and logit or None, statistics of the pool."""
        done = self.host(NETWORK, PICTURES[0], kib)
        lines = done.stdout.splitlines()
        found = re.fullmatch(r"pool of (\d+) bytes: at most (\d+) used, (\d+) calls, (\d+) refused, "
                             r"(\d+) blocks left", lines[-1])
        size, most, calls, refused, left = map(int, found.groups())
        self.assertLessEqual(most, size)
        self.assertLessEqual(size, kib * 1024)
        self.assertEqual(left, 0)
        if done.returncode == 0:
            self.assertEqual(done.stderr, "")
        else:
            self.assertEqual((done.returncode, len(lines)), (1, 1))
            self.assertRegex(done.stderr, r"\A[^\n]*out of memory[^\n]*\n\Z")
            self.assertGreater(refused, 0)
        return done.returncode, lines[0], most, calls

    def test_enough(self):
        status, said, most, calls = self.pool(FULL)
        index, logit = self.command_class(PICTURES[0])
        self.assertEqual(status, 0)
        self.assertEqual(said, f"class {index}, logit {logit:.4f}")
        self.assertGreater(calls, 50)
        self.assertGreater(most, 96 * 24 * 24 * 4)  # the feature maps alone

    def test_every_size_works_or_is_refused(self):
        """Down to nothing; where it stops to work is near what it says it used."""
        used = self.pool(FULL)[2]
        low, high = 0, FULL
        while high - low > 64:
            middle = (low + high) // 2
            if self.pool(middle)[0] == 0:
                high = middle
            else:
                low = middle
        self.assertGreaterEqual(high * 1024, used - 64 * 1024)
        self.assertLess(high * 1024, 2 * used)
        for kib in (1, 2, 5, 16, 100, low // 2):
            self.assertEqual(self.pool(kib)[0], 1)

    def test_failures_are_said(self):
        self.refused(r"no\.png: .*No such file", NETWORK, "no.png")
        self.refused("usage: ", NETWORK, PICTURES[0], 0, status=2)
        self.refused("usage: ", NETWORK, status=2)


if __name__ == "__main__":
    main()
