package main

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/hamba/avro/v2"
	"github.com/twmb/franz-go/pkg/sr"
)

// franzSteps is the scenario by franz-go's registry client; its Serde frames what hamba/avro encodes.
type franzSteps struct {
	task   Task
	client *sr.Client // it remembers nothing
	ctx    context.Context
}

func franz(task Task) {
	describe = func(err error) failure {
		var refused *sr.ResponseError
		if errors.As(err, &refused) {
			return failure{Status: refused.StatusCode, Code: refused.ErrorCode, Message: refused.Message}
		}
		return failure{Message: err.Error()}
	}
	client, err := sr.NewClient(sr.URLs(task.URL))
	must(err)
	f := franzSteps{task, client, context.Background()}
	types, err := client.SupportedTypes(f.ctx)
	step("types", types, err)
	f.read()
	f.registerAndFind()
	f.oddSubject()
	f.references()
	f.compatibility()
	f.levels()
	f.modes()
	f.contextsAndContracts()
	f.write()
	f.importOne()
	f.remove()
}

func (f franzSteps) schema(name string, references ...sr.SchemaReference) sr.Schema {
	return sr.Schema{Schema: f.task.Schemas[name], References: references}
}

func (f franzSteps) with(params ...sr.Param) context.Context { return sr.WithParams(f.ctx, params...) }

func (f franzSteps) register(name, subject string, schema sr.Schema) sr.SubjectSchema {
	created, err := f.client.CreateSchema(f.ctx, subject, schema)
	step(name, created.ID, err)
	return created
}

// parsed is the Avro schema with an id; shop.Status is what one of them refers to.
func (f franzSteps) parsed(id int) avro.Schema {
	text, err := f.client.SchemaTextByID(f.ctx, id)
	must(err)
	cache := &avro.SchemaCache{}
	_, err = avro.ParseWithCache(f.task.Schemas["status"], "", cache)
	must(err)
	schema, err := avro.ParseWithCache(text, "", cache)
	must(err)
	return schema
}

func (f franzSteps) serde(id int, example any) *sr.Serde {
	schema := f.parsed(id)
	serde := sr.NewSerde()
	serde.Register(id, example,
		sr.EncodeFn(func(value any) ([]byte, error) { return avro.Marshal(schema, value) }),
		sr.DecodeFn(func(message []byte, into any) error { return avro.Unmarshal(schema, message, into) }),
	)
	return serde
}

func (f franzSteps) read() {
	var header sr.ConfluentHeader
	var sent Sent
	id, _, err := header.DecodeID(f.task.SentMessage)
	must(err)
	err = f.serde(id, Sent{}).Decode(f.task.SentMessage, &sent)
	step("read_sent", sent, err)
	var order Order
	id, _, err = header.DecodeID(f.task.OrderMessage)
	must(err)
	err = f.serde(id, Order{}).Decode(f.task.OrderMessage, &order)
	step("read_order", order, err)
}

func (f franzSteps) registerAndFind() {
	f.register("register_first", payments, f.schema("payment"))
	again := f.register("register_again", payments, f.schema("payment"))
	f.register("register_next", payments, f.schema("payment_2"))
	f.register("register_malformed", payments, f.schema("malformed"))
	f.register("register_incompatible", payments, f.schema("payment_incompatible"))

	subjects, err := f.client.Subjects(f.ctx)
	step("subjects", subjects, err)
	versions, err := f.client.SubjectVersions(f.ctx, payments)
	step("versions", versions, err)
	text, err := f.client.SchemaTextByID(f.ctx, 4)
	step("by_id", text, err)
	found, err := f.client.SchemaByGUID(f.ctx, again.GUID)
	step("by_guid", found.Schema.Schema, err)
	found, err = f.client.SchemaByVersion(f.ctx, payments, 1)
	step("by_version", franzVersion(found), err)
	found, err = f.client.SchemaByVersion(f.ctx, payments, -1)
	step("latest", franzVersion(found), err)
	found, err = f.client.LookupSchema(f.ctx, payments, f.schema("payment"))
	step("lookup", franzVersion(found), err)
	subjects, err = f.client.SubjectsByID(f.ctx, 4)
	step("subjects_of_id", subjects, err)
	at, err := f.client.SchemaVersionsByID(f.ctx, 4)
	step("versions_of_id", at, err)

	_, err = f.client.SubjectVersions(f.ctx, "missing")
	step("no_such_subject", nil, err)
	_, err = f.client.SchemaTextByVersion(f.ctx, payments, 99)
	step("no_such_version", nil, err)
	_, err = f.client.SchemaByID(f.ctx, 999)
	step("no_such_id", nil, err)
	_, err = f.client.LookupSchema(f.ctx, payments, f.schema("status"))
	step("lookup_of_another", nil, err)
	_, err = f.client.LookupSchema(f.ctx, "missing", f.schema("status"))
	step("lookup_without_subject", nil, err)
}

