"""The database of kldve evaluate, filled by fill_store: killed at any moment, gone on with, extended,
refused, merged.  Read with Python's own SQLite, not with the code that wrote it."""
import contextlib
import json
import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
import unittest

FILL, KLDVE = os.environ["FILL_STORE"], os.environ["KLDVE"]
ROWS = {"value": "SELECT * FROM value", "unit": "SELECT * FROM unit",
        "explanation": "SELECT network, question, method, target, logit, probability, flags, why FROM explanation",
        "question": "SELECT * FROM question", "network": "SELECT * FROM network", "method": "SELECT * FROM method",
        "metric": "SELECT * FROM metric", "about": "SELECT * FROM about"}
NAMED = {"value": "SELECT network, question, picture, label, method, metric, value FROM result",
         "unit": "SELECT network.name, question.key, state, why FROM unit JOIN network ON network.id = network "
                 "JOIN question ON question.id = question"}


@contextlib.contextmanager
def opened(path):
    db = sqlite3.connect(path)
    try:
        yield db
        db.commit()
    finally:
        db.close()


def rows(path, queries=None):
    """All that a database says of its units; the time that a map took aside."""
    with opened(path) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return {name: sorted(db.execute(query).fetchall(), key=repr) for name, query in (queries or ROWS).items()}


class Case(unittest.TestCase):
    def setUp(self):
        # Where there is no disk to wait for; a kill does not care.
        self.folder = tempfile.mkdtemp(prefix="kldve-store-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else ".")
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, name="a.db"):
        return os.path.join(self.folder, name)

    def run_on(self, *args, **keywords):
        return subprocess.run(args, capture_output=True, text=True, timeout=100, **keywords)

    def fill(self, *args, name="a.db", **keywords):
        return self.run_on(FILL, self.path(name), *args, **keywords)

    def fills(self, *args, name="a.db"):
        """How many units it stored."""
        result = self.fill(*args, name=name)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return int(result.stdout)

    def merge(self, out, *names, **keywords):
        return self.run_on(KLDVE, "merge", self.path(out), *map(self.path, names), **keywords)

    def refused(self, result, *texts):
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
        self.assertTrue(result.stderr.startswith("kldve: "), result.stderr)
        for text in texts:
            self.assertIn(text, result.stderr)

    def change(self, sql, name="a.db"):
        with opened(self.path(name)) as db:
            db.execute(sql)


class Killed(Case):
    def look_at(self, least):
        """What a kill has left can be read, half a transaction included."""
        result = self.run_on(KLDVE, "results", self.path(), "--bootstrap", "10", "--json", "-")
        if result.returncode == 0:
            said = json.loads(result.stdout)
            self.assertGreaterEqual(said["measured"] + len(said["unreadable"]), least)
        else:  # killed before the first transaction
            self.assertEqual(least, 0)
            self.refused(result, "not made by kldve evaluate")

    def test_fifty_times(self):
        """Whatever a killed run has stored is there, and the end is that of an undisturbed run."""
        plan = ["networks=2", "questions=150", "methods=3", "metrics=4"]
        self.fills(*plan, name="whole.db")
        dice, before, kills = random.Random(1), 0, 0
        while kills < 50:
            # 50 runs of at most 5 units leave something to do, however fast the machine is.
            with subprocess.Popen([FILL, self.path(), *plan, "wait=2000", "say=1", "most=5"],
                                  stdout=subprocess.PIPE) as run:
                if kills % 2:  # else perhaps before the file is open
                    run.stdout.readline()
                time.sleep(dice.uniform(0, 0.06))
                run.send_signal(signal.SIGKILL)
                if run.wait() != -signal.SIGKILL:
                    break
                kills += 1
            if not os.path.exists(self.path()):
                continue
            if kills % 10 == 0:
                self.look_at(before)
            with opened(self.path()) as db:
                tables = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
                units = db.execute("SELECT count(*) FROM unit").fetchone()[0] if tables else 0
            self.assertGreaterEqual(units, before)
            before = units
        self.assertEqual(kills, 50)
        self.assertGreater(before, 0)
        self.assertEqual(self.fills(*plan), 300 - before)
        self.assertEqual(rows(self.path()), rows(self.path("whole.db")))
        self.assertEqual(sorted(os.listdir(self.folder)), ["a.db", "whole.db"])


