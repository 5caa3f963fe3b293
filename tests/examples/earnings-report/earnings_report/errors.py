"""What the user is told when there is no report."""


class ReportError(Exception):
    """There is no report; the message says why, and what to do."""


class ContractError(ReportError):
    """The service answers what it does not document, so that no sum could be trusted."""
