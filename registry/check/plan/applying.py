"""Carrying out a plan: from wherever the registry is on its way, and only if it is on that way."""

from collections.abc import Callable, Mapping

from registry.check.errors import BaselineError, CheckError
from registry.check.plan.model import Plan, Step, SubjectState, same_schema
from registry.check.plan.remote import absolute, read_states
from serde.client import RegistryClient
from serde.errors import RegistryError, RegistryUnreachable, TokenError
from serde.model import Reference, RegisteredSchema


class PlanOutdated(CheckError):
    """The registry is not as the plan saw it, and not as the plan leaves it either. Nothing was done."""

    exit_code = 1


class StepRefused(CheckError):
    """The registry refused a step. What was done before it stays; the message says where it stopped."""

    exit_code = 1


class ApplyInterrupted(BaselineError):
    """The registry went away. What was done before stays, and applying the plan again goes on from there."""


Told = Callable[[Step, str], None]
"""Told of each step and what came of it: ``done``, ``done before``, or the version and id."""


def tell_nobody(step: Step, said: str) -> None:
    """Tell nobody."""


def apply(client: RegistryClient, plan: Plan, told: Told = tell_nobody, *, context: str | None = None) -> int:
    """Carry out what is left of `plan`; answers how many steps were done now. Applied again, it does nothing.

    Each subject must be as the plan saw it, or as some first steps of the plan leave it. That is looked at
    before anything is written, and again as each version is registered. context: the client's.

    Raises PlanOutdated, StepRefused, ApplyInterrupted, BaselineError.
    """
    settings = {step.subject for step in plan.steps if step.action != "register"}
    states = read_states(client, plan.before, settings, context=context)
    done = _Progress(plan, states, context).done()
    doing = _Doing(client, plan, done)
    count = 0
    for number, step in enumerate(plan.steps):
        if done[number] is not None:
            told(step, "done before")
            continue
        try:
            said = doing.step(step)
        except (RegistryUnreachable, TokenError) as fault:
            raise ApplyInterrupted(
                f"stopped before step {number + 1} of {len(plan.steps)} ({step}): {fault}. "
                "Apply the plan again to go on from there"
            ) from None
        except RegistryError as fault:
            raise StepRefused(
                f"step {number + 1} of {len(plan.steps)} was refused ({step}): {fault}. "
                "What was done before it stays"
            ) from None
        count += 1
        told(step, said)
    return count


class _Progress:
    """How far the registry is on the way that a plan says."""

    def __init__(self, plan: Plan, states: dict[str, SubjectState], context: str | None) -> None:
        self._plan = plan
        self._context = context
        self._states = states

    def done(self) -> list[int | None]:
        """For each step None, or, where it is done, the version that is registered (0 for other steps).

        Raises PlanOutdated where a subject is not on the way.
        """
        found: list[int | None] = []
        new: dict[str, int] = {}  # what the plan has registered, by subject
        for step in self._plan.steps:
            version = self._register(step, new) if step.action == "register" else self._setting(step)
            if step.action == "register" and version is not None:
                new[step.subject] = version
            found.append(version)
        for subject, seen in self._plan.before.items():
            now = {str(one.version): one.id for one in self._states[subject].versions}
            if subject in new:
                now.pop(str(new[subject]), None)
            if now != seen["versions"]:
                raise _outdated(
                    subject, f"its versions are {_listed(now)}, and were {_listed(seen['versions'])}"
                )
        return found

    def _setting(self, step: Step) -> int | None:
        state = self._states[step.subject]
        now = state.level if step.action == "level" else state.mode
        if now == step.value:
            return 0
        if now != step.was:
            raise _outdated(step.subject, f"its {step.action} is {now}, and was {step.was}")
        return None

    def _register(self, step: Step, new: dict[str, int]) -> int | None:
        """The version that is what `step` registers, if it is there and is not from before the plan."""
        needs = set()
        for one in step.references:
            version = one.version if one.version is not None else new.get(one.subject)
            if version is None:
                return None
            needs.add((absolute(one.subject, self._context), version))
        before = self._plan.before[step.subject]["versions"]
        for there in self._states[step.subject].versions:
            is_new = str(there.version) not in before
            if is_new and there.references == needs and same_schema(there.text, step.text):
                return there.version
        return None


def _outdated(subject: str, what: str) -> PlanOutdated:
    return PlanOutdated(
        f"{subject} is not as the plan saw it: {what}. Nothing was done; make the plan anew, and look at it"
    )


def _listed(versions: Mapping[str, int]) -> str:
    return ", ".join(f"{version} (id {id_})" for version, id_ in versions.items()) or "none"


class _Doing:
    """Carries out single steps, and keeps what they registered for those that refer to it."""

    def __init__(self, client: RegistryClient, plan: Plan, done: list[int | None]) -> None:
        self._client = client
        self._plan = plan
        self._new = {
            step.subject: version
            for step, version in zip(plan.steps, done, strict=True)
            if step.action == "register" and version is not None
        }

    def step(self, step: Step) -> str:
        """Do it, and say what came of it."""
        match step.action:
            case "level":
                self._client.set_config(step.value, step.subject)
            case "mode":
                self._client.set_mode(step.value, step.subject)
            case _:
                found = self._register(step)
                self._new[step.subject] = found.version
                return f"version {found.version} with id {found.id}"
        return "done"

    def _register(self, step: Step) -> RegisteredSchema:
        needs = [
            Reference(one.name, one.subject, self._new[one.subject] if one.version is None else one.version)
            for one in step.references
        ]
        found = self._client.register(step.subject, step.text, references=needs)
        if step.latest and found.version != step.latest + 1:
            raise PlanOutdated(
                f"{step.subject} got version {found.version}, and not {step.latest + 1} as the plan has it: "
                "somebody else wrote to it meanwhile. Look at it, and make the plan anew"
            )
        return found
