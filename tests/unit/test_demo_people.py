import json
from datetime import datetime

import pytest

from did_health.cli.demo.people import read_people
from did_health.cli.demo.town import plan_boards
from did_health.errors import FormatError
from did_health.health import sample

FOUR = [json.loads(line) for line in sample.practitioners().splitlines()[:4]]
PATIENT = sample.patients().splitlines()[0]


def ndjson(*resources: dict) -> bytes:
    return b"\n".join(json.dumps(resource).encode() for resource in resources)


def with_period(resource: dict, period: dict) -> dict:
    changed = json.loads(json.dumps(resource))
    changed["qualification"][0]["period"] = period
    return changed


def test_the_sample_is_taken_whole(now: datetime) -> None:
    people = read_people(None, None, mint_test_npi=False, now=now)
    assert (len(people.licenses), len(people.identities)) == (25, 50)
    assert [account.to_json() for account in people.accounts] == [
        {"taken": 25, "skipped": [], "notes": [], "standIns": 0},
        {"taken": 50, "skipped": [], "notes": [], "standIns": 0},
    ]


def test_a_second_row_with_the_same_licence_number_is_told_and_skipped(now: datetime) -> None:
    people = read_people(ndjson(*FOUR, FOUR[1]), PATIENT, mint_test_npi=False, now=now)
    assert len(people.licenses) == 4
    assert [(row.row, row.field) for row in people.accounts[0].skipped] == [(5, "qualification.identifier")]


def test_a_licence_that_has_ended_is_told_and_skipped(now: datetime) -> None:
    ended = with_period(FOUR[0], {"start": "2001-06-12", "end": "2026-02-28"})
    people = read_people(ndjson(ended, *FOUR[1:], *[json.loads(sample.practitioners().splitlines()[4])]), PATIENT, mint_test_npi=False, now=now)
    assert len(people.licenses) == 4
    assert [(row.row, row.problem) for row in people.accounts[0].skipped] == [(1, "the licence has ended")]


def test_stand_ins_come_where_an_input_yields_too_few(now: datetime) -> None:
    people = read_people(ndjson({"resourceType": "Practitioner", "id": "nobody"}), b'{"resourceType":"Patient","id":"nobody"}', mint_test_npi=False, now=now)
    assert (len(people.licenses), len(people.identities)) == (4, 4)
    assert [(account.taken, len(account.skipped), account.stand_ins) for account in people.accounts] == [(0, 1, 4), (0, 1, 4)]


def test_stand_ins_do_not_repeat_who_is_there_already(now: datetime) -> None:
    people = read_people(ndjson(FOUR[0]), PATIENT, mint_test_npi=False, now=now)
    numbers = [license_.license_number for license_ in people.licenses]
    assert len(numbers) == len(set(numbers)) >= 4


def test_a_single_state_has_a_board_for_each_profession(now: datetime) -> None:
    people = read_people(ndjson(*FOUR), PATIENT, mint_test_npi=False, now=now)
    assert [(plan.name, plan.professions) for plan in plan_boards(people.licenses)] == [("nc-medical", ("MD",)), ("nc-osteopathic", ("DO",))]


def test_of_several_states_each_has_one_board(now: datetime) -> None:
    people = read_people(None, PATIENT, mint_test_npi=False, now=now)
    assert [(plan.name, plan.professions) for plan in plan_boards(people.licenses)] == [("nc-medical", ("MD", "DO")), ("va-medical", ("MD", "DO"))]


@pytest.mark.parametrize("data", [b"", b"not json", b"[]", b"{}", b'{"resourceType":"Bundle","entry":5}', b'{"resourceType":"Organization"}'])
def test_nobody_stands_in_for_the_wrong_file(now: datetime, data: bytes) -> None:
    with pytest.raises(FormatError, match="no Practitioner in the input") as caught:
        read_people(data, PATIENT, mint_test_npi=False, now=now)
    assert caught.value.where == "--practitioners"
    with pytest.raises(FormatError, match="no Patient in the input"):
        read_people(None, data, mint_test_npi=False, now=now)
