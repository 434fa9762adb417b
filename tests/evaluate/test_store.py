"""The database of kldve evaluate, filled by fill_store: killed at any moment, gone on with, extended,
refused.  Read with Python's own SQLite, not with the code that wrote it."""
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

FILL = os.environ["FILL_STORE"]
ROWS = {"value": "SELECT * FROM value", "unit": "SELECT * FROM unit",
        "explanation": "SELECT network, question, method, target, logit, probability, flags, why FROM explanation",
        "question": "SELECT * FROM question", "network": "SELECT * FROM network"}


def rows(path):
    """All that a database says of its units; the time that a map took aside."""
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return {name: db.execute(query + " ORDER BY 1, 2, 3").fetchall() for name, query in ROWS.items()}


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="kldve-store-", dir=".")
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, name="a.db"):
        return os.path.join(self.folder, name)

    def fill(self, *args, name="a.db", **keywords):
        return subprocess.run([FILL, self.path(name), *args], capture_output=True, text=True, timeout=100, **keywords)

    def fills(self, *args, name="a.db"):
        """How many units it stored."""
        result = self.fill(*args, name=name)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return int(result.stdout)

    def refused(self, result, *texts):
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
        for text in texts:
            self.assertIn(text, result.stderr)


class Killed(Case):
    def test_fifty_times(self):
        """Whatever a killed run has stored is there, and the end is that of an undisturbed run."""
        plan = ["networks=2", "questions=150", "methods=3", "metrics=4"]
        self.fills(*plan, name="whole.db")
        dice, before, kills = random.Random(1), 0, 0
        while kills < 50:
            with subprocess.Popen([FILL, self.path(), *plan, "wait=2000"], stdout=subprocess.DEVNULL) as run:
                time.sleep(dice.uniform(0, 0.06))
                run.send_signal(signal.SIGKILL)
                if run.wait() != -signal.SIGKILL:
                    break
                kills += 1
            if not os.path.exists(self.path()):
                continue
            with sqlite3.connect(self.path()) as db:
                tables = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
                units = db.execute("SELECT count(*) FROM unit").fetchone()[0] if tables else 0
            self.assertGreaterEqual(units, before)
            before = units
        self.assertEqual(kills, 50)
        self.assertGreater(before, 10)
        self.assertEqual(self.fills(*plan), 300 - before)
        self.assertEqual(rows(self.path()), rows(self.path("whole.db")))
        self.assertEqual(sorted(os.listdir(self.folder)), ["a.db", "whole.db"])


if __name__ == "__main__":
    unittest.main(verbosity=1)