class Extended(Case):
    def test_only_what_is_missing(self):
        """Pictures, methods, metrics and networks come later, in any order; the answers are the same."""
        whole = ["networks=2", "questions=40", "methods=3", "metrics=4", "questions_per_picture=2"]
        self.fills(*whole, name="whole.db")
        self.assertEqual(self.fills("questions=40", "skip=3", "questions_per_picture=2"), 26)
        self.assertEqual(self.fills("questions=40", "skip=3", "questions_per_picture=2"), 0)
        self.fills("questions=40", "questions_per_picture=2")
        self.fills("questions=40", "questions_per_picture=2", "methods=3", "metrics=1")
        self.fills(*whole)
        self.assertEqual(rows(self.path(), NAMED), rows(self.path("whole.db"), NAMED))
        self.assertEqual(self.fills(*whole), 0)
        # A part of the plan is done as well.
        self.assertEqual(self.fills("questions=7", "questions_per_picture=2"), 0)

    def test_a_picture_that_could_not_be_read_has_changed(self):
        self.fills("questions=40")
        with opened(self.path()) as db:
            (broken,) = db.execute("SELECT count(*) FROM unit WHERE state = 1").fetchone()
            db.execute("UPDATE question SET print = print + 1 "
                       "WHERE id IN (SELECT question FROM unit WHERE state = 1)")
        self.assertGreater(broken, 0)
        self.assertEqual(self.fills("questions=40"), broken)
        self.assertEqual(self.fills("questions=40"), 0)
        self.change("DELETE FROM unit WHERE state = 1")  # as docs/evaluate.md says
        self.assertEqual(self.fills("questions=40"), broken)

    def test_the_clock_does_not_matter(self):
        self.fills("questions=10")
        self.change("UPDATE run SET began = '2999-01-01 00:00:00', ended = NULL")
        self.fills("questions=20")
        self.fills("questions=20", name="b.db")
        self.assertEqual(rows(self.path()), rows(self.path("b.db")))

    def test_another_processor_is_said(self):
        self.fills("questions=10")
        result = self.fill("questions=20", "machine=another one")
        self.assertEqual((result.returncode, result.stderr.count("\n")), (0, 1))
        self.assertIn("another processor (one processor, not another one)", result.stderr)
        result = self.merge("m.db", "a.db")
        self.assertEqual((result.returncode, result.stderr.count("\n")), (0, 1))
        self.assertIn("another processor (another one, not one processor)", result.stderr)

    def test_texts_are_kept_as_they_are(self):
        label = "l'été; DROP TABLE unit; -- \"x\"\\"
        self.fills("label=" + label)
        with opened(self.path()) as db:
            self.assertEqual(db.execute("SELECT label FROM question WHERE id = 1").fetchone(), (label,))
        self.assertEqual(self.fills("label=" + label), 0)


