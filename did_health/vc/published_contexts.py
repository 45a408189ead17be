"""Digests of the JSON-LD context files as they are published, which credentials may give (VC Data Model 2.0 §5.3, appendix B.1).

The packed contexts are equal to these files in content and written another way, so that their own digests would tell nothing.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Final

from did_health.vc.contexts import DID_HEALTH_V1
from did_health.vc.integrity import Digests, digests_of
from did_health.vc.packaged import schema_file

PUBLISHED: Final[Mapping[str, tuple[str, str, str]]] = MappingProxyType({
    "https://www.w3.org/2018/credentials/v1": (
        "q03dmlMXWIB6eaW0UFENYa6NFH6rlmzJogDAcJWwzcw=",
        "gsOz6rhjdUu/0rnxfY1tufYRafMBy/CwXh/EvrX1xR3U0uiIwnT0nD+7JAj2H67R",
        "U2pAs5DdqUqeORlsAAkPYmaOgYT+PIwCxKIshWZuaL9uhdPcfy26hbK2Lvldl94kEyVo2FBNtD8snILS6IQY0g==",
    ),
    "https://www.w3.org/ns/credentials/v2": (
        "WZVc7WaX1h4D8rJVb+vlMIqxaEKEb1tYbX8fet7JJzQ=",
        "l/HrjlBCNWyAX91hr6LFV2Y3heB5Tcr6IeE4/Tje8YyzYBM8IhqjHWiWpr8+ZbYU",
        "XVVFK9Lc+KKfWikEc+skKxxft31OaPGgqoe6pNuiaUhS1l7GPUisBKmdlW+fcVO5QG+E0tBMdIabAsI5odgTBQ==",
    ),
    "https://w3id.org/security/data-integrity/v1": (
        "tdgpvQmqfEKrxu+gyO12NTE7VIfzfM/OPs0UnKlBhVQ=",
        "H3tRFUwstZa4BNPu3qu3Z4x+pNNvUgFJamgdvYaNXcDLkKiDn1FCzNyR/bksWtzy",
        "xJlRvZ8+j00jH85eRXmKLTL7fvSk8aLo0vPatdEDM6FCEzmXTudxWe2uJZ/Pc8fPE28eMATe1a8lrDiYPS6Oyg==",
    ),
    "https://w3id.org/security/data-integrity/v2": (
        "Z/IebjOmwU5cz9L8eGX3R0+3GgSvfpQTbLOZ36yK6PQ=",
        "DuLXYmcX+LB81Em1JdXitx/icgn8meUwieAWndKUTXk/7qRSb8YLucyhzZZRI5H2",
        "Oc16mkBHt0uFJGQP41Yz6B6ChtFL27fnfQ4I2FCwDWo1sBhdXeNcR5uu2yOheYnZ9iislVMf3XnAxaD2Mtn6lQ==",
    ),
    "https://w3id.org/security/multikey/v1": (
        "uiwYLeLZL35HGEvMqPzwvq7m05hsUnv2ZMGVu8fFhZc=",
        "D6UWQdEvuMcBsuapSSVW8l0yu0r4SpbxGAjwpiO5ckNN0YqPHxhlvGjY7gRsTlo+",
        "En0TOOp/cC10XtW/aQDtqKrEQZ2lRjGB/KAsJ+BQhRBufT7s6eoOFWvP9cP5nurTl3hcRTvFeffdVJapkeELXw==",
    ),
    "https://w3id.org/security/jwk/v1": (
        "DxS2L2Bxqv4A3yZXcOoMdQjhGCR9ebfYYaQG0qoAvs4=",
        "di3FXOefNh47vrfTyw3bPkS44ohSYfgoMYOVnRqqM5BK9qgAUFntlkFQDqt9jdrl",
        "Dvv/hFI9cgovMx/sT77clp7i51dkwO0yXHLLVrxTnTqcZCAjyVhzWv1TV1VKsffhMRHw3Phh9ZsrwEUSbNhSEQ==",
    ),
    "https://www.w3.org/ns/cid/v1": (
        "6iFuzBywLNObaT26IlAUHicLoL+ViQvhB92ano5D3oU=",
        "Mn2STUpIUY61Ql6KlDCj8g2WeLsREc3b8P8qZ7hU7khcLvFJ381FFt/Br35zO+wY",
        "K0b8eUWXuqjlW4ViHnujgprInNp3dJa2D+RMCqHLv/0MTudwmi2ftNYlU4A0K0mhWsCz1uYISlUFxsxCU8NXyw==",
    ),
    "https://www.w3.org/ns/did/v1": (
        "Tz6uVWjJxfA2oIIIj54ZIBnuBvqniXPIf/kdVCG4ja0=",
        "dfTez4F0pvLUDA3b2M37QwDq0kZttJMiWaSDpuEXdJMvFYgHhuH7wWxLOZ+Ykbkr",
        "7FUpU2fb467JAguIB9BZCnNdh83Ls1/wTvaFN6bQm+njweR86tdLhV01hPg61AjzTam5JWR+CElUqvf1SAeFjw==",
    ),
    "https://www.w3.org/ns/did/v1.1": (
        "6iFuzBywLNObaT26IlAUHicLoL+ViQvhB92ano5D3oU=",
        "Mn2STUpIUY61Ql6KlDCj8g2WeLsREc3b8P8qZ7hU7khcLvFJ381FFt/Br35zO+wY",
        "K0b8eUWXuqjlW4ViHnujgprInNp3dJa2D+RMCqHLv/0MTudwmi2ftNYlU4A0K0mhWsCz1uYISlUFxsxCU8NXyw==",
    ),
    "https://www.w3.org/ns/credentials/status/v1": (
        "/aWt01MjHmpohKRrEubHVGQoGQDLNIKE2cNg9iOB2fc=",
        "rA74E4M+vWZrYXCmHFrazG19L1oEDRbCko6EFNT6B/ZNcDEwIeAr9Pl73RI+2ahO",
        "/yynZnuZA3O0axJTXmuN6OricBQyeHFa2TWxWSFlIeUUyxzNhRdBCiQpUn4k2PyW+I+Lc0iHomAubuB7g7Zv7Q==",
    ),
    "https://w3id.org/vc/status-list/2021/v1": (
        "bdBqUr7bdx4FnBCDuounhI3OIva0qM+guYuj/BiIcOQ=",
        "Oc9AfsrrWHpZ4uNnOEIZ0U5S1Zl2JM5hu8mvSn5OP2IF5dEAtMTm/R4ZvDcEbFGU",
        "wPRsJKJsfzqzNxN8jLWprrNHfAV/UpgwJhFbUMFoCtK+1sdxXbSH814ZftJyqA+wMeZFFNjsi4eZo0MLXTdQng==",
    ),
    "https://w3id.org/security/suites/ed25519-2020/v1": (
        "PbXBnvsAR6bt/Ts24kNGqKPKrTaddJ48LWnoYmlkA+U=",
        "Zwd1xhc44pO8ZLsrxFlVfhDhodOXLfy5uViv2iiR2rzmT3KzpFJXlaDn3IWc4hME",
        "LdZjoWEoORwBFzY+0Ge5V20H+n/ILd36wLjrDpnnSGp8jfcBiltCcVS25Mz8wu4XqEFZkBE97dpTAZWdPqqDXA==",
    ),
})
"""URL to the SHA-256, SHA-384 and SHA-512 of the published file, in base64."""


@cache
def _digests(url: str) -> Digests:
    if url == DID_HEALTH_V1:
        return digests_of(schema_file("contexts/did-health-v1.json"))
    texts = zip(("sha256", "sha384", "sha512"), PUBLISHED[url], strict=True)
    return MappingProxyType({name: base64.b64decode(text) for name, text in texts})


def published_digests(url: str) -> Digests | None:
    """The digests of the context published at ``url``; ``None`` if it is not one of the packed ones."""
    return _digests(url) if url in PUBLISHED or url == DID_HEALTH_V1 else None
