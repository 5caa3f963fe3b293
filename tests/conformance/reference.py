"""The reference application behind Django's own HTTP server, on a free port of loopback.

Django is configured once in a process; each server has a database, a timer and a port of its own,
so several may run at the same time.
"""

from __future__ import annotations

import logging
import socket
import threading
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import django
from django.conf import settings
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.dateparse import parse_datetime, parse_duration

from tests.conformance.totals import channel_totals, config_totals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SETTINGS: dict[str, Any] = {
    "DEBUG": False,
    "ALLOWED_HOSTS": ["*"],
    "ROOT_URLCONF": "tests.conformance.urls",
    "MIDDLEWARE": ["django.middleware.common.CommonMiddleware"],
    "TIME_ZONE": "America/Los_Angeles",
    "USE_TZ": True,
    "DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
    "LOGGING_CONFIG": None,
    "REST_FRAMEWORK": {
        "EXCEPTION_HANDLER": "tests.conformance.application.full_details",
        # The default is a model of django.contrib.auth, which is not installed here.
        "UNAUTHENTICATED_USER": None,
    },
}

DATES = ("created_at", "updated_at", "reverted_at", "start_date", "end_date", "next_earn_out_date")
DURATIONS = ("earn_out_frequency", "referral_payment_pending_days")


@contextmanager
def reference_server(dataset: dict[str, Any], *, timer: Callable[[], float] | None = None) -> Iterator[str]:
    """Given a data set, serve it and yield the base URL, `http://127.0.0.1:PORT`.

    The rate limit counts by `timer`, in seconds; None means that there is no limit.
    """
    _configure()
    database = _database(dataset)
    server = _Server(("127.0.0.1", 0), _QuietHandler, connections_override={"default": database})
    server.base_environ.update(_limiter(timer) | _accounts(dataset))
    server.set_app(get_wsgi_application())
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.hang_up()
        server.server_close()
        # SQLite's own close() is deliberately a no-op for a database in memory.
        BaseDatabaseWrapper.close(database)


def _configure() -> None:
    """Configure Django, unless an earlier server has."""
    if not settings.configured:
        settings.configure(**SETTINGS)
        # Refused requests are what the corpus is about: nobody wants a log of them.
        logging.getLogger("django").setLevel(logging.CRITICAL + 1)
        django.setup()


def _database(dataset: dict[str, Any]) -> BaseDatabaseWrapper:
    """Return a connection to a new database with a data set."""
    from tests.conformance.application import CALLER, FOREIGN_CHANNEL, STRANGER, Channel, ReferralCredit
    from tests.conformance.family import ReferralEarnout

    database = connections.create_connection("default")
    database.inc_thread_sharing()
    connections["default"] = database
    try:
        with database.schema_editor() as editor:
            editor.create_model(Channel)
            editor.create_model(ReferralCredit)
            editor.create_model(ReferralEarnout)
        channels, credits = dataset["channels"], dataset["credits"]
        foreign = {**channels[0], "id": FOREIGN_CHANNEL, "code": "FOREIGN"}
        Channel.objects.bulk_create(
            [
                Channel(**_dated(foreign), **channel_totals(foreign, credits), owner=STRANGER),
                *(Channel(**_dated(row), **channel_totals(row, credits), owner=CALLER) for row in channels),
            ]
        )
        ReferralCredit.objects.bulk_create(ReferralCredit(**_columns(row)) for row in credits)
        ReferralEarnout.objects.bulk_create(
            ReferralEarnout(**_dated(row, without=("credits",))) for row in dataset["earnouts"]
        )
    finally:
        del connections["default"]
    return database


def _columns(row: dict[str, Any]) -> dict[str, Any]:
    """Return the columns of the record of a credit as on the wire."""
    columns = _dated(row, without=("referral_channel", "referral_channel_code"))
    return {**columns, "referral_channel_id": row["referral_channel"]}


def _dated(row: dict[str, Any], *, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the fields of a row as on the wire, with its dates parsed."""
    fields = {name: value for name, value in row.items() if name not in without}
    dates = {name: value and parse_datetime(value) for name, value in fields.items() if name in DATES}
    return {**fields, **dates}


def _accounts(dataset: dict[str, Any]) -> dict[str, Any]:
    """Return the variables of each request's environment for what every key can change."""
    from tests.conformance.family import ACCOUNTS, Accounts

    config = {**_dated(dataset["config"]), **config_totals(dataset)}
    for name in DURATIONS:
        config[name] = parse_duration(config[name])
    return {
        ACCOUNTS: Accounts(
            config=config,
            applied_code=dataset["applied_coupon"]["code"],
            coupons=[_dated(row) for row in dataset["coupons"]],
            now=datetime.fromisoformat(dataset["now"]),
        )
    }


def _limiter(timer: Callable[[], float] | None) -> dict[str, Any]:
    """Return the variables of each request's environment for a timer, or None."""
    from tests.conformance.application import LIMITER, Histories, Limiter

    return {LIMITER: timer and Limiter(timer, Histories())}


class _QuietHandler(WSGIRequestHandler):
    """Django's handler without its log, and without a `Content-Type` that no client has sent.

    It writes headers and body one after the other: each response would wait for the client's delayed
    acknowledgement of the headers.
    """

    disable_nagle_algorithm = True

    def get_environ(self) -> dict[str, Any]:
        """Return the environment as of the servers that are deployed: without the type of Python's own.

        Python's development server takes a request without a `Content-Type` for `text/plain`.
        """
        environ: dict[str, Any] = super().get_environ()
        if "content-type" not in self.headers:
            environ["CONTENT_TYPE"] = ""
        return environ

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class _Server(ThreadedWSGIServer):
    """Django's server, which at its end also ends the connections that clients have left open."""

    daemon_threads = False  # so that server_close() waits for the threads

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._open: set[socket.socket] = set()

    def process_request(self, request: socket.socket, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def close_request(self, request: socket.socket) -> None:
        self._open.discard(request)
        super().close_request(request)

    def hang_up(self) -> None:
        """End every connection, so that its thread sees the end of its input."""
        for connection in tuple(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:  # its thread was quicker
                continue