class Refused(Case):
    PLANS = [  # what a later run says, what is said about it
        (["build=build 2"], ["the program 'build 1'", "this run has 'build 2'", "--db"]),
        (["options={1}"], ["options", "'{}'", "'{1}'"]),
        (["spec=a=1, b=3"], ["network 'network00000'", "'b=2'", "'b=3'"]),
        (["spec=a 1, b=2"], ["network 'network00000'", "'a=1'", "'a 1'"]),
        (["label=dog"], ["'picture00001' has changed"]),
        (["print=7"], ["'picture00000' has changed"]),
    ]

    def test_another_plan(self):
        self.fills()
        before = rows(self.path())
        for args, texts in self.PLANS:
            with self.subTest(args=args):
                self.refused(self.fill(*args), "a.db", *texts)
                self.assertEqual(rows(self.path()), before)
        self.refused(self.fill("twice=1", name="b.db"), "two of the questions", "'picture00000'")
        self.assertEqual(os.listdir(self.folder), ["a.db"])

    def damage(self, name):
        path = self.path()
        if name == "text":
            with open(path, "w", encoding="utf-8") as file:
                file.write("key,value\n" * 100)
        elif name == "page":
            with open(path, "r+b") as file:
                file.seek(4096 * 8)
                file.write(bytes(range(256)) * 16)
        elif name == "half":
            os.truncate(path, os.path.getsize(path) // 2)
        else:
            self.change({"version": "PRAGMA user_version = 7", "other": "PRAGMA application_id = 1",
                         "table": "ALTER TABLE unit RENAME TO x", "column": "ALTER TABLE value ADD COLUMN x",
                         "numbers": "UPDATE method SET id = 7 WHERE id = 1"}[name])

    def test_damaged_files(self):
        cases = {"text": "not an SQLite database", "half": "damaged", "page": "damaged", "version": "format 7",
                 "other": "not made by kldve evaluate", "table": "damaged|'unit' is missing", "numbers": "damaged",
                 "column": "table 'value'"}
        for name, says in cases.items():
            with self.subTest(name=name):
                self.fills("questions=100")
                self.damage(name)
                with open(self.path(), "rb") as file:
                    before = file.read()
                for result in (self.fill("questions=100"), self.run_on(KLDVE, "results", self.path()),
                               self.merge("m.db", "a.db")):
                    self.refused(result, "a.db")
                    self.assertRegex(result.stderr, says.replace("|", ".*|.*"))
                with open(self.path(), "rb") as file:
                    self.assertEqual(file.read(), before)
                self.assertEqual(os.listdir(self.folder), ["a.db"])
                os.remove(self.path())

    def test_places(self):
        self.refused(self.run_on(FILL, self.folder), "not a file")
        self.refused(self.run_on(FILL, "/dev/null"), "not a file")
        self.refused(self.run_on(FILL, self.path("no/a.db")), "no/a.db")
        self.refused(self.run_on(KLDVE, "results", self.path("none.db")), "no such file")
        self.assertEqual(os.listdir(self.folder), [])
        odd = self.run_on(FILL, "file:memory?x", cwd=self.folder)
        self.assertEqual((odd.returncode, os.listdir(self.folder)), (0, ["file:memory?x"]))

    def test_another_writer(self):
        with subprocess.Popen([FILL, self.path(), "say=1", "hold=60"], stdout=subprocess.PIPE) as run:
            run.stdout.readline()
            self.refused(self.fill(), f"process {run.pid} on ", "is writing")
            self.refused(self.merge("m.db", "a.db"), f"process {run.pid} on ")
            self.assertEqual(self.run_on(KLDVE, "results", self.path()).returncode, 0)  # anyone may look
            run.kill()
            run.wait()
        self.assertEqual(self.fills(), 10)

    def test_locked_by_another_program(self):
        self.fills()
        with opened(self.path()) as db:
            db.execute("BEGIN EXCLUSIVE")
            self.refused(self.fill(), "a.db", "another program keeps the database locked")

    def test_full_disk(self):
        def limit(size):
            return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

        plan = ["questions=300"]
        self.fills(*plan, name="b.db")
        for size in (100, 5000, 60000, 100000):
            with self.subTest(size=size):
                self.refused(self.fill(*plan, preexec_fn=limit(size)), "a.db", "disk is full", "kept")
        with opened(self.path()) as db:
            (units,) = db.execute("SELECT count(*) FROM unit").fetchone()
        self.assertEqual(self.fills(*plan), 300 - units)
        self.assertGreater(units, 0)
        self.assertEqual(rows(self.path()), rows(self.path("b.db")))
        self.refused(self.merge("m.db", "a.db", preexec_fn=limit(60000)), "m.db", "disk is full")
        self.assertEqual(sorted(os.listdir(self.folder)), ["a.db", "b.db"])


class Merged(Case):
    PLAN = ["networks=2", "questions=30", "methods=2", "metrics=3", "questions_per_picture=2"]

    def test_shards_are_one_run(self):
        self.fills(*self.PLAN)
        for i in range(3):
            self.fills(*self.PLAN, f"shard={i}", "shards=3", name=f"{i}.db")
        self.fills(*self.PLAN, "shard=1", "shards=2", name="half.db")  # some answers twice
        result = self.merge("m.db", "0.db", "half.db", "1.db", "2.db")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(rows(self.path("m.db")), rows(self.path()))
        self.assertEqual(self.fills(*self.PLAN, name="m.db"), 0)  # and can be gone on with
        self.assertEqual(self.run_on(KLDVE, "results", self.path()).stdout, result.stdout)

    def test_other_questions(self):
        """Data sets of which each has a part of the questions; their numbers differ."""
        self.fills("questions=30")
        self.fills("questions=30", "skip=2", name="1.db")
        self.fills("questions=30", "skip=3", name="2.db")
        self.fills("questions=8", name="3.db")
        self.fills("questions=25", name="4.db")
        self.assertEqual(self.merge("m.db", "1.db", "2.db", "3.db", "4.db").returncode, 0)
        with opened(self.path("m.db")) as m, opened(self.path()) as a:
            query = "SELECT question, method, metric, value FROM result ORDER BY 1, 2, 3"
            self.assertEqual(m.execute(query).fetchall(), a.execute(query).fetchall())

    def test_refused(self):
        cases = [(["build=2"], "program or options"), (["options={1}"], "program or options"),
                 (["spec=b"], "another network 'network00000'"), (["methods=3"], "another method 'method00002'"),
                 (["metrics=1"], "another metric"), (["print=1"], "'picture00000'"),
                 (["extra=1"], "another number for 'picture00000, method00000, metric00000'")]
        self.fills(*self.PLAN)
        for args, says in cases:
            with self.subTest(args=args):
                self.fills(*self.PLAN, *args, name="b.db")
                self.refused(self.merge("m.db", "a.db", "b.db"), "b.db", "a.db", says)
                os.remove(self.path("b.db"))
                self.assertEqual(os.listdir(self.folder), ["a.db"])
        self.fills(*self.PLAN, name="b.db")
        measured = "(SELECT max(question) FROM explanation)"
        self.change(f"UPDATE explanation SET target = 7 WHERE question = {measured}", name="b.db")
        self.refused(self.merge("m.db", "a.db", "b.db"), "another explanation of 'picture000")
        self.change(f"UPDATE unit SET state = 1 WHERE question = {measured}", name="b.db")
        self.refused(self.merge("m.db", "a.db", "b.db"), "another state of 'picture000")
        self.refused(self.merge("b.db", "a.db"), "b.db", "exists")
        self.refused(self.merge("m.db", "a.db", "none.db"), "none.db", "no such file")
        self.refused(self.merge("no/m.db", "a.db"), "no/m.db")
        self.assertEqual(sorted(os.listdir(self.folder)), ["a.db", "b.db"])
        self.assertEqual(self.run_on(KLDVE, "merge", self.path("m.db")).returncode, 2)


if __name__ == "__main__":
    unittest.main(verbosity=1)
