"""What the agency and the council fill in. A form says what is wrong and where; the action judges again."""

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from exams.enums import PropositionStatus, QuestionKind
from exams.models import Case, Media, Question
from exams.rules.answers import ANSWERABLE_KINDS
from exams.rules.bank import ARTICLE_TAGS, TEXT_TAGS, BankQuestion, html_faults, media_faults
from exams.rules.content import (
    CaseContent,
    MediaRef,
    Proposition,
    QuestionContent,
    case_from_json,
    from_json,
    key_errors,
)

PROPOSITION_LETTERS = "ABCDE"
MAX_UPLOAD_BYTES = 64 * 1024 * 1024
AUTHORED_KINDS = [(kind.value, kind.label) for kind in QuestionKind if kind in ANSWERABLE_KINDS]


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


class ImagesField(forms.CharField):
    """The images of a question, one a line: name, a bar, what it shows in words."""

    widget = forms.Textarea(attrs={"class": "vLargeTextField", "rows": 2})

    def prepare_value(self, value: Any) -> Any:
        """Show images as lines."""
        if isinstance(value, tuple):
            return "\n".join(f"{media.file} | {media.alt}" for media in value)
        return value

    def clean(self, value: Any) -> Any:
        """Return the images, each in the bank and each described."""
        lines = [line.strip() for line in super().clean(value).splitlines() if line.strip()]
        media = tuple(
            MediaRef(file.strip(), alt.strip()) for file, _bar, alt in (line.partition("|") for line in lines)
        )
        known = set(Media.objects.filter(name__in=[image.file for image in media]).values_list("name", flat=True))
        for image in media:
            if image.file not in known:
                raise forms.ValidationError(
                    gettext("L’image %(name)s n’est pas dans la banque.") % {"name": image.file}
                )
            if not image.alt:
                raise forms.ValidationError(gettext("L’image %(name)s n’est pas décrite.") % {"name": image.file})
        return media


class QuestionForm(forms.ModelForm[Question]):
    """Authoring of a QRU or a QRM: stem, propositions with their status, images, explanation."""

    kind = forms.ChoiceField(label=_("Type"), choices=AUTHORED_KINDS)
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
        """Lay out the propositions and fill in what is stored."""
        super().__init__(*args, **kwargs)
        stored = from_json(self.instance.content) if self.instance.pk else None
        self._lay_out_propositions(stored.propositions if stored else ())
        if stored is not None:
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
        """Refuse a key that could not be marked."""
        super().clean()
        if not self.errors:
            question = self.question
            for reason in key_errors(question.kind, question.content):
                self.add_error(None, reason)
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
                propositions=tuple(
                    Proposition(data[f"text_{letter}"], PropositionStatus(data[f"status_{letter}"]))
                    for letter in PROPOSITION_LETTERS
                    if data[f"text_{letter}"]
                ),
                explanation=data["explanation"],
            ),
        )

    def _lay_out_propositions(self, stored: tuple[Proposition, ...]) -> None:
        for index, letter in enumerate(PROPOSITION_LETTERS):
            line = stored[index] if index < len(stored) else Proposition("", PropositionStatus.FALSE)
            self.fields[f"text_{letter}"] = forms.CharField(
                label=gettext("Proposition %(letter)s") % {"letter": letter},
                required=letter != PROPOSITION_LETTERS[-1],
                initial=line.text,
                widget=forms.TextInput(attrs={"class": "vLargeTextField"}),
            )
            self.fields[f"status_{letter}"] = forms.ChoiceField(
                label=gettext("Clé %(letter)s") % {"letter": letter},
                choices=PropositionStatus.choices,
                initial=line.status,
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
    """When an exam made by the preset begins."""

    first_day = forms.DateField(label=_("Premier jour"), widget=forms.DateInput(attrs={"type": "date"}))
