"""The hand-chosen requests: some for every rule of the contract that concerns the referral API.

Every row of a table is `rule: (status, values)`. The status is what the rule says, and the reference has
to keep it too, so that a case cannot quietly become a test of something else. The rows name the credits
1 to 130, the channels 7, 8 and 12 and the earn-outs 501 to 560 of `dataset.py`; 9001 is no credit, and
somebody else's channel.
"""

from __future__ import annotations

from tests.conformance.corpus import bodies, details, family, headers, lists, methods, routes
from tests.conformance.corpus.cases import Case

CASES: tuple[Case, ...] = (
    *routes.CASES,
    *lists.CASES,
    *details.CASES,
    *headers.CASES,
    *methods.CASES,
    *family.CASES,
    *bodies.CASES,
)
