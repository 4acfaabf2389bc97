"""A run of stages as a module of its own, under the parameter names of the whole network."""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn

from transferlab.backbones.stages import Step


class Segment(nn.Module):
    """Stages one after the other, then pooling: boundary activation in, features (N, D) out.

    The keys of its ``state_dict`` are those of the whole network, so that what was trained can be
    written back.

    Examples
    --------
    >>> segment = Segment([("last", [("features.3", nn.Linear(4, 2))])], [])
    >>> list(segment.state_dict()), list(segment.modules_by_stage())
    (['features.3.weight', 'features.3.bias'], ['last'])
    """

    def __init__(self, stages: Iterable[tuple[str, Iterable[Step]]], pool: Iterable[Step]):
        super().__init__()
        self._paths: dict[str, list[str]] = {}
        for name, steps in [*stages, ("", pool)]:
            self._paths[name] = []
            for path, module in steps:
                self._attach(path, module)
                self._paths[name].append(path)

    def _attach(self, path: str, module: nn.Module) -> None:
        *parents, name = path.split(".")
        place = self
        for parent in parents:
            if not hasattr(place, parent):
                place.add_module(parent, nn.Module())
            place = getattr(place, parent)
        place.add_module(name, module)

    def forward(self, x):
        """Activation at the first stage's input boundary to features (N, D)."""
        for paths in self._paths.values():
            for path in paths:
                x = self.get_submodule(path)(x)
        return x

    def modules_by_stage(self) -> dict[str, list[nn.Module]]:
        """The modules of each stage, in order; for rates or freezing by stage."""
        return {name: [self.get_submodule(p) for p in paths] for name, paths in self._paths.items() if name}
