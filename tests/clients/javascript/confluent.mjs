// The scenario by @confluentinc/schemaregistry: its client, AvroSerializer and AvroDeserializer.
import {
  AvroDeserializer,
  AvroSerializer,
  HeaderSchemaIdSerializer,
  RestError,
  SchemaRegistryClient,
  SerdeType,
} from "@confluentinc/schemaregistry";
import { task, teller } from "./steps.mjs";

const PAYMENTS = "payments-value";
const { schemas } = task;
const step = teller((error) =>
  error instanceof RestError ? { status: error.status, code: error.errorCode } : {},
);

// A new client for every call: none answers from what it remembers.
const client = (path = "") => new SchemaRegistryClient({ baseURLs: [task.url + path] });
const info = (name, more = {}) => ({ schema: schemas[name], schemaType: "AVRO", ...more });
const version = ({ subject, version, id }) => ({ subject, version, id });

async function read() {
  const decode = (topic) =>
    new AvroDeserializer(client(), SerdeType.VALUE, {}).deserialize(
      topic,
      Buffer.from(task[`${topic}_message`], "base64"),
    );
  await step("read_sent", () => decode("sent"));
  await step("read_order", () => decode("order"));
  await step("read_guid", () =>
    new AvroDeserializer(client(), SerdeType.VALUE, {}).deserialize(
      "sent",
      Buffer.from(task.sent_body, "base64"),
      { __value_schema_id: Buffer.from(task.sent_header, "base64") },
    ),
  );
}

async function registerAndFind() {
  await step("register_first", () => client().register(PAYMENTS, info("payment")));
  const { guid, id } = await client().registerFullResponse(PAYMENTS, info("payment"));
  await step("register_again", () => id);
  await step("register_next", () => client().register(PAYMENTS, info("payment_2")));
  await step("register_malformed", () => client().register(PAYMENTS, info("malformed")));
  await step("register_incompatible", () => client().register(PAYMENTS, info("payment_incompatible")));
  await step("subjects", () => client().getAllSubjects());
  await step("versions", () => client().getAllVersions(PAYMENTS));
  await step("by_id", async () => (await client().getBySubjectAndId(PAYMENTS, 4)).schema);
  await step("by_guid", async () => (await client().getByGuid(guid)).schema);
  await step("by_version", async () => version(await client().getSchemaMetadata(PAYMENTS, 1)));
  await step("latest", async () => version(await client().getLatestSchemaMetadata(PAYMENTS)));
  await step("lookup", async () => version(await client().getIdFullResponse(PAYMENTS, info("payment"))));
  await step("no_such_subject", () => client().getAllVersions("missing"));
  await step("no_such_version", () => client().getSchemaMetadata(PAYMENTS, 99));
  await step("no_such_id", () => client().getBySubjectAndId(PAYMENTS, 999));
  await step("lookup_of_another", () => client().getId(PAYMENTS, info("status")));
  await step("lookup_without_subject", () => client().getVersion("missing", info("status")));
}

async function oddSubject() {
  const odd = task.odd_subject;
  await step("register_odd", () => client().register(odd, info("payment")));
  await step("odd_latest", async () => (await client().getLatestSchemaMetadata(odd)).id);
  await step("odd_is_listed", async () => (await client().getAllSubjects()).includes(odd));
}

async function references() {
  const to = (subject) => ({ references: [{ name: "shop.Status", subject, version: 1 }] });
  await step("register_referenced", () => client().register("status", info("status")));
  await step("register_referring", () => client().register("orders-value", info("order", to("status"))));
  await step("references_listed", async () => (await client().getSchemaMetadata("orders-value", 1)).references);
  await step("delete_referenced", () => client().deleteSubjectVersion("status", 1));
  await step("register_with_missing_reference", () =>
    client().register("orders-value", info("order", to("missing"))),
  );
}

async function compatibility() {
  const incompatible = info("payment_incompatible");
  await step("compatible", () => client().testCompatibility(PAYMENTS, 2, info("payment_3")));
  await step("compatible_with_all", () => client().testSubjectCompatibility(PAYMENTS, info("payment_3")));
  await step("incompatible", () => client().testSubjectCompatibility(PAYMENTS, incompatible));
  await step("incompatible_with_version", () => client().testCompatibility(PAYMENTS, 1, incompatible));
}

