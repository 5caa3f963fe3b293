"""Rows of a contract that is awkward on purpose: its resources have what those of Webshare have not.

People have a superior among themselves, so a resource refers to itself. A letter refers to two people, and
copies two fields of one of them. A row has no `updated_at`, or has none yet. The house is one object.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from mock_webshare import Settings
from mock_webshare.contract.endpoints import PAGES, WEBSHARE
from mock_webshare.contract.model import Contract, Endpoint, Kind, Lifecycle, Reference, Resource
from mock_webshare.contract.schemas import Document, Schemas
from mock_webshare.contract.timestamps import DAY
from mock_webshare.errors import DataError, UsageError
from mock_webshare.service.data import dataset, generator
from mock_webshare.service.data.account import Account
from mock_webshare.service.data.dataset import Dataset
from mock_webshare.service.data.resources import row_types
from mock_webshare.service.faults import parse
from mock_webshare.service.service import Service
from mock_webshare.service.world.registry import Worlds
from mock_webshare.service.world.world import Beginning, World, read_state

ID, TEXT, DATE = {"type": "integer"}, {"type": "string"}, {"type": "string", "format": "date-time"}
PERHAPS_ID, PERHAPS_TEXT = {"type": ["integer", "null"]}, {"type": ["string", "null"]}
PERHAPS_DATE = {"type": ["string", "null"], "format": "date-time"}
OLD, NOW = "2026-03-02T08:30:00-08:00", "2026-03-16T09:00:00-07:00"

FIELDS: dict[str, dict[str, dict[str, Any]]] = {
    "letter": {
        "id": ID,
        "sender": ID,
        "sender_name": TEXT,
        "sender_nick": PERHAPS_TEXT,
        "recipient": PERHAPS_ID,
        "recipient_name": PERHAPS_TEXT,
        "status": {"type": "string", "enum": ["new", "read", "returned"]},
        "created_at": DATE,
        "returned_at": PERHAPS_DATE,
    },
    "person": {
        "id": ID,
        "name": TEXT,
        "nick": PERHAPS_TEXT,
        "superior": PERHAPS_ID,
        "superior_name": PERHAPS_TEXT,
        "tags": {"type": "array", "examples": [["a"]]},
        "updated_at": PERHAPS_DATE,
    },
    "house": {"name": PERHAPS_TEXT, "owner": PERHAPS_ID, "owner_name": PERHAPS_TEXT},
}
DOCUMENTS: dict[str, Document] = {
    name: {"$id": f"https://awkward.example/{name}.schema.json", "type": "object", "properties": fields}
    for name, fields in FIELDS.items()
}
LETTERS = Resource(
    name="letters",
    singular="letter",
    schema="letter",
    references=(
        Reference("sender", "people", copy="sender_name", source="name"),
        Reference("sender", "people", copy="sender_nick", source="nick"),
        Reference("recipient", "people", copy="recipient_name", source="name"),
    ),
    lifecycle=Lifecycle(
        field="status",
        pending="new",
        ripe="read",
        ended="returned",
        ended_at="returned_at",
        period=30,
        end="return",
        moves={},
    ),
    defaults={"status": "new"},
)
HOUSE = Resource(
    name="house",
    singular="house",
    schema="house",
    references=(Reference("owner", "people", copy="owner_name", source="name"),),
    is_object=True,
)
PEOPLE = Resource(
    name="people",
    singular="person",
    schema="person",
    references=(Reference("superior", "people", copy="superior_name", source="name"),),
    defaults={"name": "Ann", "tags": []},
)


def listed(resource: Resource, *orderings: str) -> Endpoint:
    return Endpoint(
        path=f"/{resource.name}/",
        kind=Kind.LIST,
        resource=resource.name,
        schema=resource.schema,
        view_name=resource.name,
        rules=(),
        orderings=orderings,
        paging=PAGES,
    )


HOUSE_OBJECT = Endpoint("/house/", Kind.OBJECT, "house", "house", "House", ())


def contract(*endpoints: Endpoint) -> Contract:
    return Contract(
        endpoints=endpoints,
        resources=(LETTERS, HOUSE, PEOPLE),
        rules=(),
        schemas=Schemas(documents=DOCUMENTS),
    )


AWKWARD = contract(listed(LETTERS, "id"), listed(PEOPLE, "id", "nick"), HOUSE_OBJECT)


def person(number: int, name: str, nick: str | None, superior: int, superior_name: str) -> dict[str, Any]:
    return {
        "id": number,
        "name": name,
        "nick": nick,
        "superior": superior,
        "superior_name": superior_name,
        "tags": [],
        "updated_at": None,
    }


STATE: dict[str, Any] = {
    "now": NOW,
    "letters": [
        {
            "id": 1,
            "sender": 1,
            "sender_name": "Eve",
            "sender_nick": "E",
            "recipient": 2,
            "recipient_name": "Bob",
            "status": "new",
            "created_at": OLD,
            "returned_at": None,
        },
        {
            "id": 2,
            "sender": 1,
            "sender_name": "Eve",
            "sender_nick": "E",
            "recipient": 1,
            "recipient_name": "Eve",
            "status": "new",
            "created_at": OLD,
            "returned_at": None,
        },
    ],
    "house": {"name": None, "owner": 1, "owner_name": "Eve"},
    "people": [
        person(1, "Eve", "E", 1, "Eve"),
        person(2, "Bob", None, 1, "Eve"),
        person(3, "Cid", "A", 3, "Cid"),
    ],
}


@pytest.fixture
def ours() -> World:
    held = read_state(STATE, AWKWARD)
    return World(Beginning(Account.of(held), held.now, Settings(contract=AWKWARD)), lambda: 0.0)


def get(world: World, target: str) -> tuple[int, Any]:
    """Return the status and the JSON of a response under the faults of a world."""
    service = Service(Settings(contract=AWKWARD))
    headers = ((b"host", b"a"), (b"authorization", b"Token any"))
    response = service.outcome(world, service.read("GET", target, headers, "http")[0]).response
    return response.status, json.loads(response.body)


def test_a_data_set_is_written_as_it_was_read(ours: World) -> None:
    assert ours.state().wire() == {"format": 2, **STATE}
    ours.put_state(read_state(STATE, AWKWARD))
    assert ours.state().wire() == {"format": 2, **STATE}


@pytest.mark.parametrize("pointer", ["/letters/0/sender_name", "/letters/0/sender_nick"])
def test_every_copy_of_a_reference_is_checked(pointer: str) -> None:
    _, name, index, field = pointer.split("/")
    document = json.loads(json.dumps(STATE))
    document[name][int(index)][field] = "Zoe"
    with pytest.raises(DataError) as refusal:
        read_state(document, AWKWARD)
    assert refusal.value.pointer == pointer


def test_a_reference_that_the_schema_requires_is_not_null() -> None:
    document = json.loads(json.dumps(STATE))
    document["letters"][0].update(sender=None, sender_name=None, sender_nick=None)
    with pytest.raises(DataError) as refusal:
        read_state(document, AWKWARD)
    assert refusal.value.pointer == "/letters/0/sender"


def test_every_copy_of_a_field_follows_when_it_changes(ours: World) -> None:
    ours.change("people", 1, name="Eva", nick="V")
    letters = [row.wire() for row in ours.rows("letters")]
    assert [(each["sender_name"], each["sender_nick"]) for each in letters] == [("Eva", "V")] * 2
    assert [each["recipient_name"] for each in letters] == ["Bob", "Eva"]
    assert [(row.name, row.superior_name) for row in ours.rows("people")[:2]] == [
        ("Eva", "Eva"),
        ("Bob", "Eva"),
    ]
    assert ours.row("house")["owner_name"] == "Eva"
    assert read_state(ours.state().wire(), AWKWARD)


def test_a_created_row_has_all_copies(ours: World) -> None:
    assert (
        ours.create("letters", sender=3, recipient_name="Bob").items()
        >= {
            "sender_name": "Cid",
            "sender_nick": "A",
            "recipient": 2,
        }.items()
    )
    assert ours.change("letters", 1, sender_name="Bob").items() >= {"sender": 2, "sender_nick": None}.items()
    with pytest.raises(DataError, match="lacks 'sender'"):
        ours.create("letters")


def test_a_row_that_names_itself_can_be_deleted(ours: World) -> None:
    ours.delete("people", 3)
    with pytest.raises(UsageError, match="person 1 is named by "):
        ours.delete("people", 1)


def test_a_pending_row_without_a_date_of_update_ripens(ours: World) -> None:
    ours.set_clock(advance="P30D")
    assert [row.status for row in ours.rows("letters")] == ["read", "read"]


def test_a_row_without_a_date_of_update_ends_as_of_now(ours: World) -> None:
    assert ours.end("letters", 1).items() >= {"status": "returned", "returned_at": NOW}.items()
    assert ours.create("letters", sender=1, status="returned")["returned_at"] == NOW


def test_a_row_that_was_never_updated_is_updated_now(ours: World) -> None:
    assert ours.change("people", 2, nick="B")["updated_at"] == NOW


def test_what_has_no_lifecycle_cannot_be_ended(ours: World) -> None:
    with pytest.raises(UsageError, match="people"):
        ours.end("people", 1)


def test_the_one_object_cannot_be_deleted(ours: World) -> None:
    with pytest.raises(UsageError, match="there is one house only; change it instead"):
        ours.delete("house", 1)
    assert ours.row("house") == STATE["house"]


def test_a_row_that_is_named_stays_when_pages_move(ours: World) -> None:
    ours.add_fault(pages="removed", rows=3)
    assert get(ours, "/people/")[0] == 200
    assert [row.id for row in ours.rows("people")] == [1, 2]


@pytest.mark.parametrize(
    ("term", "nicks"),
    [("nick", ["A", "E", None]), ("-nick", [None, "E", "A"])],
)
def test_a_nullable_text_can_be_ordered_by(ours: World, term: str, nicks: list[str | None]) -> None:
    status, page = get(ours, f"/people/?ordering={term}")
    assert (status, [row["nick"] for row in page["results"]]) == (200, nicks)


def test_what_is_changed_outside_changes_no_row(ours: World) -> None:
    tags = ["a"]
    ours.change("people", 1, tags=tags)["tags"].append("b")
    tags.append("c")
    ours.create("people")["tags"].append("d")
    assert [row["tags"] for row in ours.state().wire()["people"]] == [["a"], [], [], []]


@pytest.mark.parametrize(
    "tags", [[object()], [float("nan")], ["\ud800"], [{1}]], ids=["object", "nan", "half", "set"]
)
def test_what_is_not_json_is_refused_inside_a_list_too(ours: World, tags: list[Any]) -> None:
    with pytest.raises(DataError) as refusal:
        ours.change("people", 1, tags=tags)
    assert refusal.value.pointer == "/tags"


@pytest.mark.parametrize("field", ["name", "recipient_name"])
def test_a_drift_breaks_a_field_that_any_row_has(field: str) -> None:
    contract_ = contract(listed(PEOPLE), HOUSE_OBJECT)
    if field == "name":  # never null in a person, though it may be in the house
        assert parse({"drift": "null", "field": field}, contract_).options == {"field": "name"}
    else:
        with pytest.raises(DataError, match="allowed: id, name, tags"):
            parse({"drift": "null", "field": field}, contract_)


@pytest.mark.parametrize("seed", range(5))
def test_rows_are_generated_that_can_be_read_and_keep_their_schemas(seed: int) -> None:
    made = generator.generate(seed, 50, contract=AWKWARD)
    assert read_state(made.wire(), AWKWARD).wire() == made.wire()
    for name, resource in AWKWARD.resources.items():
        for row in made.rows[name]:
            AWKWARD.schemas.validator(resource.schema).validate(row.wire())


def test_no_generated_row_is_pending_for_too_long() -> None:
    made: Dataset = generator.generate(1, 1000, contract=AWKWARD)
    letters = made.rows["letters"]
    assert {row.status for row in letters} == {"new", "read", "returned"}
    assert all(row.created_at + 30 * DAY > made.now for row in letters if row.status == "new")


def test_a_contract_without_lists_can_be_served() -> None:
    alone = contract(HOUSE_OBJECT)
    held = dataset.from_wire(STATE, source="test", contract=alone)
    assert Worlds(held, Settings(contract=alone), lambda: 0.0).get("any")


@pytest.mark.parametrize("name", ["drift", "edge-cases", "moving-pages"])
def test_a_scenario_of_another_service_is_an_unknown_key(name: str) -> None:
    worlds = Worlds(read_state(STATE, AWKWARD), Settings(contract=AWKWARD), lambda: 0.0)
    assert worlds.get(f"scenario:{name}") is None
    assert worlds.get("scenario:down")


def test_an_object_has_no_number_that_its_schema_lacks() -> None:
    assert row_types(AWKWARD)["house"].names == ("name", "owner", "owner_name")
    assert row_types(WEBSHARE)["credits"].needed == ()
