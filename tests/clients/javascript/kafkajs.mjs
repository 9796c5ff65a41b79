// The scenario by @kafkajs/confluent-schema-registry. It registers, finds ids, encodes and decodes.
import { SchemaRegistry, SchemaType } from "@kafkajs/confluent-schema-registry";
import { task, teller } from "./steps.mjs";

const PAYMENTS = "payments-value";
const { schemas } = task;
const step = teller((error) => (error.status === undefined ? {} : { status: error.status }));

// A new one for every call: none answers from what it remembers.
const registry = (path = "") => new SchemaRegistry({ host: task.url + path, retry: { retries: 0 } });
const schema = (name, references = []) => ({ type: SchemaType.AVRO, schema: schemas[name], references });
const register = async (name, subject, more = {}) =>
  (await registry().register(schema(name, more.references), { subject, ...more })).id;
const toStatus = (subject) => [{ name: "shop.Status", subject, version: 1 }];

await step("read_sent", () => registry().decode(Buffer.from(task.sent_message, "base64")));
await step("read_order", () => registry().decode(Buffer.from(task.order_message, "base64")));

// It sets the level of a subject that it registers for the first time, BACKWARD if not told.
await step("register_first", () => register("payment", PAYMENTS));
await step("register_again", () => register("payment", PAYMENTS));
await step("register_next", () => register("payment_2", PAYMENTS));
await step("register_incompatible", () => register("payment_incompatible", PAYMENTS));
await step("by_id", async () => JSON.stringify(await registry().getSchema(4)));
await step("by_version", () => registry().getRegistryId(PAYMENTS, 1));
await step("latest", () => registry().getLatestSchemaId(PAYMENTS));
await step("lookup", () => registry().getRegistryIdBySchema(PAYMENTS, schema("payment")));
await step("no_such_subject", () => registry().getLatestSchemaId("missing"));
await step("no_such_version", () => registry().getRegistryId(PAYMENTS, 99));
await step("no_such_id", () => registry().getSchema(999));
await step("lookup_of_another", () => registry().getRegistryIdBySchema(PAYMENTS, schema("status")));
await step("lookup_without_subject", () => registry().getRegistryIdBySchema("missing", schema("status")));

await step("register_odd", () => register("payment", task.odd_subject));
await step("odd_latest", () => registry().getLatestSchemaId(task.odd_subject));

await step("register_referenced", () => register("status", "status"));
await step("register_referring", () => register("order", "orders-value", { references: toStatus("status") }));
await step("set_subject_level", () => register("payment", "lax-value", { compatibility: "NONE" }));
await step("register_anything", () => register("payment_incompatible", "lax-value", { compatibility: "NONE" }));
await step("register_in_context", () => register("payment", `:.eu:${PAYMENTS}`));
await step("context_in_address", () => registry("/contexts/.eu").getLatestSchemaId(PAYMENTS));

const encode = async (id, value) => (await registry().encode(id, value)).toString("base64");
await step("write_sent", async () => encode(await register("sent", "theirs-value"), task.sent));
await step("write_order", async () =>
  encode(await registry().getLatestSchemaId("orders-value"), task.order),
);
