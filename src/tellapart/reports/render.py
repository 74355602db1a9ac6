"""Views → HTML.

Everything a template needs beyond the view itself is arranged here as plain values, so that
the templates only lay out. Autoescaping is on for every template, undefined names are errors,
and every string that reaches a page passes ``text.safe`` first.
"""

from __future__ import annotations

import re
import shlex
from functools import cache
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from tellapart.core import text
from tellapart.diagnosis import QUOTED, weakest
from tellapart.reports import charts, confusion, network_sections, sections
from tellapart.reports.thumbnails import Budget
from tellapart.reports.views import CheckView, RunView

if TYPE_CHECKING:
    from jinja2 import Environment

PICTURES = 1_600_000  # characters of data URIs on one page

NO_BREAK = "\u00a0"
# Names, commands and markup are matched first, so that they stay as they are.
_UNITS = re.compile(
    r"<(style|script|pre|code|bdi)\b.*?</\1>|<[^>]*>"
    r"|(?<=\d) (?=%|(?:s|min|h|ms|B|kB|MB|GB|TB|MiB|points?)\b)",
    re.DOTALL,
)


def render_run(view: RunView) -> str:
    """The report of a training run, as one HTML page.

    Raises:
        KeyError: ``run`` or ``metrics`` lacks a member that DESIGN.md promises.
        ValueError: A picture is neither pixels nor a data URI of a picture.
    """
    held_out = view.metrics["held_out"]
    classes = [str(name) for name in view.metrics["classes"]]
    matrix = confusion.as_matrix(held_out["confusion"])
    low, high = held_out["accuracy_ci95"]
    bins = [one for one in held_out.get("reliability", ()) if one.get("n")]
    budget = Budget(PICTURES)
    gallery = sections.gallery(view.gallery, budget)
    learning = view.learning
    net = None if learning is None else network_sections.learned(learning, view.metrics, budget)
    verdict = view.metrics["verdict"]
    verdict_title = str(verdict["code"]).replace("_", " ").capitalize()
    return environment().get_template("run.html.j2").render(
        title=str(view.run.get("name", "run")),
        version=view.version,
        view=view,
        run=view.run,
        data=sections.mapping(view.run, "data"),
        held_out=held_out,
        as_given=sections.as_given(view.metrics),
        train=view.metrics.get("train", {}),
        verdict=verdict,
        verdict_title=verdict_title,
        verdict_sentence=sections.without(verdict_title, str(verdict["sentence"])),
        next_steps=list(view.next_steps or verdict.get("next", ())),
        weakest=weakest(held_out),
        headline=text.percent(held_out["accuracy"]).removesuffix(" %"),
        strip=charts.interval_strip(
            held_out["accuracy"],
            low,
            high,
            held_out["majority_accuracy"],
        ),
        measured=sections.measured(view),
        net=net,
        candidates=network_sections.candidates(view.candidates) if view.candidates else None,
        findings=sections.findings(view.findings, view.examples, budget),
        levels=sections.levels(view.findings),
        mistakes=[one for one in gallery if one["item"].wrong],
        unsure=[one for one in gallery if not one["item"].wrong],
        wrong=round(float(matrix.sum() - matrix.trace()), 2),
        classes=classes,
        matrix=sections.matrix(matrix, classes),
        confused=confusion.most_confused(matrix, classes),
        per_class=sections.per_class(held_out["per_class"], matrix, classes),
        bins=bins,
        reliability=charts.reliability(bins, view.confidences) if bins else "",
        counts=sections.counts(view.counts),
        left_out=view.left_out[:sections.LEFT_OUT],
        left_out_reasons=sections.reasons(view.left_out),
        left_out_more=max(len(view.left_out) - sections.LEFT_OUT, 0),
        probe=view.run.get("probe") or {},
        stages=sections.stages(view.timings),
        total_seconds=sections.mapping(view.timings, "seconds").get("total"),
        peak_memory=view.timings.get("peak_memory_mb"),
        reproduce=sections.reproduce(view),
        policy=sections.mapping(view.run, "decode").get("policy", ()),
    )  # fmt: skip


def render_check(view: CheckView) -> str:
    """The audit of a data folder, as one HTML page.

    Raises:
        ValueError: A picture is neither pixels nor a data URI of a picture.
    """
    budget = Budget(PICTURES)
    return environment().get_template("check.html.j2").render(
        title=view.name,
        version=view.version,
        view=view,
        findings=sections.findings(view.findings, view.examples, budget),
        levels=sections.levels(view.findings),
        counts=sections.counts(view.counts),
        histograms=[sections.histogram(one) for one in view.distributions],
        quoted=shlex.quote(text.clean(view.data)),
        file=PurePath(view.corrections).name,
        quoted_file=shlex.quote(text.clean(view.corrections or "corrections.csv")),
        example=sections.corrections(view),
    )  # fmt: skip


def keep_units(html: str) -> str:
    """A page on which no line breaks between a number and its unit.

    Example:
        >>> keep_units("<p>98.7 % in 2 min 5 s</p>").count(NO_BREAK)
        3
    """
    return _UNITS.sub(lambda match: NO_BREAK if match[0] == " " else match[0], html)


@cache
def environment(package: str = "tellapart.reports", folder: str = "templates") -> Environment:
    """The templates of a package, compiled once a process; Jinja is imported only here.

    Args:
        package: The package.
        folder: Where they lie in it.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined, Template
    from markupsafe import Markup, escape

    class Page(Template):
        def render(self, *args: Any, **values: Any) -> str:
            rendered = super().render(*args, **values)
            return keep_units(rendered) if (self.name or "").endswith(".html.j2") else rendered

    def name(value: object, length: int = 48) -> Markup:
        """A class or file name: apart from the direction of the text around it."""
        whole, short = text.clean(str(value)), text.shorten(str(value), length)
        if whole == short:
            return Markup("<bdi>{}</bdi>").format(short)
        return Markup('<bdi title="{}">{}</bdi>').format(whole, short)

    def whole(value: object) -> Markup:
        """A name at its full length."""
        return Markup("<bdi>{}</bdi>").format(text.clean(str(value)))

    def commands(step: str) -> Markup:
        """A step of a verdict, its commands set as code."""
        parts = QUOTED.split(text.safe(step))  # every second one is a command
        return Markup("").join(
            Markup("<code>{}</code>").format(part) if place % 2 else escape(part)
            for place, part in enumerate(parts)
        )

    def finalize(value: object) -> object:
        return text.safe(value) if type(value) is str else value

    environment = Environment(
        loader=PackageLoader(package, folder),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.template_class = Page
    environment.filters |= {
        "name": name,
        "whole": whole,
        "clean": text.clean,
        "percent": text.percent,
        "certainty": text.certainty,
        "count": text.count,
        "number": text.number,
        "seconds": text.seconds,
        "size": text.size,
        "moment": text.moment,
        "commands": commands,
    }
    environment.globals |= {
        "interval": text.interval,
        "counted": text.counted,
        "regularization_chart": charts.regularization_curve,
    }
    return environment
