"""Flows: loaded from files, stored as revisions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from core.app.recent import Recent
from core.app.templates import Templates
from core.engine.clock import now
from core.errors import Invalid, NotFound
from core.host.records import RecordStore
from core.host.views import FlowView
from core.loading import FindTemplate, Loaded, Problem, load_flow, task_lines
from core.model.data import evolve
from core.model.flow import Flow
from core.registry import Registry

PARSED = 500
"""Revisions that are kept as they were parsed: one of ten tasks takes about 20 kB."""
LARGEST = 2**63 - 1
"""Number of a revision that a record store can be asked for."""


class FlowService:
    """Implements `core.host.services.Flows`."""

    def __init__(
        self, organization: str, records: Callable[[], RecordStore], registry: Callable[[], Registry], home: Path
    ) -> None:
        self._organization = organization
        self._records = records
        self._registry = registry
        self._templates = Templates(_kept_templates(home, organization))
        self._parsed: Recent[tuple[str, str, int], Flow] = Recent(PARSED)
        self._folders: list[Path] = []
        self._in_folders: dict[tuple[str, str], Flow] | None = None

    def load(self, path: Path) -> tuple[Flow | None, tuple[Problem, ...]]:
        loaded = self._loaded(_text_of(path), str(path), path.parent)
        return loaded.flow, loaded.problems

    def read(self, flow: str | Path) -> Flow:
        if isinstance(flow, str) and "\n" in flow:
            return self._loaded(flow, "<flow>").require()
        return self._loaded(_text_of(Path(flow)), str(flow), Path(flow).parent).require()

    def check(self, source: str) -> tuple[Flow | None, tuple[Problem, ...]]:
        loaded = self._loaded(source, "<flow>")
        return loaded.flow, loaded.problems

    def push(self, source: str, *, local: bool = False) -> FlowView:
        return self.keep(self._loaded(source, "<flow>").require(), local=local)

    def keep(self, flow: Flow, *, local: bool) -> FlowView:
        """Store the flow's text as a revision, and remember it parsed; with the templates it stands on."""
        self._templates.keep()
        view = self._records().save_flow(
            self._organization, flow.namespace, flow.id, flow.source, local=local, at=now()
        )
        self._parsed.put((view.namespace, view.flow_id, view.revision), evolve(flow, revision=view.revision))
        return view

    def get(self, namespace: str, flow_id: str, revision: int | None = None) -> FlowView:
        held = revision is None or abs(revision) <= LARGEST  # a record store can't even be asked for others
        found = self._records().flow(self._organization, namespace, flow_id, revision) if held else None
        if found is None:
            which = f" with revision {revision}" if revision else ""
            raise NotFound(f"there is no flow {namespace}.{flow_id}{which}", hint="`flows list` shows them all")
        return found

    def revisions(self, namespace: str, flow_id: str) -> tuple[FlowView, ...]:
        found = self._records().flow_revisions(self._organization, namespace, flow_id)
        if not found:
            raise NotFound(f"there is no flow {namespace}.{flow_id}", hint="`flows list` shows them all")
        return found

    def parsed(self, namespace: str, flow_id: str, revision: int) -> Flow:
        """A stored revision as a flow. Raises NotFound; InvalidFlow when a plugin it needs is gone."""
        key = (namespace, flow_id, revision)
        flow = self._parsed.get(key)
        if flow is None:
            source = self.get(namespace, flow_id, revision).source
            flow = evolve(self._loaded(source, f"{namespace}.{flow_id}").require(), revision=revision)
            self._parsed.put(key, flow)
        return flow

    def lines(self, namespace: str, flow_id: str, revision: int) -> Mapping[str, int]:
        """Where each task begins in the source of a revision, by the task's id."""
        return task_lines(self.get(namespace, flow_id, revision).source)

    def look_in(self, folder: Path) -> None:
        """Let flows that other flows call be found among the files of a folder, before those of the home."""
        if folder not in self._folders:
            self._folders.append(folder)
        self._in_folders = None

    def find(self, namespace: str, flow_id: str, revision: int | None = None) -> Flow:
        """A flow that another one calls. Raises NotFound, and InvalidFlow for one that can't run any more."""
        if self._in_folders is None:
            self._in_folders = {(flow.namespace, flow.id): flow for flow in self._read_folders()}
        found = self._in_folders.get((namespace, flow_id))
        if found is not None and revision is None:
            return found
        view = self.get(namespace, flow_id, revision)
        return self.parsed(namespace, flow_id, view.revision)

    def _read_folders(self) -> Iterator[Flow]:
        """The flows of the folders, the first of equal names last; files that are no valid flows are left aside."""
        for folder in reversed(self._folders):
            for path in sorted((*folder.glob("*.yaml"), *folder.glob("*.yml")), reverse=True):
                flow = self._loaded(path.read_bytes(), str(path), folder).flow
                if flow is not None:
                    yield flow

    def list(self, namespace: str | None = None) -> tuple[FlowView, ...]:
        return self._records().flows(self._organization, namespace)

    @property
    def folders(self) -> tuple[Path, ...]:
        """Where other flows were looked for."""
        return tuple(self._folders)

    def find_template(self, beside: Path | None) -> FindTemplate:
        """Where the templates of a flow are found (the deprecated `flow.Template`)."""
        return self._templates.finder((*((beside,) if beside else ()), *self._folders))

    def _loaded(self, text: str | bytes, name: str, beside: Path | None = None) -> Loaded:
        return load_flow(text, self._registry(), name, find_template=self.find_template(beside))


def _kept_templates(home: Path, organization: str) -> Path:
    """Where those of an organization are kept; names of namespaces in it, so that none may be that of another one."""
    return home / "templates" if organization == "default" else home / "organizations" / organization / "templates"


def _text_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Invalid(
            f"the flow can't be read: {(error.strerror or str(error)).lower()}", where=str(path),
            expected="a YAML file with a flow",
        ) from error  # fmt: skip
