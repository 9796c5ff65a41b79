"""From a tree of schemas and a registry to a plan."""

from collections.abc import Callable, Mapping, Sequence

from registry.check.plan.model import NeededType, Plan, Step, SubjectState, same_schema
from registry.check.plan.remote import absolute, reachable, read_states
from registry.check.sources import SchemaSource, Sources
from registry.model import Mode
from serde.client import RegistryClient
from serde.errors import NotFound, RegistryError
from serde.model import Reference


def make_plan(
    client: RegistryClient,
    sources: Sources,
    *,
    name: str,
    context: str | None = None,
    selected: Callable[[str], bool] = lambda _: True,
) -> Plan:
    """What makes the registry have every schema of `sources`, with the levels and modes of the project.

    name: the registry's URL. context: the client's. selected: whether the file at a path counts; what its
    schemas need does, too.

    Subjects that the tree does not have are left alone. A schema that is an older version of its subject
    already is not registered again: no registry does that.

    Raises InvalidSource for a schema that does not parse, BaselineError where the registry does not answer.
    """
    order = _in_order(sources, selected)
    settings = [one.subject for one in order if one.placement.level or one.placement.mode]
    states = read_states(client, [one.subject for one in order], settings, context=context)
    planner = _Planner(client, sources, states, context)
    for source in order:
        planner.add(source)
    before = {subject: state.seen() for subject, state in sorted(states.items())}
    used = planner.subjects()
    return Plan(
        name,
        (*planner.opening, *planner.registering, *planner.closing),
        {subject: seen for subject, seen in before.items() if subject in used},
        tuple(planner.notes),
    )


def _in_order(sources: Sources, selected: Callable[[str], bool]) -> list[SchemaSource]:
    """The schemas with all that they need, each after what it needs itself. Raises InvalidSource."""
    order: dict[int, SchemaSource] = {}
    for source in sources.schemas:
        if selected(source.path) and sources.by_subject[source.subject] is source:
            for one in sources.parse(source).references:
                order.setdefault(id(one), one)
            order.setdefault(id(source), source)
    return list(order.values())


class _Planner:
    """Steps: levels and modes that let write, then schemas, then modes that don't."""

    def __init__(
        self,
        client: RegistryClient,
        sources: Sources,
        states: Mapping[str, SubjectState],
        context: str | None,
    ) -> None:
        self.opening: list[Step] = []
        self.registering: list[Step] = []
        self.closing: list[Step] = []
        self.notes: list[str] = []
        self._client = client
        self._sources = sources
        self._states = states
        self._context = context
        self._versions: dict[str, int | None] = {}  # None: what the plan registers

    def subjects(self) -> set[str]:
        """The subjects that the steps are about, and those they refer to."""
        steps = [*self.opening, *self.registering, *self.closing]
        return {step.subject for step in steps} | {one.subject for step in steps for one in step.references}

    def add(self, source: SchemaSource) -> None:
        subject, state = source.subject, self._states[source.subject]
        level, mode = source.placement.level, source.placement.mode
        if level is not None and state.level != level:
            self.opening.append(Step("level", subject, str(level), state.level))
        if mode is not None and state.mode != mode:
            step = Step("mode", subject, str(mode), state.mode)
            (self.closing if mode is not Mode.READWRITE else self.opening).append(step)
        references = tuple(
            NeededType(one.name, one.subject, self._versions[one.subject])
            for one in self._sources.references(source)
        )
        version = self._known(source, state, references)
        self._versions[subject] = version
        latest = state.versions[-1].version if state.versions else 0
        if version is None:
            text = self._sources.parse(source).schema.canonical
            self.registering.append(
                Step("register", subject, text=text, references=references, latest=latest)
            )
        elif version != latest:
            self.notes.append(
                f"{source.shown} is version {version} of {subject}, and the newest is {latest}: a registry "
                "does not register a version again. Change the file, or delete the later versions"
            )

    def _known(
        self, source: SchemaSource, state: SubjectState, references: Sequence[NeededType]
    ) -> int | None:
        """The version that the schema is already, the newest if several; None if it is none."""
        needs = [
            Reference(one.name, one.subject, one.version) for one in references if one.version is not None
        ]
        if not state.versions or len(needs) < len(references):
            return None  # what it refers to is not registered yet
        wanted = self._sources.parse(source).schema.canonical
        used = frozenset((absolute(one.subject, self._context), one.version) for one in needs)
        for version in reversed(state.versions):
            if version.references == used and same_schema(version.text, wanted):
                return version.version
        with reachable(f"the registry cannot be asked for the schema of {source.subject}"):
            try:
                return self._client.look_up(source.subject, source.spelling.text, references=needs).version
            except NotFound:
                return None
            except RegistryError as fault:
                if fault.status != 422:  # it does not take the schema: registering will say why
                    raise
                return None
