"""Plan, apply and pull: a registry made to match a tree, and only if it is on the way that the plan saw."""

from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from registry.check.errors import BaselineError, ProjectError
from registry.check.plan.applying import ApplyInterrupted, PlanOutdated, StepRefused, apply
from registry.check.plan.model import Plan, Step
from registry.check.plan.planning import make_plan
from registry.check.plan.pulling import file_name, pull
from registry.check.project import load
from registry.check.sources import Sources
from registry.check.trees import FolderTree
from serde import RegistryClient
from serde.embedded import InProcess
from serde.model import Reference
from serde.testing import registry
from tests.support.corpus import Folder, lsst_folders, ztf_folders
from tests.support.needs import need_corpus
from tests.support.server import RunningRegistry

MONEY = (
    '{"type": "record", "name": "Money", "namespace": "shop", "fields": [{"name": "cents", "type": "long"}]}'
)
LINE = (
    '{"type": "record", "name": "Line", "namespace": "shop", "fields": [{"name": "price", "type": "Money"}]}'
)
ORDER = """{"type": "record", "name": "Order", "namespace": "shop", "fields": [
  {"name": "lines", "type": {"type": "array", "items": "Line"}}, {"name": "total", "type": "Money"}
]}"""
WITH_NOTE = ORDER.replace('"Money"}\n', '"Money"}, {"name": "note", "type": "string", "default": ""}\n')


def tree(folder: Path, files: dict[str, str], config: str = "") -> Sources:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_text(content)
    (folder / "fivebyte.toml").write_text(config)
    return Sources.read(FolderTree(folder), load(folder / "fivebyte.toml", folder))


def planned(client: RegistryClient, sources: Sources) -> Plan:
    return make_plan(client, sources, name="http://registry.test")


def shown(plan: Plan) -> list[str]:
    return [str(step) for step in plan.steps]


SHOP = {"a_order.avsc": ORDER, "line.avsc": LINE, "money.avsc": MONEY}


BOTH = "(uses shop.Line as registered here, shop.Money as registered here)"


def test_what_is_needed_is_registered_first_and_then_nothing_is_to_do(tmp_path: Path) -> None:
    with registry() as client:
        sources = tree(tmp_path, SHOP)
        plan = planned(client, sources)
        assert shown(plan) == [
            "register shop.Money the first version",
            "register shop.Line the first version (uses shop.Money as registered here)",
            f"register shop.Order the first version {BOTH}",
        ]
        told: list[str] = []
        assert apply(client, plan, lambda _, said: told.append(said)) == 3
        assert told == ["version 1 with id 1", "version 1 with id 2", "version 1 with id 3"]
        assert client.schema("shop.Order").references == (
            Reference("shop.Line", "shop.Line", 1),
            Reference("shop.Money", "shop.Money", 1),
        )
        assert planned(client, sources).steps == ()
        assert apply(client, plan) == 0


def test_a_new_version_takes_those_along_that_refer_to_it(tmp_path: Path) -> None:
    with registry() as client:
        apply(client, planned(client, tree(tmp_path, SHOP)))
        grown = MONEY.replace("]}", ', {"name": "currency", "type": "string", "default": "EUR"}]}')
        sources = tree(tmp_path, {"money.avsc": grown})
        plan = planned(client, sources)
        assert shown(plan) == [
            "register shop.Money version 2",
            "register shop.Line version 2 (uses shop.Money as registered here)",
            f"register shop.Order version 2 {BOTH}",
        ]
        apply(client, plan)
        assert planned(client, sources).steps == ()
        assert client.schema("shop.Order").references == (
            Reference("shop.Line", "shop.Line", 2),
            Reference("shop.Money", "shop.Money", 2),
        )


def test_levels_come_before_schemas_and_closing_modes_after(tmp_path: Path) -> None:
    config = (
        'level = "FULL"\n[[schemas]]\nfiles = "*.avsc"\nsubject = "{stem}-value"\n'
        '[[override]]\nfiles = "money.avsc"\nmode = "READONLY"\nlevel = "NONE"\n'
    )
    with registry() as client:
        sources = tree(tmp_path, {"money.avsc": MONEY, "line.avsc": LINE}, config)
        plan = planned(client, sources)
        assert shown(plan) == [
            "level    money-value NONE",
            "level    line-value FULL",
            "register money-value the first version",
            "register line-value the first version (uses money-value as registered here)",
            "mode     money-value READONLY",
        ]
        apply(client, plan)
        assert client.config("money-value").compatibility == "NONE"
        assert client.mode("money-value") == "READONLY"
        assert planned(client, sources).steps == ()
        client.set_config("BACKWARD", "line-value")
        assert shown(planned(client, sources)) == ["level    line-value FULL (now BACKWARD)"]


def test_a_version_that_is_there_already_is_not_registered_again(tmp_path: Path) -> None:
    with registry() as client:
        client.register("shop.Money", MONEY)
        client.register("shop.Money", MONEY.replace("]}", ', {"name": "x", "type": "int", "default": 0}]}'))
        plan = planned(client, tree(tmp_path, {"money.avsc": MONEY}))
        assert plan.steps == ()
        assert plan.notes[0].startswith("money.avsc is version 1 of shop.Money, and the newest is 2")


