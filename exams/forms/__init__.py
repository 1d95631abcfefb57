"""What the agency and the council fill in. A form says what is wrong and where; the action judges again."""

import re
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from exams.actions.preset import PRESETS
from exams.enums import QuestionKind
from exams.forms.fields import HTMLField, ImagesField
from exams.forms.keys import key_form
from exams.models import Case, Media, Question
from exams.rules.answers import LETTERS
from exams.rules.bank import ARTICLE_TAGS, BankQuestion, media_faults
from exams.rules.content import CaseContent, QuestionContent, case_from_json, from_json, key_faults

MAX_UPLOAD_BYTES = 64 * 1024 * 1024


class QuestionForm(forms.ModelForm[Question]):
    """Authoring of a question: its texts, and the key as its kind has it."""

    kind = forms.ChoiceField(label=_("Type"))
    stem = HTMLField(label=_("Énoncé"), help_text=_("Le dernier paragraphe est la question posée."))
    new_information = HTMLField(
        label=_("Information nouvelle"),
        required=False,
        help_text=_("Dans un dossier, ce que révèle cette étape avant la question."),
    )
    images = ImagesField(
        label=_("Images"),
        required=False,
        help_text=_("Une par ligne\u00a0: media/nom.svg | ce qu’elle montre, sans donner la réponse."),
    )
    explanation = HTMLField(label=_("Explication"), required=False)

    class Meta:
        model = Question
        fields = ("identifier", "kind", "rank", "item", "specialty")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Lay out the key of the kind and fill in what is stored."""
        super().__init__(*args, **kwargs)
        stored = from_json(self.instance.content) if self.instance.pk else QuestionContent(stem="")
        self.key = key_form(self.data.get("kind") or self.instance.kind or self.initial.get("kind", ""))
        self.fields["kind"] = forms.ChoiceField(
            label=_("Type"), choices=[(kind.value, kind.label) for kind in self.key.kinds]
        )
        self.fields.update(self.key.fields(stored))
        if self.instance.pk:
            self.fields["identifier"].disabled = True
            self.initial.update(
                stem=stored.stem,
                new_information=stored.new_information,
                images=stored.media,
                explanation=stored.explanation,
            )

    def clean_identifier(self) -> str:
        """Refuse a new question under the identifier of another."""
        identifier: str = self.cleaned_data["identifier"]
        if not self.instance.pk and Question.objects.filter(identifier=identifier).exists():
            raise forms.ValidationError(gettext("Cet identifiant est déjà pris."))
        return identifier

    def clean(self) -> dict[str, Any]:
        """Refuse a key that could not be marked, each fault at its field."""
        super().clean()
        self._refuse_gaps()
        if not self.errors:
            question = self.question
            for fault in key_faults(question.kind, question.content):
                self.add_error(self.key.shown_at(fault.field), _numbered(fault.field, fault.reason))
        return self.cleaned_data

    @property
    def question(self) -> BankQuestion:
        """The question as filled in."""
        data = self.cleaned_data
        return BankQuestion(
            identifier=data["identifier"],
            kind=QuestionKind(data["kind"]),
            rank=data["rank"],
            item=data["item"],
            specialty=data["specialty"],
            content=QuestionContent(
                stem=data["stem"],
                new_information=data["new_information"],
                media=data["images"],
                explanation=data["explanation"],
                **self.key.content(data),
            ),
        )

    def _refuse_gaps(self) -> None:
        """Refuse an empty proposition before a written one: the letters after it would change without a word."""
        letters = [letter for letter in LETTERS if f"text_{letter}" in self.fields]
        written = [letter for letter in letters if self.cleaned_data.get(f"text_{letter}")]
        for letter in letters:
            if written and letter < written[-1] and letter not in written and f"text_{letter}" not in self.errors:
                self.add_error(f"text_{letter}", gettext("Une proposition plus loin est écrite, celle-ci manque."))


def _numbered(place: str, reason: str) -> str:
    """Say which line of a list is wrong, counted from 1."""
    number = re.search(r"^(?:zones|accepted\.\w+)\[(\d+)\]", place)
    return (
        gettext("Ligne %(number)s\u00a0: %(reason)s") % {"number": int(number[1]) + 1, "reason": reason}
        if number
        else reason
    )


class CaseForm(forms.ModelForm[Case]):
    """The texts of a case; its questions are changed one by one."""

    title = forms.CharField(label=_("Titre"), widget=forms.TextInput(attrs={"class": "vLargeTextField"}))
    vignette = HTMLField(label=_("Énoncé"))
    article = HTMLField(label=_("Article"), required=False, tags=ARTICLE_TAGS)

    class Meta:
        model = Case
        fields = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Fill in what is stored."""
        super().__init__(*args, **kwargs)
        stored = case_from_json(self.instance.content)
        self.initial.update(title=stored.title, vignette=stored.vignette, article=stored.article)

    @property
    def case(self) -> CaseContent:
        """The case as filled in."""
        data = self.cleaned_data
        return CaseContent(title=data["title"], vignette=data["vignette"], article=data["article"])


class MediaForm(forms.ModelForm[Media]):
    """One image to bring into the bank, or to replace."""

    file = forms.FileField(label=_("Fichier"), help_text=_("SVG, PNG, JPEG ou WebP, 2\u00a0Mio au plus."))

    class Meta:
        model = Media
        fields = ()

    def clean(self) -> dict[str, Any]:
        """Refuse an unsafe name or a drawing that does more than show."""
        super().clean()
        file = self.cleaned_data.get("file")
        if file is not None:
            self.cleaned_data["content"] = file.read()
            for reason in media_faults(self.media_name, self.cleaned_data["content"]):
                self.add_error("file", reason)
        return self.cleaned_data

    @property
    def media_name(self) -> str:
        """The name it has, or will have, in the bank."""
        return self.instance.name or f"media/{self.cleaned_data['file'].name}"


class BankUploadForm(forms.Form):
    """A bank to import."""

    file = forms.FileField(
        label=_("Banque"), help_text=_("Un fichier JSON, ou une archive zip avec ses dossiers media et articles.")
    )

    def clean_file(self) -> Any:
        """Refuse what is too heavy to be read at once."""
        file = self.cleaned_data["file"]
        if file.size > MAX_UPLOAD_BYTES:
            limit = MAX_UPLOAD_BYTES // 1024 // 1024
            raise forms.ValidationError(gettext("Fichier trop lourd, %(limit)s Mio au plus.") % {"limit": limit})
        return file


class SealingForm(forms.Form):
    """Why a paper is sealed."""

    reason = forms.CharField(
        label=_("Motif"),
        max_length=200,
        widget=forms.TextInput(attrs={"class": "vLargeTextField"}),
        help_text=_("Gardé au registre avec votre nom."),
    )


class PresetForm(forms.Form):
    """Which shape an exam takes, and when it begins."""

    preset = forms.ChoiceField(
        label=_("Préréglage"), choices=[(code, preset.name) for code, preset in PRESETS.items()], initial="ECNI"
    )
    first_day = forms.DateField(label=_("Premier jour"), widget=forms.DateInput(attrs={"type": "date"}))
