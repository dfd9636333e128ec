"""The rights a person can exercise, their articles, how a request can end, and on which ground it can be refused.

The statute's word wins (design: one word per thing). Nothing here decides; these are the names that all else uses.
"""

from enum import StrEnum


class Right(StrEnum):
    """One right exercised in a message. The order is the order in which rights are listed to people."""

    ACCESS = "access"
    RECTIFICATION = "rectification"
    ERASURE = "erasure"
    RESTRICTION = "restriction"
    REGISTER_DESCRIPTION = "register_description"
    PORTABILITY = "portability"
    OBJECTION = "objection"
    CONSENT_WITHDRAWAL = "consent_withdrawal"
    AUTOMATED_DECISION = "automated_decision"


ARTICLES: dict[Right, str] = {
    Right.ACCESS: "GDPR 15",
    Right.RECTIFICATION: "GDPR 16",
    Right.ERASURE: "GDPR 17",
    Right.RESTRICTION: "GDPR 18",
    Right.REGISTER_DESCRIPTION: "GDPR 13-14",  # the old description was repealed with Act 523/1999
    Right.PORTABILITY: "GDPR 20",
    Right.OBJECTION: "GDPR 21",
    Right.CONSENT_WITHDRAWAL: "GDPR 7(3)",
    Right.AUTOMATED_DECISION: "GDPR 22",
}


class Outcome(StrEnum):
    """How one request ended."""

    FULFILLED = "fulfilled"
    PARTLY_FULFILLED = "partly_fulfilled"
    REFUSED = "refused"
    NO_DATA = "no_data"
    NOT_IDENTIFIED = "not_identified"
    WITHDRAWN = "withdrawn"


class Ground(StrEnum):
    """Why a request is refused, wholly or in part; each value names the provision it rests on in `GROUND_SOURCES`."""

    OTHERS_RIGHTS = "others_rights"
    NATIONAL_LIMIT = "national_limit"
    LEGAL_OBLIGATION = "legal_obligation"
    LEGAL_CLAIMS = "legal_claims"
    EXPRESSION = "expression"
    PUBLIC_INTEREST = "public_interest"
    ACCURATE = "accurate"
    STILL_NECESSARY = "still_necessary"
    GROUND_NOT_MET = "ground_not_met"
    COMPELLING_GROUNDS = "compelling_grounds"
    NOT_PORTABLE = "not_portable"
    NOT_IDENTIFIED = "not_identified"
    NO_AUTHORITY = "no_authority"
    UNFOUNDED = "unfounded"
    EXCESSIVE = "excessive"
    NOT_CONTROLLER = "not_controller"


GROUND_SOURCES: dict[Ground, str] = {
    Ground.OTHERS_RIGHTS: "GDPR 15(4)",
    Ground.NATIONAL_LIMIT: "Act 1050/2018 34 §",
    Ground.LEGAL_OBLIGATION: "GDPR 17(3)(b)",
    Ground.LEGAL_CLAIMS: "GDPR 17(3)(e)",
    Ground.EXPRESSION: "GDPR 17(3)(a)",
    Ground.PUBLIC_INTEREST: "GDPR 17(3)(c)-(d)",
    Ground.ACCURATE: "GDPR 16",
    Ground.STILL_NECESSARY: "GDPR 17(1)",
    Ground.GROUND_NOT_MET: "GDPR 18(1)",
    Ground.COMPELLING_GROUNDS: "GDPR 21(1)",
    Ground.NOT_PORTABLE: "GDPR 20(1)",
    Ground.NOT_IDENTIFIED: "GDPR 11(2), 12(2), 12(6)",
    Ground.NO_AUTHORITY: "GDPR 12(6)",
    Ground.UNFOUNDED: "GDPR 12(5)",
    Ground.EXCESSIVE: "GDPR 12(5)",
    Ground.NOT_CONTROLLER: "GDPR 4(7), 28(3)(e)",
}


class Channel(StrEnum):
    """How a request reached the controller. No form is required by law (EDPB 01/2022, 52-53)."""

    EMAIL = "email"
    LETTER = "letter"
    COUNTER = "counter"
    PHONE = "phone"