def test_a_plan_is_kept_in_a_file_and_told_from_one_that_was_changed(tmp_path: Path) -> None:
    with registry() as client:
        plan = planned(client, tree(tmp_path, SHOP))
        text = plan.dump()
        assert Plan.load(text, "plan.json") == plan
        with pytest.raises(ProjectError, match="changed after it was made"):
            Plan.load(text.replace("cents", "cent"), "plan.json")
        for wrong in ("", "{}", "[]", "3", '{"fivebyte_plan": 1}'):
            with pytest.raises(ProjectError, match=r"plan\.json is no plan"):
                Plan.load(wrong, "plan.json")
        with pytest.raises(ProjectError, match="another release"):
            Plan.load(text.replace('"fivebyte_plan": 1', '"fivebyte_plan": 2'), "plan.json")
        apply(client, Plan.load(text, "plan.json"))
        assert len(client.subjects()) == 3


def _register(client: RegistryClient) -> None:
    client.register("shop.Order", '{"type": "record", "name": "Order", "namespace": "shop", "fields": []}')


@pytest.mark.parametrize(
    ("meanwhile", "message"),
    [
        (_register, r"shop\.Order is not as the plan saw it: its versions are 1 \(id 1\), and were none"),
        (lambda client: client.set_config("FULL", "shop.Order"), "its level is FULL, and was None"),
        (lambda client: client.set_mode("READONLY", "shop.Order"), "its mode is READONLY, and was None"),
    ],
)
def test_what_the_plan_did_not_see_stops_it_before_anything_is_done(
    tmp_path: Path, meanwhile: Callable[[RegistryClient], object], message: str
) -> None:
    with registry() as client:
        config = '[[override]]\nfiles = "a_order.avsc"\nlevel = "NONE"\nmode = "READWRITE"\n'
        plan = planned(client, tree(tmp_path, SHOP, config))
        meanwhile(client)
        before = client.subjects()
        with pytest.raises(PlanOutdated, match=message):
            apply(client, plan)
        assert client.subjects() == before


def test_another_writer_in_the_middle_stops_it(tmp_path: Path) -> None:
    with registry() as client:
        apply(client, planned(client, tree(tmp_path, SHOP)))
        grown = MONEY.replace("]}", ', {"name": "currency", "type": "string", "default": "EUR"}]}')
        plan = planned(client, tree(tmp_path, {"money.avsc": grown}))
        others = LINE.replace("]}", ', {"name": "sku", "type": "string", "default": ""}]}')
        needs = [Reference("shop.Money", "shop.Money", 1)]

        def meddle(step: Step, _: str) -> None:
            if step.subject == "shop.Money":
                client.register("shop.Line", others, references=needs)

        with pytest.raises(PlanOutdated, match=r"shop\.Line got version 3, and not 2 as the plan has it"):
            apply(client, plan, meddle)
        with pytest.raises(PlanOutdated, match=r"shop\.Line is not as the plan saw it"):
            apply(client, plan)
        assert client.versions("shop.Order") == [1]


def test_a_refusal_says_where_it_stopped_and_what_was_done_stays(tmp_path: Path) -> None:
    with registry() as client:
        apply(client, planned(client, tree(tmp_path, SHOP)))
        breaking = LINE.replace("]}", ', {"name": "sku", "type": "string"}]}')
        grown = MONEY.replace("]}", ', {"name": "currency", "type": "string", "default": "EUR"}]}')
        sources = tree(tmp_path, {"line.avsc": breaking, "money.avsc": grown})
        plan = planned(client, sources)
        with pytest.raises(StepRefused, match=r"step 2 of 3 was refused \(register shop\.Line version 2"):
            apply(client, plan)
        assert client.versions("shop.Money") == [1, 2]
        (tmp_path / "line.avsc").write_text(LINE)
        apply(client, planned(client, tree(tmp_path, {})))
        assert client.versions("shop.Order") == [1, 2]


def test_a_registry_that_does_not_answer_is_told(tmp_path: Path) -> None:
    with (
        RegistryClient("http://127.0.0.1:9", retries=0) as client,
        pytest.raises(BaselineError, match="cannot be read"),
    ):
        planned(client, tree(tmp_path, SHOP))


def test_a_killed_registry_is_gone_on_with(tmp_path: Path) -> None:
    server = RunningRegistry("sqlite:///schemas.db", tmp_path, {})
    server.start()
    try:
        with RegistryClient(server.url, retries=0) as client:
            sources = tree(tmp_path / "schemas", SHOP)
            plan = planned(client, sources)

            def kill(step: Step, _: str) -> None:
                if step.subject == "shop.Line":
                    server.kill()

            with pytest.raises(ApplyInterrupted, match=r"stopped before step 3 of 3 .* Apply the plan again"):
                apply(client, plan, kill)
        server.start()
        with RegistryClient(server.url) as client:
            told: list[str] = []
            assert apply(client, plan, lambda _, said: told.append(said)) == 1
            assert told == ["done before", "done before", "version 1 with id 3"]
            assert planned(client, sources).steps == ()
    finally:
        server.kill()


