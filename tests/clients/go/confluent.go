package main

import (
	"encoding/json"
	"errors"
	"slices"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry"
	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry/rest"
	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry/serde"
	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry/serde/avrov2"
)

// confluentSteps is the scenario by confluent-kafka-go's registry client and its Avro serializer.
type confluentSteps struct{ task Task }

func confluent(task Task) {
	describe = func(err error) failure {
		var refused *rest.Error
		if errors.As(err, &refused) {
			return failure{Code: refused.Code, Message: refused.Message}
		}
		return failure{Message: err.Error()}
	}
	c := confluentSteps{task}
	c.read()
	c.registerAndFind()
	c.oddSubject()
	c.references()
	c.compatibility()
	c.levels()
	c.contextsAndContracts()
	c.write()
	c.remove()
}

// client is a new one for every call: none answers from what it remembers.
func (c confluentSteps) client() schemaregistry.Client {
	client, err := schemaregistry.NewClient(schemaregistry.NewConfig(c.task.URL))
	must(err)
	return client
}

func (c confluentSteps) info(name string, references ...schemaregistry.Reference) schemaregistry.SchemaInfo {
	return schemaregistry.SchemaInfo{Schema: c.task.Schemas[name], SchemaType: "AVRO", References: references}
}

func (c confluentSteps) register(name, subject, schema string) {
	id, err := c.client().Register(subject, c.info(schema), false)
	step(name, id, err)
}

func (c confluentSteps) read() {
	decode := func(name string, message []byte, into any) {
		deserializer, err := avrov2.NewDeserializer(c.client(), serde.ValueSerde, avrov2.NewDeserializerConfig())
		must(err)
		err = deserializer.DeserializeInto("any", message, into)
		step(name, into, err)
	}
	decode("read_sent", c.task.SentMessage, &Sent{})
	decode("read_order", c.task.OrderMessage, &Order{})

	deserializer, err := avrov2.NewDeserializer(c.client(), serde.ValueSerde, avrov2.NewDeserializerConfig())
	must(err)
	var sent Sent
	headers := []kafka.Header{{Key: "__value_schema_id", Value: c.task.SentHeader}}
	err = deserializer.DeserializeWithHeadersInto("any", headers, c.task.SentBody, &sent)
	step("read_guid", sent, err)
}

func (c confluentSteps) registerAndFind() {
	c.register("register_first", payments, "payment")
	full, err := c.client().RegisterFullResponse(payments, c.info("payment"), false)
	step("register_again", full.ID, err)
	c.register("register_next", payments, "payment_2")
	c.register("register_malformed", payments, "malformed")
	c.register("register_incompatible", payments, "payment_incompatible")

	subjects, err := c.client().GetAllSubjects()
	step("subjects", subjects, err)
	versions, err := c.client().GetAllVersions(payments)
	step("versions", versions, err)
	info, err := c.client().GetBySubjectAndID(payments, 4)
	step("by_id", info.Schema, err)
	info, err = c.client().GetByGUID(full.GUID)
	step("by_guid", info.Schema, err)
	found, err := c.client().GetSchemaMetadata(payments, 1)
	step("by_version", confluentVersion(found), err)
	found, err = c.client().GetLatestSchemaMetadata(payments)
	step("latest", confluentVersion(found), err)
	found, err = c.client().GetIDFullResponse(payments, c.info("payment"), false)
	step("lookup", confluentVersion(found), err)
	at, err := c.client().GetSubjectsAndVersionsByID(4)
	step("versions_of_id", at, err)

	_, err = c.client().GetAllVersions("missing")
	step("no_such_subject", nil, err)
	_, err = c.client().GetSchemaMetadata(payments, 99)
	step("no_such_version", nil, err)
	_, err = c.client().GetBySubjectAndID(payments, 999)
	step("no_such_id", nil, err)
	_, err = c.client().GetID(payments, c.info("status"), false)
	step("lookup_of_another", nil, err)
	_, err = c.client().GetVersion("missing", c.info("status"), false)
	step("lookup_without_subject", nil, err)
}

func (c confluentSteps) oddSubject() {
	c.register("register_odd", c.task.Odd, "payment")
	found, err := c.client().GetLatestSchemaMetadata(c.task.Odd)
	step("odd_latest", found.ID, err)
	subjects, err := c.client().GetAllSubjects()
	step("odd_is_listed", slices.Contains(subjects, c.task.Odd), err)
}

func (c confluentSteps) references() {
	to := func(subject string) schemaregistry.SchemaInfo {
		return c.info("order", schemaregistry.Reference{Name: "shop.Status", Subject: subject, Version: 1})
	}
	c.register("register_referenced", "status", "status")
	id, err := c.client().Register("orders-value", to("status"), false)
	step("register_referring", id, err)
	found, err := c.client().GetSchemaMetadata("orders-value", 1)
	step("references_listed", found.References, err)
	_, err = c.client().DeleteSubjectVersion("status", 1, false)
	step("delete_referenced", nil, err)
	_, err = c.client().Register("orders-value", to("missing"), false)
	step("register_with_missing_reference", nil, err)
}

func (c confluentSteps) compatibility() {
	verdict, err := c.client().TestCompatibility(payments, 2, c.info("payment_3"))
	step("compatible", verdict, err)
	verdict, err = c.client().TestSubjectCompatibility(payments, c.info("payment_3"))
	step("compatible_with_all", verdict, err)
	verdict, err = c.client().TestSubjectCompatibility(payments, c.info("payment_incompatible"))
	step("incompatible", verdict, err)
	verdict, err = c.client().TestCompatibility(payments, 1, c.info("payment_incompatible"))
	step("incompatible_with_version", verdict, err)
}

