"""A tracker that remembers what a method saves."""

from typing import TypeVar

from unlearn_core.domain.results.method_artifacts import Artifact
from unlearn_core.domain.tracker import NullTracker

A = TypeVar("A", bound=Artifact)


class ArtifactRecorder(NullTracker):
    """Remembers the artifacts that a method saves: `recorder[SaliencyMask]`."""

    def __init__(self) -> None:
        self.saved: dict[type[Artifact], Artifact] = {}

    def save_artifact(self, artifact: Artifact) -> None:
        self.saved[type(artifact)] = artifact

    def __getitem__(self, kind: type[A]) -> A:
        found = self.saved[kind]
        assert isinstance(found, kind)
        return found
