"""Rights: the cases people open, their clock, and the extracts built to answer them."""

from privacy_requests.models.cases import Case, CaseEvent
from privacy_requests.models.erasures import Erasure
from privacy_requests.models.extracts import Extract
from privacy_requests.models.proofs import EmailChange, ProofCode, ProvedBy
from privacy_requests.models.statements import Statement, Wrong

__all__ = [
    "Case",
    "CaseEvent",
    "EmailChange",
    "Erasure",
    "Extract",
    "ProofCode",
    "ProvedBy",
    "Statement",
    "Wrong",
]