func (c confluentSteps) levels() {
	level, err := c.client().GetDefaultCompatibility()
	step("level", level.String(), err)
	level, err = c.client().UpdateDefaultCompatibility(schemaregistry.Full)
	step("set_level", level.String(), err)
	level, err = c.client().GetDefaultCompatibility()
	step("level_set", level.String(), err)
	_, err = c.client().UpdateDefaultCompatibility(schemaregistry.Backward)
	must(err)
	_, err = c.client().GetCompatibility(payments)
	step("no_subject_level", nil, err)
	level, err = c.client().UpdateCompatibility(payments, schemaregistry.None)
	step("set_subject_level", level.String(), err)
	level, err = c.client().GetCompatibility(payments)
	step("subject_level", level.String(), err)
	c.register("register_anything", payments, "payment_incompatible")

	_, err = c.client().UpdateConfig("grouped-value", schemaregistry.ServerConfig{
		CompatibilityUpdate: schemaregistry.Backward,
		CompatibilityGroup:  "major",
		DefaultMetadata:     &schemaregistry.Metadata{Properties: map[string]string{"team": "shop"}},
	})
	must(err)
	config, err := c.client().GetConfig("grouped-value", false)
	step("config", &config, err)
}

func (c confluentSteps) contextsAndContracts() {
	c.register("register_in_context", ":.eu:"+payments, "payment")
	contexts, err := c.client().GetAllContexts()
	step("contexts_listed", contexts, err)

	there, err := schemaregistry.NewClient(schemaregistry.NewConfig(c.task.URL + "/contexts/.eu"))
	must(err)
	versions, err := there.GetAllVersions(payments)
	step("context_in_address", versions, err)

	contract := c.info("payment")
	must(json.Unmarshal(c.task.Metadata, &contract.Metadata))
	must(json.Unmarshal(c.task.Rules, &contract.RuleSet))
	id, err := c.client().Register("contract-value", contract, false)
	step("register_contract", id, err)
	found, err := c.client().GetLatestSchemaMetadata("contract-value")
	step("contract", map[string]any{"metadata": found.Metadata, "ruleSet": found.RuleSet}, err)
	owner := map[string]string{"owner": "payments"}
	found, err = c.client().GetLatestWithMetadata("contract-value", owner, false)
	step("latest_with_metadata", confluentVersion(found), err)

	id, err = c.client().Register("normal", c.info("aliases_ba"), true)
	step("register_normalized", id, err)
	id, err = c.client().GetID("normal", c.info("aliases_ab"), true)
	step("lookup_normalized", id, err)
}

func (c confluentSteps) write() {
	encode := func(name, topic string, value any, settings *avrov2.SerializerConfig) {
		serializer, err := avrov2.NewSerializer(c.client(), serde.ValueSerde, settings)
		must(err)
		message, err := serializer.Serialize(topic, value)
		step(name, message, err)
	}
	// Registered from the type of the value.
	encode("write_sent", "theirs", &c.task.Sent, avrov2.NewSerializerConfig())
	latest := avrov2.NewSerializerConfig()
	latest.AutoRegisterSchemas = false
	latest.UseLatestVersion = true
	encode("write_order", "orders", &c.task.Order, latest)

	serializer, err := avrov2.NewSerializer(c.client(), serde.ValueSerde, latest)
	must(err)
	serializer.SchemaIDSerializer = serde.HeaderSchemaIDSerializer
	headers, message, err := serializer.SerializeWithHeaders("theirs", &c.task.Sent)
	must(err)
	step("write_guid", map[string][]byte{"message": message, "header": headers[0].Value}, nil)
	deserializer, err := avrov2.NewDeserializer(c.client(), serde.ValueSerde, avrov2.NewDeserializerConfig())
	must(err)
	var sent Sent
	err = deserializer.DeserializeWithHeadersInto("theirs", headers, message, &sent)
	step("guid_in_header", sent, err)
}

func (c confluentSteps) remove() {
	for _, schema := range []string{"payment", "payment_2"} {
		_, err := c.client().Register(doomed, c.info(schema), false)
		must(err)
	}
	version := func(name string, version int, permanent bool) {
		deleted, err := c.client().DeleteSubjectVersion(doomed, version, permanent)
		step(name, deleted, err)
	}
	subject := func(name string, permanent bool) {
		deleted, err := c.client().DeleteSubject(doomed, permanent)
		step(name, deleted, err)
	}
	version("delete_first_version", 1, false)
	version("delete_version_again", 1, false)
	_, err := c.client().GetSchemaMetadata(doomed, 1)
	step("get_deleted_version", nil, err)
	versions, err := c.client().GetAllVersions(doomed)
	step("versions_left", versions, err)
	version("delete_undeleted_for_good", 2, true)
	version("delete_version_for_good", 1, true)
	subject("delete_subject", false)
	subject("delete_subject_again", false)
	subjects, err := c.client().GetAllSubjects()
	step("is_listed", slices.Contains(subjects, doomed), err)
	subject("delete_subject_for_good", true)
	subject("delete_missing_subject", false)
}

func confluentVersion(found schemaregistry.SchemaMetadata) map[string]any {
	return map[string]any{"subject": found.Subject, "version": found.Version, "id": found.ID}
}
