"""Templates become pages; everything that a template prints is escaped."""

from datetime import datetime
from http import HTTPStatus

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from nightlight import __version__
from nightlight.services import Services
from nightlight.web.console import words
from nightlight.web.console.findings import explain
from nightlight.web.console.partner import destination

PAGES = (
    ("/", "Overview"),
    ("/decisions", "Decisions"),
    ("/cases", "Cases"),
    ("/reports", "Reports"),
    ("/record", "Record"),
    ("/lists", "Lists"),
    ("/measure", "Measure"),
)


class Renderer:
    """Draws pages and their parts."""

    def __init__(self, services: Services) -> None:
        """Compile-on-demand the package's templates, with the words they use."""
        self._clock = services.clock
        self._environment = Environment(
            loader=PackageLoader("nightlight.web.console"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(
            {
                "explain": explain,
                "moment": self._moment,
                "number": words.number,
                "percent": words.percent,
                "plain": words.plain,
                "severity_tone": words.severity_tone,
                "severity_word": words.severity_word,
                "size": words.size,
                "tone": words.tone,
            }
        )
        self._environment.globals.update(
            {
                "destination": destination(services.settings).name.lower(),
                "pages": PAGES,
                "platform_name": services.settings.platform_name,
                "version": __version__,
            }
        )

    def page(self, template: str, shown: dict[str, object], *, here: str = "") -> str:
        """Return a page; ``here`` is the path that the navigation marks."""
        return self._environment.get_template(template).render(here=here, **shown)

    def error_page(self, status: HTTPStatus, said: str, hint: str) -> str:
        """Return a page that says what went wrong and what to do."""
        return self.page("error.html", {"status": status, "said": said, "hint": hint})

    def _moment(self, when: datetime | None) -> Markup:
        """Return a time as its age, with the time in UTC beside it."""
        if when is None:
            return Markup("\N{EN DASH}")
        age = words.ago(when, self._clock.now())
        return Markup('<time datetime="{}" title="{}">{}</time>').format(
            when.isoformat(), words.utc(when), age
        )
