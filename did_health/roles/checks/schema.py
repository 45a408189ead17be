"""Step 3: the claims follow the schema of the credential's type."""

from __future__ import annotations

from did_health.errors import FormatError, UnsupportedError, VerificationError
from did_health.health.credential_schemas import SCHEMAS, schemas_of
from did_health.roles.checks.examination import Examination, Subject
from did_health.roles.ledger_state import Unproven
from did_health.roles.report import Outcome


def check_schema(checks: Examination, subject: Subject) -> None:
    """Step 3. A credential of one of our types is held against that type's schema, whichever schemas it names itself."""
    credential = subject.credential
    if credential.is_common:
        # Its type's schema is part of the common shape, and the only one that it names.
        checks.passed("schema_followed", subject.index)
        return
    own = schemas_of(credential.types)
    named = credential.raw.get("credentialSchema")
    try:
        for schema in own:
            schema.check(credential.raw)
        if len(own) != 1 or (named is not None and named != {"id": own[0].id, "type": "JsonSchema"}):
            SCHEMAS.check(credential)
    except UnsupportedError as error:
        raise Unproven(Outcome.UNKNOWN, "schema_unavailable", f"a schema that the credential names cannot be applied: {error}") from error
    except (VerificationError, FormatError) as error:
        raise Unproven(Outcome.FAIL, "schema_violated", str(error)) from error
    if own or named:
        checks.passed("schema_followed", subject.index)
    else:
        checks.passed("schema_none", subject.index)
