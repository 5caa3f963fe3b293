"""Tests of the export, against a mock server of their own."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import tempfile
import unittest
from datetime import datetime
from pathlib import Path
from unittest import mock

import webshare
from mock_webshare import MockServer, MockWorld, Settings

import creditexport

CREDITS = "/api/v2/referral/credit/"


class ExportCase(unittest.TestCase):
    """A server for the class, an account and a folder for each test."""

    server: MockServer
    world: MockWorld

    @classmethod
    def setUpClass(cls) -> None:
        cls.server = cls.enterClassContext(MockServer(Settings(port=0, rate_limit="off")))

    def setUp(self) -> None:
        self.world = self.server.world(self.id())
        self.addCleanup(self.world.discard)
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.target = self.folder / "credits.csv"
        self.client = self.enterContext(
            webshare.Webshare(api_key=self.world.api_key, base_url=self.world.url, max_retries=3)
        )

    def rows(self) -> list[dict[str, str]]:
        with self.target.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def run_job(self, *arguments: str, **environment: str) -> tuple[int, str, str]:
        """Run the program in this process; return exit code, standard output and standard error."""
        out, err = io.StringIO(), io.StringIO()
        with (
            mock.patch.dict(os.environ, {**self.world.env, **environment}),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            code = creditexport.main([str(self.target), *arguments])
        return code, out.getvalue(), err.getvalue()


class TestExport(ExportCase):
    def test_every_credit_is_written_once(self):
        self.world.begin(credits=240)
        counts = creditexport.export(self.client, self.target)
        self.assertEqual(counts.total(), 240)
        self.assertEqual(
            {int(row["id"]) for row in self.rows()}, {each["id"] for each in self.world.credits()}
        )
        self.assertEqual(self.world.count_requests("GET", CREDITS), 3)

    def test_a_row(self):
        self.world.begin(credits=0)
        channel = self.world.channels()[0]
        credit = self.world.create_credit(
            amount=2.5, referral_channel=channel["id"], created_at="2026-03-10T08:00:00.250000-07:00"
        )
        creditexport.export(self.client, self.target)
        (row,) = self.rows()
        self.assertEqual(row["id"], str(credit["id"]))
        self.assertEqual(row["amount"], "2.50")
        self.assertEqual(row["source"], channel["code"])
        self.assertEqual(row["status"], "pending")
        self.assertEqual(row["reverted"], "")
        self.assertEqual(row["created"], "2026-03-10T08:00:00.250000-07:00")

    def test_a_purchase_by_the_link_is_reverted(self):
        self.world.begin(credits=0)
        credit = self.world.purchase(40)
        self.world.set_clock(advance="P2D")
        self.world.revert_credit(credit["id"])
        self.assertEqual(creditexport.export(self.client, self.target), {"reverted": 1})
        (row,) = self.rows()
        self.assertEqual((row["source"], row["reverted"][:10]), ("referral link", "2026-03-18"))

    def test_edge_cases_of_the_service(self):
        self.world.begin(data="edge-cases")
        creditexport.export(self.client, self.target)
        self.assertEqual(len(self.rows()), len(self.world.credits()))
        self.assertTrue(all(datetime.fromisoformat(row["created"]).tzinfo for row in self.rows()))

    def test_since_reads_no_more_pages_than_needed(self):
        self.world.begin(credits=300)
        new = self.world.create_credit()
        since = datetime.fromisoformat(new["created_at"])
        self.assertEqual(creditexport.export(self.client, self.target, since), {"pending": 1})
        self.assertEqual([row["id"] for row in self.rows()], [str(new["id"])])
        self.assertEqual(self.world.count_requests("GET", CREDITS), 1)

    def test_a_credit_that_became_available_is_exported_again(self):
        credit = self.world.create_credit(amount=9)
        since = datetime.fromisoformat(self.world.set_clock(advance="P1D")["now"])
        self.world.set_clock(advance="P29D")
        creditexport.export(self.client, self.target, since)
        statuses = {row["id"]: row["status"] for row in self.rows()}
        self.assertEqual(statuses[str(credit["id"])], "available")

    def test_new_credits_during_the_walk_cause_no_duplicates(self):
        self.world.begin(credits=250)
        self.world.add_fault(pages="inserted", rows=3)
        creditexport.export(self.client, self.target)
        ids = [row["id"] for row in self.rows()]
        self.assertEqual(len(ids), len(set(ids)))
        self.assertGreaterEqual(len(ids), 250)


class TestTrouble(ExportCase):
    def test_a_busy_service_is_retried(self):
        self.world.begin(credits=150)
        self.world.add_fault(status=429, retryAfter=0, times=2, query={"page": "2"})
        self.assertEqual(creditexport.export(self.client, self.target).total(), 150)

    def test_a_failed_export_leaves_the_old_file(self):
        self.world.begin(credits=150)
        self.target.write_text("yesterday\n")
        self.world.add_fault(status=503, retryAfter=0, query={"page": "2"})
        with self.assertRaises(webshare.InternalServerError):
            creditexport.export(self.client, self.target)
        self.assertEqual(self.target.read_text(), "yesterday\n")
        self.assertEqual([path.name for path in self.folder.iterdir()], ["credits.csv"])

    def test_a_retyped_amount_is_still_written(self):
        self.world.begin(credits=3)
        self.world.add_fault(drift="retyped", field="amount")
        creditexport.export(self.client, self.target)
        self.assertEqual(
            sum(float(row["amount"]) for row in self.rows()),
            sum(credit["amount"] for credit in self.world.credits()),
        )

    def test_new_fields_are_ignored(self):
        self.world.add_fault(drift="added", field="currency", to="USD")
        self.assertEqual(creditexport.export(self.client, self.target).total(), 100)


class TestJob(ExportCase):
    def test_success(self):
        self.world.begin(credits=0)
        self.world.create_credit()
        self.world.create_credit(status="available")
        self.assertEqual(self.run_job(), (0, "1 available, 1 pending\n", ""))
        self.assertEqual(self.run_job("--since", "2026-04-01T00:00:00-07:00"), (0, "nothing new\n", ""))

    def test_a_refused_key(self):
        code, _, err = self.run_job(WEBSHARE_API_KEY="invalid")
        self.assertEqual((code, err), (2, "the API key was refused\n"))

    def test_no_key(self):
        code, _, err = self.run_job(WEBSHARE_API_KEY="")
        self.assertEqual((code, err), (2, "WEBSHARE_API_KEY is not set\n"))

    def test_a_suspended_account(self):
        self.world.begin(scenario="suspended")
        code, _, err = self.run_job()
        self.assertEqual(code, 1)
        self.assertIn("suspended", err)
        self.assertFalse(self.target.exists())


if __name__ == "__main__":
    unittest.main()
