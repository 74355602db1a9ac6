"""The architectures of networks: a few numbers each, and the layers that follow from them.

Who does what: a :class:`Spec` holds every choice about a network, and can be stored as JSON;
:mod:`.layer_tables` lists its layers; :mod:`tellapart.networks.loop.initial_weights` draws their
weights; :mod:`tellapart.networks.loop.keras_model` builds them with Keras, and
:func:`tellapart.graph.to_onnx` writes them to a file.

Sources: ``cnn`` is the classic lesson (LeCun et al., 1998: an unpadded convolution and a maximum, a
few times, then dense layers); ``resnet`` follows He et al., *Deep residual learning* (2015), but
small enough for a processor to train in minutes; ``finetune`` is EfficientNet-Lite0
(:mod:`tellapart.transfer.backbones.efficientnet_lite`).

Example:
    >>> spec = default("cnn", size=150, gray=False, classes=2)
    >>> spec.filters, spec.units
    ((16, 32, 64), (512,))
    >>> Spec.model_validate_json(spec.model_dump_json()) == spec
    True
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Annotated, Any, Literal, NamedTuple, get_args

from pydantic import Field, model_validator

from tellapart.core.config import Settings, settings
from tellapart.core.errors import SettingsError
from tellapart.graph import Graph, Layer
from tellapart.graph.layers import (
    Add,
    Conv,
    Dense,
    Flatten,
    GlobalAveragePool,
    Luma,
    MaxPool,
    Scale,
    Softmax,
    needed_for,
    shapes,
    weight_shapes,
)
from tellapart.networks.spec import layer_tables
from tellapart.networks.spec.layer_tables import FEATURE_MAP
from tellapart.transfer import backbones

Kind = Literal["linear", "dnn", "cnn", "resnet", "finetune"]
KINDS: tuple[Kind, ...] = get_args(Kind)

LOGITS, PROBABILITIES, LOGIT_MAP = "logits", "probabilities", "logit_map"
SMALL = 40
"""Up to this side in pixels, a network gets the defaults for pictures like MNIST's."""

_Count = Annotated[int, Field(ge=1, le=16384)]
_Repeats = Annotated[int, Field(ge=0, le=64)]


class LayerRow(NamedTuple):
    """A row of the report's table of layers."""

    name: str
    kind: str
    shape: str
    parameters: int


class Spec(Settings):
    """Every choice about a network. A field that is left out gets the default of its kind.

    Attributes:
        kind: One of :data:`KINDS`.
        size: Side of the pictures in pixels.
        gray: Whether it takes luma only.
        classes: How many classes to tell apart.
        units: Of each hidden dense layer; ``dnn`` (512, 512), ``cnn`` (512,), others none.
        filters: ``cnn``: of each convolution, (16, 32, 64), or (32, 64) for small pictures.
            ``resnet``: the width of the stem and then of each stage, (32, 64, 128, 256), or
            (32, 64, 128) for small pictures.
        blocks: ``resnet``: residual blocks in each stage, (0, 1, 1), or (1, 1) for small pictures.
        dropout: Share of the inputs of dense layers that training drops, at least 0 and
            below 1; pixels are never dropped, so ``linear`` has none.

    Raises:
        SettingsError: With code ``too_small`` if the pictures are too small; :func:`default`
            raises it for any other value that has no meaning.
    """

    kind: Kind
    size: int = Field(ge=1, le=1024)
    gray: bool
    classes: int = Field(ge=2)
    units: tuple[_Count, ...] = ()
    filters: tuple[_Count, ...] = ()
    blocks: tuple[_Repeats, ...] = ()
    dropout: float = Field(default=0.0, ge=0, lt=1)

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, given: Any) -> Any:
        if not isinstance(given, dict) or given.get("kind") not in KINDS:
            return given
        defaults = _defaults(given["kind"], given.get("size"))
        # JSON has no tuples, and pydantic takes what this returns for Python values.
        chosen = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in given.items()
            if value is not None
        }
        if chosen.get("filters") and "blocks" not in chosen and defaults["blocks"]:
            # One stage for each width but the first, which is the stem's.
            repeats = [*defaults["blocks"], *[1] * len(chosen["filters"])]
            defaults["blocks"] = tuple(repeats[: max(len(chosen["filters"]) - 1, 0)])
        return {**defaults, **chosen}

    @model_validator(mode="after")
    def _fits(self) -> Spec:
        for name in ("units", "filters", "blocks"):
            wanted, found = _defaults(self.kind, self.size)[name], getattr(self, name)
            if found and not wanted:
                raise SettingsError(
                    f"--{name} is {_numbers(found)}, but {self.kind!r} has no {name} to choose.",
                    remedy=f"Omit --{name}, or choose another --model.",
                )
            if wanted and not found and name != "blocks":
                raise SettingsError(f"--{name} is empty.", remedy=f"Try {_numbers(wanted)}.")
        if self.kind == "linear" and self.dropout:
            raise SettingsError(
                f"--dropout is {self.dropout:g}, but 'linear' has no layer that drops.",
                remedy="Omit --dropout, or choose another --model.",
            )
        if self.kind == "resnet" and not 0 < len(self.blocks) == len(self.filters) - 1:
            raise SettingsError(
                f"--filters {_numbers(self.filters)} and --blocks {_numbers(self.blocks)} do not "
                "match.",
                remedy="Give one width for the stem, then one for each stage (at least one), and "
                "one number of blocks for each stage.",
            )
        least = self.least_size()
        if self.size < least:
            raise SettingsError(
                f"Pictures of {self.size} x {self.size} pixels are too small for this "
                f"{self.kind!r} network.",
                remedy=f"The smallest --size is {least}"
                + (f" with --filters {_numbers(self.filters)}." if self.filters else "."),
                code="too_small",
            )
        return self

    def least_size(self) -> int:
        """The smallest side in pixels that this network can take."""
        match self.kind:
            case "cnn":
                side = 1
                for _ in self.filters:
                    side = 2 * side + 2  # undo the maximum, then the unpadded convolution
                return side
            case "resnet":
                halved = 1 << len(self.blocks)  # by the stages, and above SMALL by the stem
                return halved if halved <= SMALL else 2 * halved
            case "finetune":
                return backbones.SIZES[0]
            case _:
                return 1

    def graph(self) -> Graph:
        """The table of layers, with the outputs ``probabilities`` and, with a map, ``logit_map``.

        Training uses the layer ``logits``. ``logit_map`` holds the logits of each place of the last
        map; their mean is exactly ``logits``.
        """
        layers: list[Layer] = [Luma("luma")] if self.gray else []
        layers += _body(self)
        outputs: tuple[str, ...] = (PROBABILITIES,)
        layers.append(Dense(LOGITS, units=self.classes, dropout=self.dropout))
        layers.append(Softmax(PROBABILITIES))
        if self.kind in ("resnet", "finetune"):
            layers.append(Conv(LOGIT_MAP, filters=self.classes, inputs=(FEATURE_MAP,)))
            outputs += (LOGIT_MAP,)
        return Graph((self.size, self.size), tuple(layers), outputs)

    def layers(self) -> list[LayerRow]:
        """Each layer up to ``logits``: name, kind, output shape, parameters."""
        graph = self.graph()
        known, weights = shapes(graph), weight_shapes(graph)
        rows = []
        for layer, _ in needed_for(graph, LOGITS):
            names = (f"{layer.name}/kernel", f"{layer.name}/bias")
            count = sum(prod(weights[name]) for name in names if name in weights)
            if isinstance(layer, Conv) and layer.norm:
                count += layer.filters  # normalization has a scale and an offset for one bias
            text = " × ".join(str(side) for side in known[layer.name])
            rows.append(LayerRow(layer.name, _title(layer), text, count))
        return rows

    def parameters(self) -> int:
        """Trainable parameters, including those of normalization."""
        return sum(row.parameters for row in self.layers())


