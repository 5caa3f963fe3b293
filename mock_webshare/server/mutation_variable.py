"""The mutation that an environment names: `mutate` makes every mock server in a process have it.

The variable has JSON: the path of an endpoint, a fault, and whether it yields to the faults of a test.
"""

from __future__ import annotations

import json

from mock_webshare.errors import DataError
from mock_webshare.server.reached_flag import flag_setter

TYPE_CHECKING = False
if TYPE_CHECKING:  # the same flag as typing's, without the cost of importing typing
    from collections.abc import Mapping

    from mock_webshare.contract.model import Contract
    from mock_webshare.insight.mutants import Mutant
    from mock_webshare.service.faults import Mutation

_VARIABLE = "_MOCK_WEBSHARE_MUTANT"
FLAG_VARIABLE = "_MOCK_WEBSHARE_MUTANT_FLAG"
"""Names the flag that is set when the mutation has changed a response."""


def variables_of(mutant: Mutant) -> dict[str, str]:
    """Return the variable that gives a mutant to mock servers."""
    document = {"endpoint": mutant.endpoint, "fault": mutant.fault, "yields": not mutant.is_breaking}
    return {_VARIABLE: json.dumps(document)}


def mutation_of(environ: Mapping[str, str], contract: Contract) -> Mutation | None:
    """Return the mutation that an environment names; None if there is none that fits the contract."""
    text = environ.get(_VARIABLE)
    if not text:
        return None
    from mock_webshare.service.faults import Mutation, parse

    try:
        document = json.loads(text)
        fault = parse(document["fault"], contract)
        struck = flag_setter(environ, FLAG_VARIABLE)
        return Mutation(document["endpoint"], fault, document["yields"], struck)
    except (DataError, ValueError, LookupError, TypeError):  # of another contract, or not written by `mutate`
        return None
