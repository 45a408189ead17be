"""The FHIR library's models, by which what we write is checked.

fhir.resources has R5, R4B and STU3. The resources that are written here are the same in R4 and R4B, which changed others.
"""

from __future__ import annotations

from typing import Any

from did_health.encoding.strict_json import JSONObject


def checked(resource: JSONObject) -> Any:
    """The model of ``resource``; raises ``ValueError`` for one that is not R4B."""
    from fhir.resources.R4B import get_fhir_model_class

    return get_fhir_model_class(str(resource["resourceType"])).model_validate(resource)
