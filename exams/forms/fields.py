"""The fields of the bank: HTML, images, answers and zones as they are typed. What is wrong is said with its line."""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext

from exams.models import Media
from exams.rules.bank import TEXT_TAGS, html_faults
from exams.rules.content import Circle, MediaRef, Point, Polygon, Zone

_NUMBER = re.compile(r"\d{1,3}(?:[.,]\d{1,3})?")


class HTMLField(forms.CharField):
    """A text in the little HTML of the bank; what is outside the allow-list is refused, with its line."""

    widget = forms.Textarea(attrs={"class": "vLargeTextField", "rows": 8})

    def __init__(self, *, tags: frozenset[str] = TEXT_TAGS, **kwargs: Any) -> None:
        """Take the tags that may be used."""
        super().__init__(**kwargs)
        self.tags = tags

    def clean(self, value: Any) -> Any:
        """Return the text with plain line ends."""
        text = super().clean(value).replace("\r\n", "\n")
        if faults := html_faults(text, self.tags):
            raise forms.ValidationError(faults)
        return text


class LinesField(forms.CharField):
    """Several things, one a line; empty lines do not count."""

    widget = forms.Textarea(attrs={"class": "vLargeTextField", "rows": 4})

    def prepare_value(self, value: Any) -> Any:
        """Show what is stored as lines."""
        return "\n".join(map(self.written, value)) if isinstance(value, tuple) else value

    def clean(self, value: Any) -> Any:
        """Return what each line says."""
        lines = [line.strip() for line in super().clean(value).splitlines() if line.strip()]
        return tuple(self.read(line, number) for number, line in enumerate(lines, start=1))

    def written(self, value: Any) -> str:
        """One value as a line."""
        return str(value)

    def read(self, line: str, _number: int) -> Any:
        """One line as a value.

        Raises:
            ValidationError: it says nothing that can be read.
        """
        return line


class ImagesField(LinesField):
    """The images of a question, one a line: name, a bar, what it shows in words."""

    widget = forms.Textarea(attrs={"class": "vLargeTextField", "rows": 2})

    def written(self, value: Any) -> str:
        """One image as a line."""
        return f"{value.file} | {value.alt}"

    def read(self, line: str, _number: int) -> Any:
        """One image, in the bank and described."""
        file, _bar, alt = line.partition("|")
        image = MediaRef(file.strip(), alt.strip())
        if not Media.objects.filter(name=image.file).exists():
            raise forms.ValidationError(gettext("L’image %(name)s n’est pas dans la banque.") % {"name": image.file})
        if not image.alt:
            raise forms.ValidationError(gettext("L’image %(name)s n’est pas décrite.") % {"name": image.file})
        return image


class ZonesField(LinesField):
    """The zones of an image, one a line, in per cent: `cercle x y rayon` or `polygone x y x y x y…`."""

    def written(self, value: Any) -> str:
        """One zone as a line."""
        if isinstance(value, Circle):
            return f"cercle {value.centre.x} {value.centre.y} {value.radius}"
        return " ".join(["polygone", *(f"{corner.x} {corner.y}" for corner in value.corners)])

    def read(self, line: str, number: int) -> Zone:
        """One zone."""
        shape, *words = line.split()
        numbers = [Decimal(word.replace(",", ".")) for word in words if _NUMBER.fullmatch(word)]
        if len(numbers) == len(words):
            if shape == "cercle" and len(numbers) == 3:  # noqa: PLR2004 -- x, y and the radius
                return Circle(Point(numbers[0], numbers[1]), numbers[2])
            if shape == "polygone" and len(numbers) >= 6 and len(numbers) % 2 == 0:  # noqa: PLR2004 -- three corners
                return Polygon(tuple(_corners(numbers)))
        raise forms.ValidationError(
            gettext("Ligne %(number)s\u00a0: « %(line)s » n’est ni « cercle x y rayon » ni « polygone x y x y x y ».")
            % {"number": number, "line": line[:60]}
        )


def _corners(numbers: list[Decimal]) -> Iterator[Point]:
    for x, y in zip(numbers[::2], numbers[1::2], strict=True):
        yield Point(x, y)