async function levels() {
  await step("level", () => client().getDefaultCompatibility());
  await step("set_level", () => client().updateDefaultCompatibility("FULL"));
  await step("level_set", () => client().getDefaultCompatibility());
  await client().updateDefaultCompatibility("BACKWARD");
  await step("no_subject_level", () => client().getCompatibility(PAYMENTS));
  await step("set_subject_level", () => client().updateCompatibility(PAYMENTS, "NONE"));
  await step("subject_level", () => client().getCompatibility(PAYMENTS));
  await step("register_anything", () => client().register(PAYMENTS, info("payment_incompatible")));
  await step("bad_level", () => client().updateCompatibility(PAYMENTS, "SIDEWAYS"));
  await client().updateConfig("grouped-value", {
    compatibility: "BACKWARD",
    compatibilityGroup: "major",
    defaultMetadata: { properties: { team: "shop" } },
  });
  await step("config", () => client().getConfig("grouped-value"));
}

async function contextsAndContracts() {
  await step("register_in_context", () => client().register(`:.eu:${PAYMENTS}`, info("payment")));
  await step("context_in_address", () => client("/contexts/.eu").getAllVersions(PAYMENTS));
  const contract = info("payment", { metadata: task.metadata, ruleSet: task.rules });
  await step("register_contract", () => client().register("contract-value", contract));
  await step("contract", async () => {
    const { metadata, ruleSet } = await client().getLatestSchemaMetadata("contract-value");
    return { metadata, ruleSet };
  });
  await step("latest_with_metadata", async () =>
    version(await client().getLatestWithMetadata("contract-value", { owner: "payments" })),
  );
  await step("register_normalized", () => client().register("normal", info("aliases_ba"), true));
  await step("lookup_normalized", () => client().getId("normal", info("aliases_ab"), true));
}

async function write() {
  const encode = async (topic, value, settings) => {
    const serializer = new AvroSerializer(client(), SerdeType.VALUE, settings);
    return (await serializer.serialize(topic, value)).toString("base64");
  };
  const latest = { autoRegisterSchemas: false, useLatestVersion: true };
  // Registered from the value, whose types it guesses.
  await step("write_sent", () => encode("theirs", task.sent, { autoRegisterSchemas: true }));
  await step("write_order", () => encode("orders", task.order, latest));
  const headers = {};
  const settings = { ...latest, schemaIdSerializer: HeaderSchemaIdSerializer };
  const serializer = new AvroSerializer(client(), SerdeType.VALUE, settings);
  const message = await serializer.serialize("theirs", task.sent, headers);
  await step("write_guid", () => ({
    message: message.toString("base64"),
    header: Buffer.from(headers.__value_schema_id).toString("base64"),
  }));
  await step("guid_in_header", () =>
    new AvroDeserializer(client(), SerdeType.VALUE, {}).deserialize("theirs", message, headers),
  );
}

async function remove() {
  const doomed = "doomed-value";
  await client().register(doomed, info("payment"));
  await client().register(doomed, info("payment_2"));
  await step("delete_first_version", () => client().deleteSubjectVersion(doomed, 1));
  await step("delete_version_again", () => client().deleteSubjectVersion(doomed, 1));
  await step("get_deleted_version", () => client().getSchemaMetadata(doomed, 1));
  await step("versions_left", () => client().getAllVersions(doomed));
  await step("delete_undeleted_for_good", () => client().deleteSubjectVersion(doomed, 2, true));
  await step("delete_version_for_good", () => client().deleteSubjectVersion(doomed, 1, true));
  await step("delete_subject", () => client().deleteSubject(doomed));
  await step("delete_subject_again", () => client().deleteSubject(doomed));
  await step("is_listed", async () => (await client().getAllSubjects()).includes(doomed));
  await step("delete_subject_for_good", () => client().deleteSubject(doomed, true));
  await step("delete_missing_subject", () => client().deleteSubject(doomed));
}

await read();
await registerAndFind();
await oddSubject();
await references();
await compatibility();
await levels();
await contextsAndContracts();
await write();
await remove();
