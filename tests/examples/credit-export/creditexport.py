"""Write the referral credits of a Webshare account to a CSV file, as a nightly job."""

from __future__ import annotations

import argparse
import csv
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import webshare
from webshare.types.commerce import ReferralCredit

COLUMNS = ("id", "created", "updated", "reverted", "user", "source", "mode", "status", "amount")


def changed_credits(client: webshare.Webshare, since: datetime | None) -> Iterator[ReferralCredit]:
    """Yield the credits that were updated at or after a time, the newest change first."""
    for credit in client.referral.list_credits(ordering="-updated_at,-id", page_size=100):
        if since and credit.updated_at and credit.updated_at < since:
            return
        yield credit


def as_row(credit: ReferralCredit) -> dict[str, object]:
    """Return the line of one credit; dates keep the offset of the service."""
    return {
        "id": credit.id,
        "created": credit.created_at.isoformat() if credit.created_at else "",
        "updated": credit.updated_at.isoformat() if credit.updated_at else "",
        "reverted": credit.reverted_at.isoformat() if credit.reverted_at else "",
        "user": credit.user_id,
        "source": credit.referral_channel_code or "referral link",
        "mode": credit.mode,
        "status": credit.status,
        "amount": f"{Decimal(str(credit.amount)):.2f}",
    }


def export(client: webshare.Webshare, target: Path, since: datetime | None = None) -> Counter[str]:
    """Write the file, whole or not at all, and return the number of credits by status."""
    counts: Counter[str] = Counter()
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=target.name, suffix=".part")
    partial = Path(name)
    try:
        with open(handle, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            writer.writeheader()
            seen: set[int] = set()
            for credit in changed_credits(client, since):
                if credit.id in seen:
                    continue
                seen.add(credit.id)
                writer.writerow(as_row(credit))
                counts[str(credit.status)] += 1
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return counts


def parse_since(text: str) -> datetime:
    """Return the time that a user names; one without an offset is refused."""
    value = datetime.fromisoformat(text)
    if value.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text} has no offset, like 2026-03-01T00:00:00-08:00")
    return value


def main(arguments: list[str] | None = None) -> int:
    """Run the job; 0 if the file was written, 1 if the API failed, 2 if the job is set up wrongly."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", type=Path)
    parser.add_argument("--since", type=parse_since)
    parser.add_argument("--retries", type=int, default=4)
    options = parser.parse_args(arguments)
    if not os.environ.get("WEBSHARE_API_KEY"):
        print("WEBSHARE_API_KEY is not set", file=sys.stderr)
        return 2
    settings: dict[str, str] = {}
    if url := os.environ.get("WEBSHARE_BASE_URL"):
        settings["base_url"] = url
    try:
        with webshare.Webshare(max_retries=options.retries, **settings) as client:
            counts = export(client, options.target, options.since)
    except webshare.AuthenticationError:
        print("the API key was refused", file=sys.stderr)
        return 2
    except webshare.WebshareError as error:
        print(f"export failed: {error}", file=sys.stderr)
        return 1
    print(", ".join(f"{number} {status}" for status, number in sorted(counts.items())) or "nothing new")
    return 0


if __name__ == "__main__":
    sys.exit(main())
