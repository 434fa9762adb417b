"""examples/hosts/threads: what several threads say is what the command says of each picture."""
from hosts import NETWORK, PICTURES, Host, main


class Threads(Host):
    def lines(self, threads, pictures, **expected):
        return sorted(self.good(NETWORK, threads, *pictures).splitlines())

    def test_same_as_the_command(self):
        """More pictures than the queue holds and than there are threads; fewer of both."""
        said = {}
        for picture in PICTURES:
            index, logit = self.command_class(picture)
            said[picture] = f"{picture}: class {index}, logit {logit:.4f}"
        for threads, pictures in [(1, PICTURES), (2, PICTURES), (4, PICTURES * 8), (8, PICTURES[:1])]:
            self.assertEqual(self.lines(threads, pictures), sorted(said[p] for p in pictures))

    def test_one_bad_picture(self):
        done = self.host(NETWORK, 2, PICTURES[0], "no.png", PICTURES[1])
        self.assertEqual((done.returncode, len(done.stdout.splitlines())), (1, 2))
        self.assertRegex(done.stderr, r"\Ano\.png: .*No such file[^\n]*\n\Z")

    def test_failures_are_said(self):
        self.refused(r"no\.onnx: .*No such file", "no.onnx", 2, PICTURES[0])
        self.refused("usage: ", NETWORK, 0, PICTURES[0], status=2)
        self.refused("usage: ", NETWORK, 65, PICTURES[0], status=2)
        self.refused("usage: ", NETWORK, 1, status=2)


if __name__ == "__main__":
    main()
