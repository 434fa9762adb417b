"""The example program: general truth against double loops over the equations and against
scikit-learn's perplexity search and gradient; the guide quotes the program verbatim."""
import math
import os
import random
import subprocess
import sys
import unittest

try:
    import numpy
    from sklearn.manifold import _t_sne
except ImportError:
    _t_sne = None

PROGRAM = sys.argv.pop(1)


def run(scores, truth, perplexity):
    numbers = "\n".join(repr(x) for x in scores + truth)
    out = subprocess.run([PROGRAM, str(len(scores)), repr(perplexity)], input=numbers, text=True,
                         capture_output=True, check=False)
    if out.returncode:
        raise RuntimeError(out.stderr)
    values = [float(line) for line in out.stdout.split()]
    return values[0], values[1:]


def conditional(truth, i, perplexity):
    """Row i of p(j | i): bisection on the logarithm of beta."""
    low, high = -60.0, 60.0
    squares = [(y - truth[i]) ** 2 for y in truth]
    nearest = min(s for j, s in enumerate(squares) if j != i)
    for _ in range(100):
        beta = math.exp((low + high) / 2)
        w = [0 if j == i else math.exp(-beta * (s - nearest)) for j, s in enumerate(squares)]
        total = sum(w)
        entropy = -sum(v / total * math.log(v / total) for v in w if v > 1e-300)
        low, high = ((low + high) / 2, high) if entropy > math.log(perplexity) else \
            (low, (low + high) / 2)
    return [v / total for v in w]


def by_the_equations(k, truth, perplexity):
    n = len(k)
    rows = [conditional(truth, i, perplexity) for i in range(n)]
    w = [[0 if i == j else 1 / (1 + (k[i] - k[j]) ** 2) for j in range(n)] for i in range(n)]
    total = sum(map(sum, w))
    p = [[(rows[i][j] + rows[j][i]) / (2 * n) for j in range(n)] for i in range(n)]
    kl = sum(p[i][j] * math.log(p[i][j] * total / w[i][j])
             for i in range(n) for j in range(n) if p[i][j] > 0)
    z = [4 * sum((p[i][j] - w[i][j] / total) * w[i][j] * (k[i] - k[j]) for j in range(n))
         for i in range(n)]
    return kl, z


def distance(a, b):
    return max(abs(x - y) for x, y in zip(a, b)) / max(map(abs, b))


def two_networks(n, seed):
    generator = random.Random(seed)
    teacher = [generator.gauss(0, 2.5) for _ in range(n)]
    return [t + generator.gauss(0, 1) for t in teacher], teacher


class Example(unittest.TestCase):
    def test_equations(self):
        for n, perplexity in ((10, 3.0), (80, 5.0), (80, 30.0)):
            k, truth = two_networks(n, n)
            kl, z = run(k, truth, perplexity)
            expected_kl, expected = by_the_equations(k, truth, perplexity)
            self.assertLessEqual(distance(z, expected), 1e-9)
            self.assertAlmostEqual(kl, expected_kl, delta=1e-10)

    @unittest.skipUnless(_t_sne, "no scikit-learn")
    def test_scikit_learn(self):
        """Its search stops at an entropy within 1e-5, and its distances are float32."""
        for n, perplexity in ((100, 5.0), (400, 30.0), (1000, 50.0)):
            k, truth = two_networks(n, n)
            kl, z = run(k, truth, perplexity)
            y = numpy.array(truth, numpy.float32)
            p = _t_sne._joint_probabilities(numpy.subtract.outer(y, y) ** 2, perplexity, 0)
            their_kl, theirs = _t_sne._kl_divergence(numpy.array(k), p, 1, n, 1)
            self.assertLessEqual(distance(z, theirs), 1e-4)
            self.assertAlmostEqual(kl, their_kl, delta=1e-4)

    def test_refused(self):
        with self.assertRaisesRegex(RuntimeError, "cannot reach the perplexity 30"):
            run([1.0, 2.0, 3.0, 4.0], [0.0, 0.0, 1.0, 2.0], 30.0)

    def test_guide(self):
        source = os.environ["KLDVE_SOURCE"]
        with open(os.path.join(source, "examples", "divergence.c"), encoding="utf-8") as file:
            program = file.read()
        with open(os.path.join(source, "docs", "divergence.md"), encoding="utf-8") as file:
            self.assertIn(program.partition("#include")[2].strip(), file.read())


if __name__ == "__main__":
    unittest.main()