func (f franzSteps) oddSubject() {
	f.register("register_odd", f.task.Odd, f.schema("payment"))
	found, err := f.client.SchemaByVersion(f.ctx, f.task.Odd, -1)
	step("odd_latest", found.ID, err)
	subjects, err := f.client.Subjects(f.ctx)
	step("odd_is_listed", slices.Contains(subjects, f.task.Odd), err)
}

func (f franzSteps) references() {
	to := func(subject string) sr.Schema {
		return f.schema("order", sr.SchemaReference{Name: "shop.Status", Subject: subject, Version: 1})
	}
	f.register("register_referenced", "status", f.schema("status"))
	f.register("register_referring", "orders-value", to("status"))
	found, err := f.client.SchemaByVersion(f.ctx, "orders-value", 1)
	step("references_listed", found.References, err)
	referring, err := f.client.SchemaReferences(f.ctx, "status", 1)
	ids := make([]int, 0, len(referring))
	for _, schema := range referring {
		ids = append(ids, schema.ID)
	}
	step("referenced_by", ids, err)
	step("delete_referenced", nil, f.client.DeleteSchema(f.ctx, "status", 1, sr.SoftDelete))
	f.register("register_with_missing_reference", "orders-value", to("missing"))
}

func (f franzSteps) compatibility() {
	check := func(version int, schema string) (sr.CheckCompatibilityResult, error) {
		return f.client.CheckCompatibility(f.with(sr.Verbose), payments, version, f.schema(schema))
	}
	const latest, all = -1, -2
	verdict, err := check(latest, "payment_3")
	step("compatible", verdict.Is, err)
	verdict, err = check(all, "payment_3")
	step("compatible_with_all", verdict.Is, err)
	verdict, err = check(latest, "payment_incompatible")
	step("incompatible", verdict.Is, err)
	step("incompatible_messages", verdict.Messages, err)
	verdict, err = check(1, "payment_incompatible")
	step("incompatible_with_version", verdict.Is, err)
}

func (f franzSteps) levels() {
	level := func(name string, results []sr.CompatibilityResult) {
		step(name, results[0].Level.String(), results[0].Err)
	}
	set := func(level sr.CompatibilityLevel, subjects ...string) []sr.CompatibilityResult {
		return f.client.SetCompatibility(f.ctx, sr.SetCompatibility{Level: level}, subjects...)
	}
	level("level", f.client.Compatibility(f.ctx))
	level("set_level", set(sr.CompatFull))
	level("level_set", f.client.Compatibility(f.ctx))
	must(set(sr.CompatBackward)[0].Err)
	level("no_subject_level", f.client.Compatibility(f.ctx, payments))
	level("set_subject_level", set(sr.CompatNone, payments))
	level("subject_level", f.client.Compatibility(f.ctx, payments))
	f.register("register_anything", payments, f.schema("payment_incompatible"))
	level("delete_subject_level", f.client.ResetCompatibility(f.ctx, payments))

	grouped := sr.SetCompatibility{
		Level:           sr.CompatBackward,
		Group:           "major",
		DefaultMetadata: &sr.SchemaMetadata{Properties: map[string]string{"team": "shop"}},
	}
	must(f.client.SetCompatibility(f.ctx, grouped, "grouped-value")[0].Err)
	config := f.client.Compatibility(f.ctx, "grouped-value")[0]
	step("config", config, config.Err)
}

func (f franzSteps) modes() {
	mode := func(name string, results []sr.ModeResult) {
		step(name, results[0].Mode.String(), results[0].Err)
	}
	mode("mode", f.client.Mode(f.ctx))
	mode("no_subject_mode", f.client.Mode(f.ctx, payments))
	mode("set_subject_mode", f.client.SetMode(f.ctx, sr.ModeReadOnly, payments))
	mode("subject_mode", f.client.Mode(f.ctx, payments))
	f.register("register_read_only", payments, f.schema("payment_3"))
	mode("delete_subject_mode", f.client.ResetMode(f.ctx, payments))
}

