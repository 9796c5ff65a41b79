"""A new schema on its way into the registry: what was sent, and what it becomes before anything is decided.

`draft` takes from the state all that is needed, which is short; `parse` needs
no state, and may take long.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from registry import completion
from registry.contract import Metadata, RuleSet
from registry.errors import InvalidRuleSetError, InvalidSchemaError
from registry.languages.language import ReferencedSchema, SchemaEntity, SchemaFault
from registry.model import LATEST, Config, SchemaContent, SchemaReference
from registry.schemas import Parsed, Schemas, pin, resolve
from registry.state import State

_SHOWN = 1000
"""Characters of a faulty schema that a message repeats."""


@dataclass(frozen=True, slots=True)
class NewSchema:
    """A schema as it is sent to the registry.

    text: empty to take the latest version's, for a new version that differs in metadata or rules only.
    version: 0 for the next one; N to insist that the next one is N; -1 as 0, and only the latest
        version counts as known.
    id: only while importing.
    normalize: register the text that all spellings of the schema have in common.
    tags_to_add, tags_to_remove: changes of the tags within the text.
    propagate_tags: also take on the latest version's tags, for what both have.
    """

    text: str
    schema_type: str = "AVRO"
    references: Sequence[SchemaReference] = ()
    metadata: Metadata | None = None
    rule_set: RuleSet | None = None
    version: int = 0
    id: int | None = None
    normalize: bool = False
    tags_to_add: Mapping[SchemaEntity, Sequence[str]] = field(default_factory=dict)
    tags_to_remove: Mapping[SchemaEntity, Sequence[str]] = field(default_factory=dict)
    propagate_tags: bool = False


@dataclass(frozen=True, slots=True)
class Retag:
    """A change of a version's tags, metadata and rules.

    version: as in `NewSchema`.
    rules_to_merge, rules_to_remove: changes of the rules of the version before, instead of a `rule_set`.
    """

    version: int = 0
    tags_to_add: Mapping[SchemaEntity, Sequence[str]] = field(default_factory=dict)
    tags_to_remove: Mapping[SchemaEntity, Sequence[str]] = field(default_factory=dict)
    metadata: Metadata | None = None
    rule_set: RuleSet | None = None
    rules_to_merge: RuleSet | None = None
    rules_to_remove: Sequence[str] | None = None

    def __post_init__(self) -> None:
        """Raises InvalidRuleSetError (42210) where rules are given in both ways."""
        changed = self.rules_to_merge is not None or self.rules_to_remove is not None
        if self.rule_set is not None and changed:
            raise InvalidRuleSetError("give ruleSet, or rulesToMerge and rulesToRemove, but not both")

    def rules_after(self, before: RuleSet | None) -> RuleSet | None:
        """The rules `before`, changed."""
        after = before
        if self.rules_to_merge is not None:
            after = self.rules_to_merge if before is None else self.rules_to_merge.over(before)
        return None if after is None else after.without(self.rules_to_remove or ())


@dataclass(frozen=True, slots=True)
class Draft:
    """The request with all that it takes from the state.

    latest: the newest live version; of an import, none. latest_resolved: its references, if they are needed.
    config: what the schema takes on defaults and overrides of; of an imported one, nothing.
    number: the next version.
    imports: it comes with its id, and is taken as it is.
    strict: also its names and default values must be right.
    """

    subject: str
    request: NewSchema
    resolved: tuple[ReferencedSchema, ...]
    latest: SchemaContent | None
    latest_resolved: tuple[ReferencedSchema, ...]
    config: Config
    number: int
    imports: bool
    strict: bool


@dataclass(frozen=True, slots=True)
class Candidate:
    """The new schema, parsed.

    given: as it was sent, in its canonical form. completed: as it is stored, with what it takes
        on of the latest version and of configs.
    known_by: the contents of which a version makes registering needless.
    looked_up_by: and those that are meant by looking it up.
    weakness: why it can't be new, although it may be known: a name or a default value that older
        rules let pass.
    """

    parsed: Parsed
    given: SchemaContent
    completed: SchemaContent
    known_by: tuple[SchemaContent, ...]
    looked_up_by: tuple[SchemaContent, ...]
    weakness: SchemaFault | None


def draft(
    subject: str, request: NewSchema, state: State, default: Config, *, max_references: int | None = None
) -> Draft:
    """Take from the state what parsing needs.

    default: what holds where no scope sets a thing.
    max_references: the most schemas that it may need, directly or not.

    Raises InvalidSchemaError (42201).
    """
    imports = state.effective_mode(subject).takes_ids
    live = None if imports else state.version(subject, LATEST)
    latest = None if live is None else live.content
    if not request.text.strip():
        if latest is None:
            raise InvalidSchemaError("Empty schema")
        request = replace(
            request,
            text=latest.text,
            schema_type=latest.schema_type,
            references=request.references or latest.references,
        )
    try:
        if request.references:
            request = replace(request, references=pin(request.references, subject, state))
        resolved = resolve(request.references, subject, state, max_references)
        needed = latest.references if latest is not None and request.propagate_tags else ()
        latest_resolved = resolve(needed, subject, state)
    except SchemaFault as fault:
        raise invalid(subject, request, str(fault)) from fault
    config = state.effective_config(subject, default)
    return Draft(
        subject=subject,
        request=request if imports or not config.normalize else replace(request, normalize=True),
        resolved=resolved,
        latest=latest,
        latest_resolved=latest_resolved,
        config=Config() if imports else config,
        number=state.next_version(subject),
        imports=imports,
        strict=config.validate_new_schemas is not False and request.id is None,
    )


def parse(draft: Draft, schemas: Schemas) -> Candidate:
    """Parse it. Needs no state.

    Raises InvalidSchemaError (42201).
    """
    parsed, weakness = _parsed(draft, schemas)
    references = tuple(draft.request.references)
    try:
        text = _tagged(draft, parsed, schemas)
        if text != parsed.canonical:
            parsed = schemas.parse(parsed.language.type_name, text, draft.resolved)
        if draft.request.normalize and not draft.imports:
            text = parsed.language.normalize(parsed.schema)
            parsed = schemas.parse(parsed.language.type_name, text, draft.resolved)
            references = tuple(sorted(dict.fromkeys(references), key=lambda r: (r.subject, r.version)))
    except SchemaFault as fault:
        raise invalid(draft.subject, draft.request, str(fault)) from fault
    request, type_name = draft.request, parsed.language.type_name
    given = SchemaContent(type_name, parsed.canonical, references, request.metadata, request.rule_set)
    if draft.imports:
        return Candidate(parsed, given, given, (given,), (given,), weakness)
    inherited = completion.inherited(given, draft.latest)
    completed = completion.completed(inherited, draft.config)
    numbered = completion.numbered(completed, draft.number, asked=request.version != 0)
    both = (given,) if inherited == given else (given, inherited)
    # Where configs add something, a version that lacks it is not what registering would make.
    known_by = (completed,) if completion.adds_something(draft.config) else both
    return Candidate(parsed, given, numbered, known_by, both, weakness)


def invalid(subject: str, request: NewSchema, details: str) -> InvalidSchemaError:
    """What to say of a schema that is none, or that needs what is not there."""
    references = _shown(
        ", ".join(
            f"{{name='{r.name}', subject='{r.subject}', version={r.version}}}" for r in request.references
        )
    )
    text = _shown(request.text)
    number = -1 if request.id is None else request.id
    return InvalidSchemaError(
        f"Invalid schema {{subject={subject},version={request.version},id={number},"
        f"schemaType={request.schema_type},references=[{references}],schema={text}}} "
        f"with refs [{references}] of type {request.schema_type}, details: {details}"
    )


def _parsed(draft: Draft, schemas: Schemas) -> tuple[Parsed, SchemaFault | None]:
    """The schema that was sent, and why it can't be new if only the rules for old ones let it pass."""
    request, first_fault = draft.request, None
    for strict in (True, False) if draft.strict else (False,):
        try:
            parsed = schemas.parse(request.schema_type, request.text, draft.resolved, strict=strict)
        except SchemaFault as fault:
            first_fault = first_fault or fault
        else:
            return parsed, first_fault
    raise invalid(draft.subject, request, str(first_fault)) from first_fault


def _tagged(draft: Draft, parsed: Parsed, schemas: Schemas) -> str:
    """The canonical text with the tags that the request adds, removes and takes on."""
    request, language = draft.request, parsed.language
    text = parsed.canonical
    if request.tags_to_add or request.tags_to_remove:
        text = language.with_tags(parsed.schema, request.tags_to_add, request.tags_to_remove)
    if not request.propagate_tags or draft.latest is None or draft.latest.schema_type != language.type_name:
        return text
    latest = schemas.parse(language.type_name, draft.latest.text, draft.latest_resolved)
    tags = language.tags(latest.schema)
    tagged = schemas.parse(language.type_name, text, draft.resolved)
    common = language.taggable(tagged.schema, tags)
    return language.with_tags(tagged.schema, {entity: tags[entity] for entity in sorted(common)}, {})


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
