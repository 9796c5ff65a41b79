"""What must come of each step of the scenario.

A client's script makes the steps that it can, in this order, against a fresh registry.
"""

from typing import Any, Final

from tests.clients.outcomes import Filled, Message, Refused, Words
from tests.clients.scenario import METADATA, ORDER, RULES, SCHEMAS, SENT

_MISSING_DEFAULT: Final = (
    "{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:'The field 'currency' at path '/fields/3' "
    "in the new schema has no default value and is missing in the old schema', additionalInfo:'currency'}"
)

EXPECTED: Final[dict[str, dict[str, Any]]] = {
    "read": {  # what our serializer wrote
        "read_sent": SENT,
        "read_order": ORDER,
        "read_guid": SENT,  # with the guid in a header, and the message bare
    },
    "register": {  # under payments-value
        "register_first": 4,
        "register_again": 4,
        "register_next": 5,
        "register_malformed": Refused(422, 42201, "no.such.Type"),
        "register_incompatible": Refused(409, 409, _MISSING_DEFAULT),
    },
    "find": {
        "types": ["AVRO"],
        "subjects": ["ours-status", "ours-value", "payments-value", "sent-value"],
        "versions": [1, 2],
        "by_id": SCHEMAS["payment"],
        "by_guid": SCHEMAS["payment"],
        "by_version": {"subject": "payments-value", "version": 1, "id": 4},
        "latest": {"subject": "payments-value", "version": 2, "id": 5},
        "lookup": {"subject": "payments-value", "version": 1, "id": 4},
        "subjects_of_id": ["payments-value"],
        "versions_of_id": [{"subject": "payments-value", "version": 1}],
        "no_such_subject": Refused(404, 40401, "Subject 'missing' not found."),
        "no_such_version": Refused(404, 40402, "Version 99 not found."),
        "no_such_id": Refused(404, 40403, "Schema 999 not found"),
        "lookup_of_another": Refused(404, 40403, "Schema not found"),
        "lookup_without_subject": Refused(404, 40401, "Subject 'missing' not found."),
    },
    "subject_names": {  # one that has to be encoded in a path
        "register_odd": 4,
        "odd_latest": 4,
        "odd_is_listed": True,
    },
    "references": {  # orders-value uses status
        "register_referenced": 2,  # the same text as ours-status has
        "register_referring": 6,
        "references_listed": [{"name": "shop.Status", "subject": "status", "version": 1}],
        "referenced_by": [6],
        "delete_referenced": Refused(422, 42206, "One or more references exist to the schema"),
        "register_with_missing_reference": Refused(422, 42201, "missing"),
    },
    "compatibility": {  # with payments-value
        "compatible": True,
        "incompatible": False,
        "incompatible_messages": [
            Words(_MISSING_DEFAULT),
            Words("{oldSchemaVersion: 2}"),
            Words("{oldSchema: '"),
            Words("compatibility: 'BACKWARD'}"),
        ],
        "compatible_with_all": True,
        "incompatible_with_version": False,
    },
    "levels": {
        "level": "BACKWARD",
        "set_level": "FULL",
        "level_set": "FULL",
        "no_subject_level": Refused(404, 40408, "does not have subject-level compatibility configured"),
        "set_subject_level": "NONE",
        "subject_level": "NONE",
        "register_anything": 7,  # payment_incompatible
        "bad_level": Refused(422, 42203, "Invalid compatibility level"),
        "delete_subject_level": "NONE",
        "config": Filled(
            {
                "compatibilityLevel": "BACKWARD",
                "compatibilityGroup": "major",
                "defaultMetadata": {"properties": {"team": "shop"}},
            }
        ),
    },
    "modes": {
        "mode": "READWRITE",
        "no_subject_mode": Refused(404, 40409, "does not have subject-level mode configured"),
        "set_subject_mode": "READONLY",
        "subject_mode": "READONLY",
        "register_read_only": Refused(422, 42205, "read-only mode"),
        "delete_subject_mode": "READONLY",
    },
    "contexts": {
        "register_in_context": 1,
        "contexts_listed": [".", ".eu"],
        "context_in_address": [1],  # the versions of payments-value at /contexts/.eu
        "subjects_of_context": [":.eu:payments-value"],
    },
    "contracts": {  # metadata and rules
        "register_contract": 8,
        "contract": Filled({"metadata": METADATA, "ruleSet": RULES}),
        "latest_with_metadata": {"subject": "contract-value", "version": 1, "id": 8},
    },
    "normalize": {  # two texts that differ in the order of aliases
        "register_normalized": 9,
        "lookup_normalized": 9,
    },
    "write": {  # with the client's own serializer, for ours to read
        "write_sent": Message(SENT),
        "write_order": Message(ORDER),
        "write_guid": Message(SENT),  # a header and a bare message
        "guid_in_header": SENT,  # and read by its own deserializer
    },
    "import": {  # a schema comes with its id and version
        "mode_import": "IMPORT",
        "import_one": {"subject": "imported-value", "version": 7, "id": 1000},
    },
    "delete": {  # doomed-value, which has payment and payment_2
        "delete_first_version": 1,
        "delete_version_again": Refused(
            404, 40406, "was soft deleted.Set permanent=true to delete permanently"
        ),
        "get_deleted_version": Refused(404, 40402, "Version 1 not found."),
        "versions_left": [2],
        "delete_undeleted_for_good": Refused(
            404, 40407, "was not deleted first before being permanently deleted"
        ),
        "delete_version_for_good": 1,
        "delete_subject": [2],
        "delete_subject_again": Refused(
            404, 40404, "was soft deleted.Set permanent=true to delete permanently"
        ),
        "is_listed": False,
        "is_listed_as_deleted": True,
        "delete_subject_for_good": [2],
        "delete_missing_subject": Refused(404, 40401, "Subject 'doomed-value' not found."),
    },
}
"""What must come of each step, by what it is about."""