func (f franzSteps) contextsAndContracts() {
	// Its second request asks for the id without the subject, so the context has to be in the path.
	created, err := f.client.CreateSchema(sr.InContext(f.ctx, ".eu"), payments, f.schema("payment"))
	step("register_in_context", created.ID, err)
	contexts, err := f.client.Contexts(f.ctx)
	step("contexts_listed", contexts, err)
	subjects, err := f.client.Subjects(f.with(sr.SubjectPrefix(":.eu:")))
	step("subjects_of_context", subjects, err)

	there, err := sr.NewClient(sr.URLs(f.task.URL + "/contexts/.eu"))
	must(err)
	versions, err := there.SubjectVersions(f.ctx, payments)
	step("context_in_address", versions, err)

	contract := f.schema("payment")
	must(json.Unmarshal(f.task.Metadata, &contract.SchemaMetadata))
	must(json.Unmarshal(f.task.Rules, &contract.SchemaRuleSet))
	f.register("register_contract", "contract-value", contract)
	found, err := f.client.SchemaByVersion(f.ctx, "contract-value", -1)
	step("contract", map[string]any{"metadata": found.SchemaMetadata, "ruleSet": found.SchemaRuleSet}, err)

	id, err := f.client.RegisterSchema(f.with(sr.Normalize), "normal", f.schema("aliases_ba"), -1, -1)
	step("register_normalized", id, err)
	found, err = f.client.LookupSchema(f.with(sr.Normalize), "normal", f.schema("aliases_ab"))
	step("lookup_normalized", found.ID, err)
}

func (f franzSteps) write() {
	created, err := f.client.CreateSchema(f.ctx, "theirs-value", f.schema("sent"))
	must(err)
	message, err := f.serde(created.ID, Sent{}).Encode(f.task.Sent)
	step("write_sent", message, err)
	order, err := f.client.SchemaByVersion(f.ctx, "orders-value", -1)
	must(err)
	message, err = f.serde(order.ID, Order{}).Encode(f.task.Order)
	step("write_order", message, err)
}

func (f franzSteps) importOne() {
	const imported = "imported-value"
	mode := f.client.SetMode(f.ctx, sr.ModeImport, imported)[0]
	step("mode_import", mode.Mode.String(), mode.Err)
	created, err := f.client.CreateSchemaWithIDAndVersion(f.ctx, imported, f.schema("payment_3"), 1000, 7)
	step("import_one", franzVersion(created), err)
}

func (f franzSteps) remove() {
	for _, schema := range []string{"payment", "payment_2"} {
		_, err := f.client.CreateSchema(f.ctx, doomed, f.schema(schema))
		must(err)
	}
	version := func(name string, version int, how sr.DeleteHow) {
		step(name, nil, f.client.DeleteSchema(f.ctx, doomed, version, how))
	}
	subject := func(name string, how sr.DeleteHow) {
		deleted, err := f.client.DeleteSubject(f.ctx, doomed, how)
		step(name, deleted, err)
	}
	version("delete_first_version", 1, sr.SoftDelete)
	version("delete_version_again", 1, sr.SoftDelete)
	_, err := f.client.SchemaByVersion(f.ctx, doomed, 1)
	step("get_deleted_version", nil, err)
	versions, err := f.client.SubjectVersions(f.ctx, doomed)
	step("versions_left", versions, err)
	version("delete_undeleted_for_good", 2, sr.HardDelete)
	version("delete_version_for_good", 1, sr.HardDelete)
	subject("delete_subject", sr.SoftDelete)
	subject("delete_subject_again", sr.SoftDelete)
	subjects, err := f.client.Subjects(f.ctx)
	step("is_listed", slices.Contains(subjects, doomed), err)
	subjects, err = f.client.Subjects(f.with(sr.ShowDeleted))
	step("is_listed_as_deleted", slices.Contains(subjects, doomed), err)
	subject("delete_subject_for_good", sr.HardDelete)
	subject("delete_missing_subject", sr.SoftDelete)
}

func franzVersion(found sr.SubjectSchema) map[string]any {
	return map[string]any{"subject": found.Subject, "version": found.Version, "id": found.ID}
}
