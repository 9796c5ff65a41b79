"""What a client's script is given to work with: schemas, values, and messages that our serializer wrote."""

import base64
import json
from typing import Any, Final

from serde import AvroSerializer, Reference, RegistryClient


def _text(schema: Any) -> str:
    return json.dumps(schema, separators=(",", ":"))


def _record(name: str, *fields: dict[str, Any]) -> str:
    return _text({"type": "record", "name": name, "namespace": "shop", "fields": fields})


def _field(name: str, type_: Any, **attributes: Any) -> dict[str, Any]:
    return {"name": name, "type": type_, **attributes}


_PAYMENT = (_field("id", "long"), _field("payer", "string"))
_NOTE = _field("note", ["null", "string"], default=None)

SCHEMAS: Final = {
    "payment": _record("Payment", *_PAYMENT),
    "payment_2": _record("Payment", *_PAYMENT, _NOTE),
    "payment_3": _record("Payment", *_PAYMENT, _NOTE, _field("cents", "int", default=0)),
    "payment_incompatible": _record("Payment", *_PAYMENT, _NOTE, _field("currency", "string")),
    "malformed": _record("Payment", _field("id", "no.such.Type")),
    "status": _text({"type": "enum", "name": "Status", "namespace": "shop", "symbols": ["NEW", "DONE"]}),
    "order": _record("Order", _field("id", "long"), _field("status", "Status")),
    "aliases_ab": _text({"type": "enum", "name": "E", "symbols": ["X"], "aliases": ["A", "B"]}),
    "aliases_ba": _text({"type": "enum", "name": "E", "symbols": ["X"], "aliases": ["B", "A"]}),
    "sent": _record(
        "Sent",
        _field("id", "long"),
        _field("note", ["null", "string"], default=None),
        _field("nothing", ["null", "string"], default=None),
        _field("amounts", {"type": "array", "items": "double"}),
        _field("tags", {"type": "map", "values": "string"}),
        _field("inner", {"type": "record", "name": "Inner", "fields": [_field("n", "int")]}),
        _field("flag", "boolean"),
    ),
}
"""Each in the text that the registry keeps of it."""

SENT: Final = {
    "id": 1 << 40,
    "note": "né",
    "nothing": None,
    "amounts": [1.5, -2.25],
    "tags": {"k": "v"},
    "inner": {"n": -7},
    "flag": True,
}
ORDER: Final = {"id": 7, "status": "DONE"}

ODD_SUBJECT: Final = "a/b c%2Fd é?x=1#:"

METADATA: Final = {"properties": {"owner": "payments"}, "tags": {"shop.Payment.payer": ["PII"]}}
RULES: Final = {
    "domainRules": [
        {
            "name": "positive",
            "kind": "CONDITION",
            "mode": "WRITE",
            "type": "CEL",
            "expr": "message.id > 0",
        }
    ]
}


def task(url: str) -> dict[str, Any]:
    """What a script gets: the address, the texts and values, and messages that our serializer wrote."""
    with RegistryClient(url) as client:
        sent = AvroSerializer(client, SCHEMAS["sent"])(SENT, "sent")  # id 1
        client.register("ours-status", SCHEMAS["status"])  # id 2
        references = [Reference("shop.Status", "ours-status", 1)]
        order = AvroSerializer(client, SCHEMAS["order"], references=references)(ORDER, "ours")  # id 3
        headers: list[tuple[str, bytes]] = []
        body = AvroSerializer(client, SCHEMAS["sent"], framing="header")(SENT, "sent", headers)
    assert sent is not None
    assert order is not None
    assert body == sent[5:]
    ((_, guid),) = headers
    return {
        "url": url,
        "schemas": SCHEMAS,
        "sent": SENT,
        "order": ORDER,
        "odd_subject": ODD_SUBJECT,
        "metadata": METADATA,
        "rules": RULES,
        "sent_message": base64.b64encode(sent).decode(),
        "order_message": base64.b64encode(order).decode(),
        "sent_body": base64.b64encode(body).decode(),
        "sent_header": base64.b64encode(guid).decode(),
    }