def default(kind: Kind, *, size: int, gray: bool, classes: int, **choices: Any) -> Spec:
    """A network from the user's choices.

    Args:
        kind: One of :data:`KINDS`.
        size: Side of the pictures in pixels.
        gray: Whether it takes luma only.
        classes: How many classes to tell apart.
        choices: ``units``, ``filters``, ``blocks`` or ``dropout``; None means the default.

    Raises:
        SettingsError: With every value that has no meaning; code ``too_small`` if it is the size.
    """
    return settings(Spec, {"kind": kind, "size": size, "gray": gray, "classes": classes, **choices})


_DEFAULTS: Mapping[Kind, Mapping[str, Any]] = {
    "linear": {},
    "dnn": {"units": (512, 512), "dropout": 0.2},
    "cnn": {"units": (512,), "filters": (16, 32, 64)},
    "resnet": {"filters": (32, 64, 128, 256), "blocks": (0, 1, 1)},
    "finetune": {"dropout": 0.2},
}
_SMALL_DEFAULTS: Mapping[Kind, Mapping[str, Any]] = {
    "cnn": {"filters": (32, 64)},
    "resnet": {"filters": (32, 64, 128), "blocks": (1, 1)},
}
"""For small pictures, which are halved less often, so that a map remains."""


def _defaults(kind: Kind, size: Any) -> dict[str, Any]:
    small = _SMALL_DEFAULTS.get(kind, {}) if isinstance(size, int) and size <= SMALL else {}
    return {"units": (), "filters": (), "blocks": (), **_DEFAULTS[kind], **small}


def _body(spec: Spec) -> list[Layer]:
    match spec.kind:
        case "linear":
            return layer_tables.linear()
        case "dnn":
            return layer_tables.dnn(spec.units, spec.dropout)
        case "cnn":
            return layer_tables.cnn(spec.filters, spec.units, spec.dropout)
        case "resnet":
            return layer_tables.resnet(spec.filters, spec.blocks, halve=spec.size > SMALL)
        case "finetune":
            return layer_tables.finetune(spec.size)


def _title(layer: Layer) -> str:
    match layer:
        case Conv():
            deep = "depthwise convolution" if layer.groups > 1 else "convolution"
            step = f", step {layer.stride}" if layer.stride > 1 else ""
            norm = ", normalized" if layer.norm else ""
            return f"{deep} {layer.kernel} × {layer.kernel}{step}{norm}{_after(layer.activation)}"
        case Dense():
            drop = f", dropout {layer.dropout:g}" if layer.dropout else ""
            return f"dense{_after(layer.activation)}{drop}"
        case Add():
            return f"sum{_after(layer.activation)}"
        case MaxPool():
            return f"maximum of {layer.size} × {layer.size}"
        case _:
            return _TITLES[type(layer)]


_TITLES: Mapping[type[Layer], str] = {
    Luma: "color to gray",
    Scale: "scaling",
    Flatten: "as one row",
    GlobalAveragePool: "mean over the map",
}


def _after(activation: str | None) -> str:
    return f", {activation}" if activation else ""


def _numbers(values: Sequence[int]) -> str:
    return ",".join(str(value) for value in values)
