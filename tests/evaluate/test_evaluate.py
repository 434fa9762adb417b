"""kldve evaluate: the same numbers however many threads, processes, parts and deaths there were."""
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.environ["KLDVE_SOURCE"], "tests", "cli"))
import tinynet  # noqa: E402
from command import KLDVE, SKIPPED, png, run  # noqa: E402
from test_store import NAMED, opened, rows  # noqa: E402

MPI = os.environ["KLDVE_MPI"] == "1" and shutil.which("mpirun") is not None
ROWS = dict(NAMED, explanation="SELECT network.name, question.key, method.name, target, logit, probability, flags, why "
            "FROM explanation JOIN network ON network.id = network JOIN question ON question.id = question "
            "JOIN method ON method.id = method")
PICTURES = 24
METHODS = ["--method", "kl-dve", "--method", "grad-cam", "--method", "random"]
METRICS = ["--metric", "insertion:steps=4", "--metric", "energy_area"]
UNFINISHED = 3


def picture(seed):
    draw = random.Random(seed)
    return png(11, 9, lambda x, y: bytes(draw.randrange(256) for _ in range(3)))


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.base = tempfile.mkdtemp(prefix="kldve-evaluate-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else ".")
        cls.addClassCleanup(shutil.rmtree, cls.base)
        os.mkdir(os.path.join(cls.base, "photos"))
        for i in range(PICTURES):
            cls.write(os.path.join("photos", f"p{i:02}.png"), picture(i))
        cls.write("a.onnx", tinynet.classifier())
        cls.write("b.onnx", tinynet.classifier(bias=[0.3, -0.2, 0.1, 0.0]))
        cls.networks = ["--model", os.path.join(cls.base, "a.onnx"), "--model", os.path.join(cls.base, "b.onnx")]
        cls.photos = os.path.join(cls.base, "photos")
        cls.job = [*cls.networks, cls.photos, *METHODS, *METRICS, "--quiet"]
        cls.whole = os.path.join(cls.base, "whole.db")
        result = run("evaluate", *cls.job, "--db", cls.whole, "--threads", "1")
        assert (result.status, result.err) == (0, ""), result.err
        cls.rows = rows(cls.whole, ROWS)

    @classmethod
    def write(cls, name, data):
        with open(os.path.join(cls.base, name), "wb") as file:
            file.write(data)

    def setUp(self):
        self.folder = tempfile.mkdtemp(dir=self.base)
        self.db = self.path("a.db")

    def path(self, name):
        return os.path.join(self.folder, name)

    def evaluate(self, *args, status=0, **how):
        result = run("evaluate", *args, **how)
        self.assertEqual(result.status, status, result.err)
        return result

    def same(self, path=None):
        self.assertEqual(rows(path or self.db, ROWS), self.rows)

    def units(self):
        with opened(self.db) as db:
            return db.execute("SELECT count(*) FROM unit").fetchone()[0]


class Threads(Case):
    def test_whole(self):
        self.assertEqual(len(self.rows["value"]), 2 * PICTURES * 3 * 2)
        self.assertEqual(len(self.rows["unit"]), 2 * PICTURES)
        for *_, value in self.rows["value"]:
            self.assertTrue(0 <= value <= 1)

    def test_threads(self):
        for threads in [2, 3]:
            self.db = self.path(f"{threads}.db")
            self.evaluate(*self.job, "--db", self.db, "--threads", str(threads))
            self.same()

    def test_parts(self):
        parts = [self.path(f"{i}.db") for i in (1, 2, 3)]
        for i, part in enumerate(parts):
            self.evaluate(*self.job, "--db", part, "--shard", f"{i + 1}/3")
        self.assertEqual(run("merge", self.db, *parts).status, 0)
        self.same()

    def test_growth(self):
        """Every extension measures only what is missing; the end is the whole."""
        few = self.path("few")
        os.mkdir(few)
        for i in range(0, PICTURES, 2):
            os.link(os.path.join(self.photos, f"p{i:02}.png"), os.path.join(few, f"p{i:02}.png"))
        steps = [(self.networks[:2], few, METHODS[:2], METRICS[2:], 12),
                 (self.networks[:2], few, METHODS[:4], METRICS[2:], 12),
                 (self.networks, few, METHODS[:4], METRICS[2:], 12),
                 (self.networks, self.photos, METHODS[:4], METRICS[2:], 24),
                 (self.networks, self.photos, METHODS[:4], METRICS, 48),
                 (self.networks, self.photos, METHODS, METRICS, 48),
                 (self.networks, self.photos, METHODS, METRICS, 0)]
        for networks, photos, methods, metrics, now in steps:
            result = self.evaluate(*networks, photos, *methods, *metrics, "--db", self.db)
            self.assertIn(f", {now} measured now", result.out)
        self.same()


class Deaths(Case):
    def begin(self, *command, **how):
        return subprocess.Popen([*map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **how)

    def wait_for_units(self, process, count):
        end = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < end:
            if os.path.exists(self.db):
                try:
                    if self.units() >= count:
                        return
                except Exception:  # it has no tables yet, or is being written
                    pass
            time.sleep(0.002)

    def test_signals(self):
        """The first signal ends the run in good order."""
        stopped = 0
        for number in [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]:
            with self.subTest(number=number):
                process = self.begin(KLDVE, "evaluate", *self.job, "--db", self.db, "--threads", "1")
                self.wait_for_units(process, self.units() + 3 if os.path.exists(self.db) else 3)
                process.send_signal(number)
                _, err = process.communicate(timeout=60)
                self.assertIn(process.returncode, [0, UNFINISHED], err)
                if process.returncode == UNFINISHED:
                    stopped += 1
                    self.assertRegex(err, r"\Akldve: \d+ of 48 are not measured yet: the same command goes on\n\Z")
        self.assertGreater(stopped, 0)
        self.evaluate(*self.job, "--db", self.db)
        self.same()

    @unittest.skipUnless(MPI, "no MPI")
    def test_rank_dies(self):
        """Methods that repeat passes, so that there is time to kill."""
        job = [*self.networks, self.photos, "--method", "rise", "--method", "kernel-shap", *METRICS]
        whole = self.path("whole.db")
        self.evaluate(*job, "--db", whole)
        deaths = 0
        for victim in ["0", "1", "2"]:
            with self.subTest(victim=victim):
                self.db = self.path(f"{victim}.db")
                process = self.begin(*mpirun(3), KLDVE, "evaluate", *job, "--db", self.db, "--threads", 1, env=ENV,
                                     start_new_session=True)
                self.wait_for_units(process, 2)
                for pid in ranks_of(process, victim):
                    os.kill(pid, signal.SIGKILL)
                process.communicate(timeout=60)
                kept = self.units()
                deaths += process.returncode != 0 and kept < 48
                result = self.evaluate(*job, "--db", self.db)
                self.assertIn(f", {48 - kept} measured now", result.out)
                self.assertEqual(rows(self.db, ROWS), rows(whole, ROWS))
        self.assertGreater(deaths, 1)


def mpirun(count):
    return ["mpirun", "--oversubscribe", "-n", str(count)]


# Open MPI keeps memory of modules that it has unloaded, whose names no suppression can give; our own leaks show in all
# other tests of the command.
ENV = dict(os.environ, ASAN_OPTIONS=":".join(filter(None, [os.environ.get("ASAN_OPTIONS"), "detect_leaks=0"])),
           OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
           OMPI_MCA_btl_vader_single_copy_mechanism="none", OMPI_MCA_rmaps_base_oversubscribe="1")


def ranks_of(process, rank):
    """Processes below mpirun that have this rank."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat") as file:
                parent = int(file.read().rsplit(")", 1)[1].split()[1])
            with open(f"/proc/{entry}/environ", "rb") as file:
                environment = file.read().split(b"\0")
        except OSError:
            continue
        if parent == process.pid and f"OMPI_COMM_WORLD_RANK={rank}".encode() in environment:
            found.append(int(entry))
    return found


@unittest.skipUnless(MPI, "no MPI")
class Ranks(Case):
    def run_ranks(self, *command, status=0):
        result = subprocess.run([*map(str, command)], env=ENV, capture_output=True, text=True, timeout=120)
        if status == 0:
            self.assertEqual((result.returncode, result.stderr), (0, ""))
        else:
            self.assertNotEqual(result.returncode, 0)
        lines = [line for line in result.stderr.splitlines() if line.startswith("kldve:")]
        return lines

    def test_ranks(self):
        for count in [2, 3, 4]:
            with self.subTest(count=count):
                self.db = self.path(f"{count}.db")
                self.run_ranks(*mpirun(count), KLDVE, "evaluate", *self.job, "--db", self.db)
                self.same()
                with opened(self.db) as db:
                    self.assertIn(f'"ranks":{count}', db.execute("SELECT record FROM run").fetchone()[0])

    def refused(self, one, other, says):
        lines = self.run_ranks("mpirun", "--oversubscribe", "-n", 1, *one, "--db", self.db, ":", "-n", 1, *other,
                               "--db", self.db, status=1)
        self.assertEqual(len(lines), 1, lines)
        self.assertRegex(lines[0], says)
        self.assertFalse(os.path.exists(self.db))

    def test_ranks_that_differ(self):
        few, broken = self.path("few"), self.path("broken.onnx")
        os.mkdir(few)
        shutil.copy(os.path.join(self.photos, "p00.png"), few)
        with open(broken, "wb") as file:
            file.write(b"broken")
        command = [KLDVE, "evaluate", *self.job]
        cases = [([*command[:-1], "--neighbour-perplexity", "2"], "other options than rank 0"),
                 ([few if part == self.photos else part for part in command], "another data set than rank 0"),
                 ([*command, "--name", "x"], "other networks than rank 0"),
                 ([broken if part == self.networks[3] else part for part in command], "broken.onnx")]
        for other, says in cases:
            with self.subTest(says=says):
                self.refused(command, other, rf"^kldve: rank 1 on .*{says}")

    def test_other_build(self):
        """The same program with another build identity."""
        copy = self.path("kldve")
        with open(KLDVE, "rb") as file:
            data = file.read()
        note = data.find(b"\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0")
        if note < 0:
            self.skipTest("the program has no build identity")
        with open(copy, "wb") as file:
            file.write(data[:note + 16] + bytes([data[note + 16] ^ 255]) + data[note + 17:])
        os.chmod(copy, 0o755)
        lib = os.path.join(os.path.dirname(os.path.dirname(KLDVE)), "lib")
        env = ["-x", f"LD_LIBRARY_PATH={lib}:{lib}/onnx:{os.environ.get('LD_LIBRARY_PATH', '')}"]
        self.refused([*env, KLDVE, "evaluate", *self.job], [*env, copy, "evaluate", *self.job],
                     r"^kldve: rank 1 on .* has another build of kldve: .*: install one on all machines$")

    def test_wrong_usage_once(self):
        # mpirun ends all ranks with the first that fails, and may lose the line of another.
        for _ in range(4):
            lines = self.run_ranks(*mpirun(3), KLDVE, "evaluate", self.photos, "--metric", "wat", "--db", self.db, status=2)
            if lines:
                break
        self.assertEqual(len(lines), 1, lines)


class Kills(Case):
    """Fifty kills at random moments lose nothing and repeat nothing."""

    def test_fifty_kills(self):
        draw = random.Random(1)
        begin = time.monotonic()
        self.evaluate(*self.networks[:2], self.photos, "--metric", "energy_area", "--db", self.path("time.db"))
        usual = time.monotonic() - begin
        hit, before = 0, 0
        for _ in range(50):
            process = subprocess.Popen([KLDVE, "evaluate", *self.job, "--db", self.db], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
            try:
                process.wait(draw.uniform(0, usual))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                hit += 1
            if os.path.exists(self.db):
                with opened(self.db) as db:
                    tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master")]
                if "unit" in tables:
                    now = self.units()
                    self.assertGreaterEqual(now, before)
                    before = now
        self.assertGreater(hit, 10)
        self.evaluate(*self.job, "--db", self.db)
        self.same()


class Slurm(Case):
    """The scripts in examples/slurm with stand-ins for Slurm's commands."""

    def sbatch(self, script, *args, kldve=None, **variables):
        stubs = self.path("stubs")
        os.makedirs(stubs, exist_ok=True)
        for name, body in [("srun", 'while [ "${1#--}" != "$1" ]; do shift; done\nexec "$@"'), ("kldve", kldve or f'exec {KLDVE} "$@"'),
                           ("scontrol", f'echo "$@" >> {self.path("scontrol")}')]:
            with open(os.path.join(stubs, name), "w") as file:
                file.write(f"#!/bin/bash\n{body}\n")
            os.chmod(os.path.join(stubs, name), 0o755)
        path = os.path.join(os.environ["KLDVE_SOURCE"], "examples", "slurm", script)
        self.assertEqual(subprocess.run(["bash", "-n", path]).returncode, 0)
        env = dict(os.environ, PATH=f"{stubs}:{os.environ['PATH']}", SLURM_JOB_ID="7", SLURM_CPUS_PER_TASK="2", **variables)
        return subprocess.run(["bash", path, *args], env=env, capture_output=True, text=True, timeout=120)

    def test_evaluate(self):
        data = [self.networks[1], self.photos, self.db, *METHODS, *METRICS]
        result = self.sbatch("evaluate.sbatch", *data)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("24 measured now", result.stdout)
        self.assertFalse(os.path.exists(self.path("scontrol")))
        self.assertEqual(self.sbatch("evaluate.sbatch", *data, kldve="exit 3").returncode, UNFINISHED)
        with open(self.path("scontrol")) as file:
            self.assertEqual(file.read(), "requeue 7\n")
        self.assertEqual(self.sbatch("evaluate.sbatch", "a.onnx").returncode, 2)

    def test_shards(self):
        data = [self.networks[1], self.photos, self.path("parts"), *METHODS, *METRICS]
        for i in range(1, 4):
            result = self.sbatch("shards.sbatch", *data, SLURM_ARRAY_TASK_ID=str(i), SLURM_ARRAY_TASK_COUNT="3")
            self.assertEqual(result.returncode, 0, result.stderr)
        parts = sorted(os.listdir(self.path("parts")))
        self.assertEqual(parts, [f"part-{i:06}.db" for i in range(1, 4)])
        self.assertEqual(run("merge", self.db, *[self.path(f"parts/{part}") for part in parts]).status, 0)
        self.assertEqual(rows(self.db, ROWS)["value"], [row for row in self.rows["value"] if row[0] == "a"])
        self.assertEqual(self.sbatch("shards.sbatch", *data, kldve="exit 3", SLURM_ARRAY_TASK_ID="2",
                                     SLURM_ARRAY_TASK_COUNT="3", SLURM_ARRAY_JOB_ID="9").returncode, UNFINISHED)
        with open(self.path("scontrol")) as file:
            self.assertEqual(file.read(), "requeue 9_2\n")
        self.assertEqual(self.sbatch("shards.sbatch", *data).returncode, 2)


class Answers(Case):
    def test_unreadable(self):
        photos = self.path("photos")
        shutil.copytree(self.photos, photos)
        for name, data in [("bad.png", b"no picture"), ("cut.png", picture(1)[:60]), ("empty.png", b"")]:
            with open(os.path.join(photos, name), "wb") as file:
                file.write(data)
        job = [*self.networks, photos, *METHODS, *METRICS, "--db", self.db]
        again = r"kldve: what an earlier run could not read is not asked again; [^\n]*sqlite3 [^\n]*a\.db 'DELETE [^\n]*\n"
        for now, last in [(54, ""), (0, again)]:
            result = self.evaluate(*job, status=1)
            self.assertIn(f"{now} measured now, 3 unreadable", result.out)
            self.assertRegex(result.err, r"\nkldve: bad.png: .*\nkldve: cut.png: .*\nkldve: empty.png: .*\n" + last + r"\Z")
        found = rows(self.db, ROWS)
        self.assertEqual([row for row in found["value"] if row[1][0] == "p"], self.rows["value"])

    def test_labels(self):
        with open(self.path("list.tsv"), "w") as file:
            file.write("file\tlabel\n" + "".join(f"{self.photos}/p{i:02}.png\t{i % 4}\n" for i in range(8)) +
                       f"{self.photos}/p08.png\twombat\n{self.photos}/p09.png\t\n")
        result = self.evaluate(*self.networks[:2], self.path("list.tsv"), "--ask", "label", "--metric", "energy_area",
                               "--db", self.db)
        self.assertIn("wombat", result.err)
        found = rows(self.db, ROWS)["explanation"]
        self.assertEqual(sorted(row[3] for row in found), [-1, -1, 0, 0, 1, 1, 2, 2, 3, 3])
        self.assertEqual(sorted(row[7] or "" for row in found)[-2:], ["no label", "the network has no class wombat"])

    def test_truth(self):
        """Boxes that are everything, nothing that the network sees, or not there."""
        with open(self.path("list.tsv"), "w") as file:
            file.write("file\tboxes\n" + f"{self.photos}/p00.png\t0,0,11,9\n{self.photos}/p01.png\t10,0,11,9\n"
                       f"{self.photos}/p02.png\t\n")
        job = [*self.networks[:2], self.path("list.tsv"), "--quiet"]
        self.evaluate(*job, "--db", self.db)  # the usual metrics
        found = {(question[-7:], metric): value for _, question, _, _, _, metric, value in rows(self.db, ROWS)["value"]}
        self.assertEqual({metric for _, metric in found},
                         {"insertion", "deletion", "energy_area", "pointing_game", "energy_inside"})
        # The picture is 11 x 9; resized to 9 x 8, its last column is cut off.
        for name, value in [("p00.png", 1), ("p01.png", None), ("p02.png", None)]:
            self.assertEqual([found[name, metric] for metric in ("pointing_game", "energy_inside")], [value] * 2)

    def test_everything(self):
        """All metrics, in one thread and in three."""
        with open(self.path("list.tsv"), "w") as file:
            file.write("file\tboxes\n" + "".join(f"{self.photos}/p{i:02}.png\t{i % 5},2,9,{4 + i % 5}\n" for i in range(6)))
        for threads in ["1", "3"]:
            self.evaluate(*self.networks, self.path("list.tsv"), *METHODS, "--metric", "all", "--quiet", "--db",
                          self.path(f"{threads}.db"), "--threads", threads)
        self.assertEqual(rows(self.path("1.db"), ROWS), rows(self.path("3.db"), ROWS))
        for _, _, _, _, method, metric, value in rows(self.path("1.db"), ROWS)["value"]:
            if metric == "pearson":
                self.assertEqual(value is None, method == "kl-dve:neighbours")

    def test_mosaics(self):
        """Two questions about each; a map that ignores the class has half of its energy in each half."""
        with open(self.path("list.tsv"), "w") as file:
            file.write("file\tlabel\n" + "".join(f"{self.photos}/p{i:02}.png\t{i % 4}\n" for i in range(12)))
        for threads in ["1", "3"]:
            result = self.evaluate(*self.networks[:2], self.path("list.tsv"), "--mosaic", "2", "--method", "grad-cam", "--method",
                                   "random", "--metric", "localisation", "--threads", threads, "--db", self.path(f"{threads}.db"))
            self.assertIn("the networks are asked for the labels of the photographs", result.err)
        self.assertEqual(rows(self.path("1.db"), ROWS), rows(self.path("3.db"), ROWS))
        energy = [row for row in rows(self.path("1.db"), ROWS)["value"] if row[4:6] == ("random", "energy_inside")]
        self.assertGreater(len(energy), 4)
        pairs = {}
        for _, question, picture, *_, value in energy:
            pairs.setdefault(question.split("#")[0], []).append(value)
        for one, other in pairs.values():
            self.assertAlmostEqual(one + other, 1, places=5)

    def test_random_parameters(self):
        """Which layers are random decides; a control that looks at nothing stays as it is."""
        seen = {}
        for layer in ["cascade:0", "cascade:1", "independent:1"]:
            self.evaluate(*self.networks[:2], self.photos, "--method", "grad-cam", "--method", "centre", "--metric",
                          "random_spearman", "--randomise", layer, "--db", self.path(f"{layer}.db"), "--quiet")
            values = {method: [] for method in ("grad-cam", "centre")}
            for _, _, _, _, method, _, value in rows(self.path(f"{layer}.db"), ROWS)["value"]:
                values[method].append(value)
            self.assertEqual(set(values["centre"]), {1.0})
            seen[layer] = values["grad-cam"]
        self.assertNotEqual(seen["cascade:1"], seen["independent:1"])
        self.assertNotEqual(seen["cascade:0"], seen["cascade:1"])

    def test_target(self):
        self.evaluate(*self.networks[:2], self.photos, "--target", "3", "--metric", "energy_area", "--db", self.db)
        self.assertEqual({row[3] for row in rows(self.db, ROWS)["explanation"]}, {3})

    def test_methods_that_a_network_does_not_allow(self):
        job = [*self.networks, self.photos, "--method", "grad-cam", "--method", "rollout", "--metric", "energy_area"]
        result = self.evaluate(*job, "--db", self.db)
        self.assertRegex(result.err, r"kldve: a: \S+ left out: ")
        for row in rows(self.db, ROWS)["explanation"]:
            self.assertEqual((row[3] >= 0, bool(row[7])), (row[2] == "grad-cam", row[2] != "grad-cam"))


BAD = [
    ("no data set", ["a.onnx"], 2, r"a data set is missing: kldve evaluate \[NET.onnx...\] DATASET; see 'kldve help evaluate'"),
    ("no database", ["photos"], 2, r"--db FILE is missing"),
    ("two data sets", ["photos", "photos", "--db", "x.db"], 2, r"one argument too many: 'photos'"),
    ("networks alone", ["a.onnx", "b.onnx", "--db", "x.db"], 2, r"a data set is missing"),
    ("no such data set", ["nothing", "--db", "x.db"], 1, r"nothing: "),
    ("empty folder", ["empty", "--db", "x.db"], 1, r"empty: "),
    ("no such metric", ["photos", "--metric", "wat", "--db", "x.db"], 2, r"there is no metric 'wat'"),
    ("misspelt metric", ["photos", "--metric", "insertoin", "--db", "x.db"], 2, r"there is no metric 'insertoin'; did you mean 'insertion'\?"),
    ("network twice", ["a.onnx", "a.onnx", "photos", "--db", "x.db"], 1,
     r"a and a relu are the same network with the same options: give it once"),
    ("metric twice", ["photos", "--metric", "insertion", "--metric", "insertion", "--db", "x.db"], 2,
     r"insertion is given twice"),
    ("option without value", ["photos", "--metric", "insertion:steps", "--db", "x.db"], 2, r"'steps': the options of insertion"),
    ("option unknown", ["photos", "--metric", "insertion:wat=1", "--db", "x.db"], 2, r"'wat=1': the options of insertion are"),
    ("option not read", ["photos", "--metric", "energy_area:steps=3", "--db", "x.db"], 2, r"'steps=3': "),
    ("option twice", ["photos", "--metric", "insertion:steps=3:steps=3", "--db", "x.db"], 2, r"has it twice"),
    ("zero steps", ["photos", "--metric", "insertion:steps=0", "--db", "x.db"], 2, r"not a whole number from 1"),
    ("too many steps", ["photos", "--metric", "insertion:steps=99999999999", "--db", "x.db"], 2, r"not a whole number from 1"),
    ("method twice", ["photos", "--method", "grad-cam", "--method", "grad-cam", "--db", "x.db"], 2, r"grad-cam is given twice"),
    ("reading twice", ["photos", "--method", "kl-dve", "--method", "kl-dve:neighbours", "--db", "x.db"], 2,
     r"kl-dve:neighbours is given twice"),
    ("two targets", ["photos", "--target", "1", "--target", "2", "--db", "x.db"], 2, r"give it once"),
    ("target and label", ["photos", "--target", "1", "--ask", "label", "--db", "x.db"], 2, r"--target changes nothing"),
    ("no such class", ["a.onnx", "photos", "--target", "4", "--db", "x.db"], 1, r"there are 4 classes"),
    ("no labels", ["a.onnx", "photos", "--ask", "label", "--db", "x.db"], 1, r"the data set has no labels"),
    ("alone without mosaic", ["photos", "--ask", "alone", "--db", "x.db"], 2, r"--ask alone is for --mosaic"),
    ("mask", ["photos", "--over", "m.png", "--db", "x.db"], 2, r"--over is of one picture"),
    ("shard 0", ["photos", "--shard", "0/3", "--db", "x.db"], 2, r"'0/3' is not I/N"),
    ("shard past the last", ["photos", "--shard", "4/3", "--db", "x.db"], 2, r"'4/3' is not I/N"),
    ("shard as words", ["photos", "--shard", "a/b", "--db", "x.db"], 2, r"'a/b' is not I/N"),
    ("database is the network", ["a.onnx", "photos", "--db", "a.onnx"], 2, r"would overwrite a.onnx"),
    ("database is the list", ["list.tsv", "--db", "list.tsv"], 2, r"would overwrite list.tsv"),
    ("database is the JSON", ["photos", "--db", "x.db", "--json", "x.db"], 2, r"x.db"),
    ("no database", ["photos", "--db", "list.tsv"], 1, r"list.tsv: "),
    ("no folder", ["photos", "--db", "nothing/x.db"], 1, r"nothing/x.db"),
    ("method that no network allows", ["a.onnx", "photos", "--method", "rollout", "--db", "x.db"], 1, r"a.onnx: "),
    ("truth is missing", ["photos", "--metric", "pointing_game", "--db", "x.db"], 1, r"pointing_game: it asks where"),
    ("one method", ["photos", "--metric", "pearson", "--db", "x.db"], 1, r"pearson: it compares with the map of the first"),
    ("random parameters for nothing", ["photos", "--randomise", "cascade:0", "--metric", "gini", "--db", "x.db"], 1,
     r"--randomise changes nothing"),
    ("random parameters of what", ["photos", "--randomise", "cascade:x", "--db", "x.db"], 2, r"'cascade:x' is not cascade:LAYER"),
    ("no such layer", ["a.onnx", "photos", "--metric", "random_spearman", "--randomise", "cascade:9", "--db", "x.db"], 1,
     r"there is no layer 9 with parameters"),
    ("nothing to subtract", ["a.onnx", "photos", "--db", "x.db", "--against", "nobody"], 1,
     r"--against nobody: .*give one of kl-dve"),
    ("broken network", ["broken.onnx", "photos", "--db", "x.db"], 1, r"broken.onnx: "),
]


class Bad(Case):
    def test_table(self):
        for name in ["a.onnx", "b.onnx", "photos"]:
            os.symlink(os.path.join(self.base, name), self.path(name))
        os.mkdir(self.path("empty"))
        with open(self.path("list.tsv"), "w") as file:
            file.write("file\n" + "".join(f"photos/p{i:02}.png\n" for i in range(2)))
        with open(self.path("broken.onnx"), "wb") as file:
            file.write(b"broken")
        for name, args, status, says in BAD:
            with self.subTest(name=name):
                result = run("evaluate", *args, cwd=self.folder)
                self.assertEqual((result.status, result.out), (status, ""), result.err)
                self.assertRegex(result.err, rf"\Akldve: [^\n]*{says}[^\n]*\n\Z")
                self.assertFalse(os.path.exists(self.path("x.db")))

    def test_against(self):
        """The method to subtract may be one of an earlier run; one that nobody knows costs no work."""
        job = [*self.networks[:2], os.path.join(self.photos), "--metric", "gini", "--db", self.db]
        self.evaluate(*job, "--method", "random")
        result = self.evaluate(*job, "--method", "centre", "--against", "nobody", status=1)
        self.assertRegex(result.err, r"\Akldve: --against nobody: [^\n]*give one of random\n\Z")
        self.assertEqual(self.units(), PICTURES)
        with opened(self.db) as db:
            self.assertEqual(db.execute("SELECT count(*) FROM method").fetchone(), (1,))
        result = self.evaluate(*job, "--method", "centre", "--against", "random")
        self.assertIn("each method minus random", result.out)

    def test_one_map(self):
        with open(self.path("one.csv"), "w") as file:
            file.write("file\n" + os.path.join(self.photos, "p00.png") + "\n")
        result = self.evaluate(*self.networks[:2], self.path("one.csv"), "--method", "random", "--metric", "gini",
                               "--db", self.db)
        self.assertIn("random: 1 map, 1 class-indifferent", result.out)

    def test_long_names(self):
        """Columns stay apart."""
        names = ["insertion:steps=2:baseline=black", "deletion:steps=2:baseline=white"]
        result = self.evaluate(*self.networks[:2], self.photos, "--metric", names[0], "--metric", names[1],
                               "--db", self.db)
        self.assertIn(" ".join(names), result.out)

    def test_other_run(self):
        """One database is of one plan."""
        self.evaluate(*self.job, "--db", self.db)
        shutil.copy(os.path.join(self.base, "b.onnx"), self.path("a.onnx"))
        cases = [([*self.networks, self.photos, *METHODS, *METRICS, "--neighbour-perplexity", "2"], "kl-dve"),
                 ([*self.networks, self.photos, *METHODS, *METRICS, "--target", "1"], "program or options|options"),
                 (["--model", self.path("a.onnx"), self.photos, *METHODS, *METRICS], "network 'a'")]
        for job, says in cases:
            with self.subTest(says=says):
                result = self.evaluate(*job, "--db", self.db, status=1)
                self.assertRegex(result.err, rf"\Akldve: [^\n]*a\.db: [^\n]*({says})[^\n]*\n\Z")
        self.same()

    def test_damaged(self):
        """A database that cannot be gone on with is refused in one line and stays as it is."""
        job = [*self.job, "--db", self.db]
        self.evaluate(*job)
        with open(self.db, "rb") as file:
            good = file.read()

        def put(data):
            with open(self.db, "wb") as file:
                file.write(data)

        def refused(says):
            with open(self.db, "rb") as file:
                before = file.read()
            result = self.evaluate(*job, status=1)
            self.assertRegex(result.err, rf"\Akldve: [^\n]*a\.db[^\n]*{says}[^\n]*\n\Z")
            with open(self.db, "rb") as file:
                self.assertEqual(file.read(), before)

        for data in [b"SQLite format 3\0" + bytes(5000), b"no database" * 500, good[:len(good) // 2 // 4096 * 4096]]:
            put(data)
            refused("")
        put(good)
        for what, says in [("PRAGMA user_version = 99", "format 99"), ("DROP TABLE value", ""),
                           ("PRAGMA application_id = 1", "")]:
            with opened(self.db) as db:
                db.execute(what)
            refused(says)
            put(good)
        self.same()

    def test_locked(self):
        """A second run on the same database says who has it."""
        process = subprocess.Popen([KLDVE, "evaluate", *self.job[:-5], "--metric", "insertion:steps=64", "--threads", "1",
                                    "--quiet", "--db", self.db], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            end = time.monotonic() + 60
            while not os.path.exists(self.db) and time.monotonic() < end:
                time.sleep(0.001)
            process.send_signal(signal.SIGSTOP)
            result = run("evaluate", *self.job, "--db", self.db)
        finally:
            process.kill()
            process.wait()
        self.assertEqual(result.status, 1)
        self.assertRegex(result.err, rf"\Akldve: [^\n]*a\.db[^\n]*{process.pid}[^\n]*\n\Z")

    def test_full_disk(self):
        """Everything that was stored before stays, and the run goes on where there is room again."""
        room = os.path.getsize(self.whole) * 85 // 100 // 1024
        limit = f"ulimit -f {room}; exec {KLDVE} evaluate " + " ".join(self.job) + f" --db {self.db}"
        result = subprocess.run(["bash", "-c", limit], capture_output=True, text=True, timeout=120)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertRegex(result.stderr, r"\Akldve: [^\n]*a\.db[^\n]*\nkldve: \d+ of 48 are not measured yet[^\n]*\n\Z")
        kept = self.units()
        self.assertLess(kept, 48)
        result = self.evaluate(*self.job[:-1], "--db", self.db)
        self.assertIn(f", {48 - kept} measured now", result.out)
        self.same()


if __name__ == "__main__":
    program = unittest.main(exit=False, verbosity=1)
    if not program.result.wasSuccessful():
        sys.exit(1)
    if program.result.testsRun and len(program.result.skipped) == program.result.testsRun:
        sys.exit(SKIPPED)