def write_version(folder: Path, version: Folder) -> None:
    for old in folder.glob("*.avsc"):
        old.unlink()
    for number, text in enumerate(version.texts.values()):
        (folder / f"{number}.avsc").write_text(text)


@pytest.mark.parametrize(
    ("folders", "subject", "least"), [(lsst_folders, "lsst.{record}", 60), (ztf_folders, "{full_name}", 10)]
)
def test_the_corpus_version_after_version_and_then_nothing_to_do(
    tmp_path: Path, folders: Callable[[], list[Folder]], subject: str, least: int
) -> None:
    config = f'level = "NONE"\nsubject = "{subject}"\n'
    with registry() as client:
        for version in folders():
            write_version(tmp_path, version)
            sources = tree(tmp_path, {}, config)
            assert sources.faults == []
            apply(client, Plan.load(planned(client, sources).dump(), "plan.json"))
            again = planned(client, sources)
            assert again.steps == ()
            assert again.notes == ()
        assert sum(len(client.versions(name)) for name in client.subjects()) >= least


def test_a_whole_corpus_at_once(tmp_path: Path) -> None:
    files = {f"{file.stem}.avsc": file.read_text() for file in (need_corpus() / "datagen").glob("*.avro")}
    with registry() as client:
        sources = tree(tmp_path, files, 'subject = "{stem}-value"\n')
        assert apply(client, planned(client, sources)) == len(files) > 30
        assert planned(client, sources).steps == ()


def test_what_is_pulled_is_what_is_there(tmp_path: Path) -> None:
    with registry() as client:
        sources = tree(tmp_path / "old", SHOP, 'subject = "{record}/{stem}"\n')
        apply(client, planned(client, sources))
        folder = tmp_path / "new"
        done = pull(client, folder)
        names = ["Line%2Fline.avsc", "Money%2Fmoney.avsc", "Order%2Fa_order.avsc"]
        assert [path.name for path in done.written] == names
        assert (folder / "Money%2Fmoney.avsc").read_text().startswith('{\n  "type": "record",')
        assert pull(client, folder).unchanged == done.written


def test_pulled_files_plan_to_nothing(tmp_path: Path) -> None:
    with registry() as client:
        apply(client, planned(client, tree(tmp_path / "old", SHOP, 'subject = "{record}-value"\n')))
        pull(client, tmp_path / "new", ["Order-value"])
        assert planned(client, tree(tmp_path / "new", {}, 'subject = "{stem}"\n')).steps == ()


def test_pulling_overwrites_nothing_unless_told(tmp_path: Path) -> None:
    with registry() as client:
        client.register("money", MONEY)
        (tmp_path / "money.avsc").write_text("mine")
        with pytest.raises(ProjectError, match="holds something else; --force"):
            pull(client, tmp_path)
        assert (tmp_path / "money.avsc").read_text() == "mine"
        assert [path.name for path in pull(client, tmp_path, force=True).written] == ["money.avsc"]
        with pytest.raises(BaselineError, match="none cannot be pulled"):
            pull(client, tmp_path, ["none"])


def test_an_older_version_that_is_referred_to_is_told(tmp_path: Path) -> None:
    with registry() as client:
        client.register("money", MONEY)
        client.register("line", LINE, references=[Reference("shop.Money", "money", 1)])
        client.register("money", MONEY.replace("]}", ', {"name": "x", "type": "int", "default": 0}]}'))
        done = pull(client, tmp_path, ["line"])
        assert done.notes == [
            "line refers to version 1 of money, and the newest is 2: the file holds the newest"
        ]
        assert [path.name for path in done.written] == ["line.avsc", "money.avsc"]


def test_a_subject_has_a_file_name() -> None:
    assert file_name("orders-value") == "orders-value.avsc"
    assert file_name(":.eu:a/b") == "%3A.eu%3Aa%2Fb.avsc"


def test_a_context_is_a_registry_of_its_own(tmp_path: Path) -> None:
    real = InProcess()
    transport = httpx2.WSGITransport(real.app)
    with (
        RegistryClient("http://registry.test", transport=transport, context=".eu") as client,
        RegistryClient("http://registry.test", transport=transport) as outside,
    ):
        sources = tree(tmp_path / "shop", SHOP)
        plan = make_plan(client, sources, name="eu", context=".eu")
        assert apply(client, plan, context=".eu") == 3
        assert make_plan(client, sources, name="eu", context=".eu").steps == ()
        assert apply(client, plan, context=".eu") == 0
        assert outside.versions(":.eu:shop.Order") == [1]
        assert make_plan(outside, sources, name="outside").steps != ()
        # the same from outside, with the context in the subjects
        named = tree(tmp_path / "shop", {}, 'subject = ":.eu:{full_name}"\n')
        assert make_plan(outside, named, name="outside").steps == ()
        done = pull(client, tmp_path / "pulled", ["shop.Order"], context=".eu")
        assert [path.name for path in done.written] == [
            "shop.Line.avsc",
            "shop.Money.avsc",
            "shop.Order.avsc",
        ]
