"""examples/hosts/cancel: Control-C and a deadline end what runs, in an orderly way and soon."""
import signal
import subprocess
import time

from hosts import NETWORK, PICTURES, PROGRAM, Host, main

SLOW = "rise"  # seconds


class Cancel(Host):
    def expected(self, method):
        index, logit = self.command_class(PICTURES[0])
        return f"explaining\n{method}: class {index}, logit {logit:.4f}\n"

    def test_in_time(self):
        for arguments in (["grad-cam"], ["grad-cam", 60000]):
            self.assertEqual(self.good(NETWORK, PICTURES[0], *arguments), self.expected("grad-cam"))

    def test_deadline(self):
        """Another method takes the place, on the same explainer."""
        done = self.host(NETWORK, PICTURES[0], SLOW, 5)
        self.assertEqual((done.returncode, done.stdout), (0, self.expected("kl-dve")))
        self.assertRegex(done.stderr, r"\A[^\n]*deadline[^\n]*\n\Z")

    def test_interrupt(self):
        """At several times in the course of it; the whole method takes much longer."""
        whole = time.monotonic()
        self.good(NETWORK, PICTURES[0], SLOW)
        whole = time.monotonic() - whole
        for wait in (0, 0.02, 0.1, whole / 4):
            child = subprocess.Popen([PROGRAM, NETWORK, PICTURES[0], SLOW], stdout=subprocess.PIPE,
                                     stderr=subprocess.PIPE, text=True, cwd=self.dir)
            self.assertEqual(child.stdout.readline(), "explaining\n")
            time.sleep(wait)
            child.send_signal(signal.SIGINT)
            out, err = child.communicate(timeout=60)
            self.assertEqual((child.returncode, out), (130, ""), err)
            self.assertRegex(err, r"\A[^\n]*cancelled[^\n]*\n\Z")

    def test_failures_are_said(self):
        self.refused(r"no\.onnx: .*No such file", "no.onnx", PICTURES[0], "cam")
        done = self.host(NETWORK, PICTURES[0], "no-such-method")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"\A[^\n]*no-such-method[^\n]*\n\Z")
        self.refused("usage: ", NETWORK, PICTURES[0], status=2)


if __name__ == "__main__":
    main()
