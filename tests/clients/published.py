"""The published clients: what each cannot do or tells in its own way, and the judgement of its script."""

import base64
import dataclasses
import json
import re
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from serde import AvroDeserializer, RegistryClient
from serde.framing import header_name
from tests.clients.expected import EXPECTED
from tests.clients.outcomes import Message, Refused

_FOLDER = Path(__file__).parent


@dataclasses.dataclass(frozen=True)
class Client:
    """A published client.

    name: as its users install it. version: that the tests run.
    without: the steps, or whole parts of the scenario, that it has no call for.
    different: steps that it tells of in another way, and how.
    """

    name: str
    version: str
    without: frozenset[str]
    different: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        steps = {step for part in EXPECTED.values() for step in part}
        assert self.without <= steps | set(EXPECTED), self.without - steps - set(EXPECTED)
        assert set(self.different) <= steps, set(self.different) - steps

    def expected(self) -> dict[str, dict[str, Any]]:
        """The parts of the scenario; in each, the steps that its script makes and what must come of them."""
        return {
            part: {
                step: self.different.get(step, outcome)
                for step, outcome in steps.items()
                if not {part, step} & self.without
            }
            for part, steps in EXPECTED.items()
        }

    def judge(self, url: str, told: Iterable[dict[str, Any]]) -> None:
        """Fail unless its script told of every step what is expected, and of no other.

        told: ``{"step", "got"}`` or ``{"step", "error": {"status", "code", "message"}}``.
        url: that of the registry that the script talked to.
        """
        expected = {step: outcome for steps in self.expected().values() for step, outcome in steps.items()}
        got: dict[str, Any] = {
            line["step"]: line["got"] if "got" in line else {"error": line["error"]} for line in told
        }
        with RegistryClient(url) as registry:
            read = AvroDeserializer(registry)
            for step, outcome in expected.items():
                made = got.get(step)
                if not isinstance(outcome, Message) or made is None:
                    continue
                if isinstance(made, str):
                    got[step] = Message(read(base64.b64decode(made), "any"))
                elif "header" in made:
                    headers = {header_name(is_key=False): base64.b64decode(made["header"])}
                    got[step] = Message(read(base64.b64decode(made["message"]), "any", headers))
        wrong = [
            f"{step}:\n  expected {expected.get(step, 'no such step')!r}\n  got {got.get(step, 'nothing')!r}"
            for step in {**expected, **got}
            if step not in expected or step not in got or expected[step] != got[step]
        ]
        assert not wrong, "\n".join([f"{self.name} {self.version}", *wrong])


def _npm(name: str) -> str:
    dependencies = json.loads((_FOLDER / "javascript" / "package.json").read_text())["dependencies"]
    return str(dependencies[name])


def _go(module: str) -> str:
    required = re.search(rf"\s{re.escape(module)} v(\S+)\n", (_FOLDER / "go" / "go.mod").read_text())
    assert required
    return required[1]


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


CONFLUENT_PYTHON: Final = Client(
    "confluent-kafka",
    metadata.version("confluent-kafka"),
    # Asked for the messages, it answers with the verdict alone.
    without=_names("import incompatible_messages"),
)

SCHEMA_REGISTRY_CLIENT: Final = Client(
    "python-schema-registry-client",
    metadata.version("python-schema-registry-client"),
    # A malformed schema and a bad level it refuses itself.
    without=_names(
        """subject_names references modes contracts normalize import read_order write_order
        read_guid write_guid guid_in_header
        types by_guid subjects_of_id compatible_with_all contexts_listed subjects_of_context
        register_malformed bad_level delete_subject_level config is_listed_as_deleted
        delete_undeleted_for_good delete_version_for_good delete_subject_for_good delete_missing_subject"""
    ),
    different={
        # A 404 is None or an empty list to it.
        "no_such_subject": [],
        "no_such_version": None,
        "no_such_id": None,
        "lookup_of_another": None,
        "lookup_without_subject": None,
        "delete_version_again": None,
        "get_deleted_version": None,
        "delete_subject_again": [],
        # It keeps what the registry said aside from its message.
        "register_incompatible": Refused(409, 409, "Incompatible"),
        "no_subject_level": Refused(404, 40408, "Unable to fetch compatibility level"),
        # It answers whether it was done.
        "set_level": True,
        "set_subject_level": True,
        "register_anything": 6,  # no references were registered before
    },
)

CONFLUENT_JAVASCRIPT: Final = Client(
    "@confluentinc/schemaregistry",
    _npm("@confluentinc/schemaregistry"),
    without=_names(
        """modes import types subjects_of_id versions_of_id referenced_by incompatible_messages
        delete_subject_level contexts_listed subjects_of_context is_listed_as_deleted"""
    ),
)

KAFKAJS: Final = Client(
    "@kafkajs/confluent-schema-registry",
    _npm("@kafkajs/confluent-schema-registry"),
    # A malformed schema and a reference to nothing it refuses itself.
    without=_names(
        """compatibility modes contracts normalize import delete
        types subjects versions by_guid subjects_of_id versions_of_id odd_is_listed
        read_guid write_guid guid_in_header
        references_listed referenced_by delete_referenced register_malformed register_with_missing_reference
        level set_level level_set no_subject_level subject_level bad_level delete_subject_level config
        contexts_listed subjects_of_context"""
    ),
    different={
        # What it gives is ids, and schemas as avsc writes them.
        "by_id": '{"name":"shop.Payment","type":"record",'
        '"fields":[{"name":"id","type":"long"},{"name":"payer","type":"string"}]}',
        "by_version": 4,
        "latest": 5,
        "lookup": 4,
        # It keeps the words of a failed lookup alone.
        "lookup_of_another": Refused(None, None, "Schema not found"),
        "lookup_without_subject": Refused(None, None, "Subject 'missing' not found."),
        "set_subject_level": 4,
        "context_in_address": 1,
    },
)

CONFLUENT_GO: Final = Client(
    "confluent-kafka-go",
    _go("github.com/confluentinc/confluent-kafka-go/v2"),
    without=_names(
        """modes import types subjects_of_id referenced_by incompatible_messages
        bad_level delete_subject_level subjects_of_context is_listed_as_deleted"""
    ),
)

FRANZ_GO: Final = Client(
    "franz-go",
    _go("github.com/twmb/franz-go/pkg/sr"),
    without=_names("bad_level latest_with_metadata read_guid write_guid guid_in_header"),
    different={
        # It answers nothing but that it was done.
        "delete_first_version": None,
        "delete_version_for_good": None,
        "delete_subject_level": "",  # it looks for the level where an update has it
    },
)

CLIENTS: Final = (
    CONFLUENT_PYTHON,
    SCHEMA_REGISTRY_CLIENT,
    CONFLUENT_JAVASCRIPT,
    KAFKAJS,
    CONFLUENT_GO,
    FRANZ_GO,
)
