# ruff: noqa: ARG002 -- Django passes these arguments by name, needed or not
"""The bank: questions, cases and images. Saving goes through actions, which never change a sealed version."""

from collections.abc import Collection, Iterator
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ecni.accounts.administration import RoleAdmin
from ecni.accounts.models import User
from ecni.accounts.rules import Domain
from ecni.shared.clock import now
from exams.actions.bank import import_bank, save_case, save_question
from exams.admin.importing import show_import
from exams.admin.pages import staff_member
from exams.admin.preview import preview_case, preview_question
from exams.enums import QuestionKind
from exams.forms import CaseForm, MediaForm, QuestionForm
from exams.forms.keys import key_form
from exams.models import Case, Media, Question
from exams.queries.bank import is_sealed_case, is_sealed_question
from exams.rules.bank import Bank

_HEADING = ("identifier", "kind", "rank", "item", "specialty")
_SEALED_WARNING = _(
    "Cette version est dans un sujet scellé\u00a0: l’enregistrer en fera une nouvelle, le sujet garde celle-ci."
)


class BankAdmin(RoleAdmin):
    """What the admins of the bank share: nothing is deleted, saving may give another version."""

    domain = Domain.BANK
    actions = None

    def get_form(self, *_args: Any, **_kwargs: Any) -> Any:
        """Author in clear with the form as it is: the sealed field of the model is never shown."""
        return self.form

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse: a version, once written, may have been read."""
        return False

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """Go to the new version when saving made one, and say so."""
        saved = getattr(obj, "saved_as", obj)
        if saved.pk == obj.pk:
            return super().response_change(request, obj)
        messages.warning(
            request,
            gettext("%(old)s est dans un sujet scellé et n’a pas changé\u00a0: %(new)s a été créée.")
            % {"old": f"{obj.identifier} v{obj.version}", "new": saved},
        )
        return HttpResponseRedirect(reverse(f"admin:exams_{self.opts.model_name}_change", args=[saved.pk]))


class NamedValues(admin.AllValuesFieldListFilter):
    """The values there are; the empty one has a name too."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Give each value its link."""
        for choice in super().choices(changelist):
            yield {**choice, "display": choice["display"] or gettext("aucune")}


@admin.register(Question)
class QuestionAdmin(BankAdmin):
    """Authoring of questions."""

    form = QuestionForm
    list_display = ("identifier", "version", "kind", "rank", "item", "specialty", "case", "position")
    list_filter = ("kind", "rank", "case__kind", ("specialty", NamedValues), "item")
    list_select_related = ("case",)
    search_fields = ("identifier", "specialty", "=item")
    ordering = ("identifier", "-version")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Question]:
        """Leave texts encrypted until one is opened."""
        return super().get_queryset(request).defer("content", "case__content")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Lay out the texts and the key as the kind has it."""
        kind = request.POST.get("kind") or (obj.kind if obj is not None else request.GET.get("kind", ""))
        key = key_form(kind)
        note = _other_kinds(key.kinds) if obj is None else _SEALED_WARNING if is_sealed_question(obj) else None
        return [
            (None, {"fields": _HEADING, "description": note}),
            (_("Texte"), {"fields": ("new_information", "stem", "images")}),
            (key.title, {"fields": key.names}),
            (_("Après publication"), {"fields": ("explanation",)}),
        ]

    def get_urls(self) -> list[URLPattern]:
        """Add the import and the preview."""
        view = self.admin_site.admin_view
        return [
            path("importer/", view(self.show_import), name="exams_question_import"),
            path("<int:question_id>/apercu/", view(self.show_preview), name="exams_question_preview"),
            *super().get_urls(),
        ]

    def show_import(self, request: HttpRequest) -> HttpResponse:
        """Take a bank file: first what it would change, then the confirmation."""
        return show_import(self, request)

    def show_preview(self, request: HttpRequest, question_id: int) -> HttpResponse:
        """Show the question as the tablet will."""
        question = get_object_or_404(Question.objects.select_related("case"), pk=question_id)
        staff_member(self, request, question)
        return preview_question(request, question)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001 -- Django's
        """Save through the action."""
        saved = save_question(
            question=form.question, question_id=obj.pk if change else None, actor=_actor(request), now=now()
        )
        obj.pk, obj.saved_as = (obj.pk, saved) if change else (saved.pk, saved)


@admin.register(Case)
class CaseAdmin(BankAdmin):
    """Texts of the cases; their questions are listed."""

    form = CaseForm
    list_display = ("identifier", "version", "kind", "created_at")
    list_filter = ("kind",)
    search_fields = ("identifier",)
    ordering = ("identifier", "-version")
    readonly_fields = ("identifier", "version", "kind", "steps")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Case]:
        """Leave texts encrypted until one is opened."""
        return super().get_queryset(request).defer("content")

    def get_fieldsets(self, _request: HttpRequest, obj: Any = None) -> Any:
        """Lay out the texts, and the questions to go to."""
        note = _SEALED_WARNING if obj is not None and is_sealed_case(obj.pk) else None
        return [
            (None, {"fields": ("identifier", "version", "kind", "steps"), "description": note}),
            (_("Texte"), {"fields": ("title", "vignette", "article")}),
        ]

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse: a case comes with its questions, by import."""
        return False

    def get_urls(self) -> list[URLPattern]:
        """Add the preview."""
        preview = self.admin_site.admin_view(self.show_preview)
        return [path("<int:case_id>/apercu/", preview, name="exams_case_preview"), *super().get_urls()]

    def show_preview(self, request: HttpRequest, case_id: int) -> HttpResponse:
        """Show the whole case as the tablet will."""
        case = get_object_or_404(Case, pk=case_id)
        staff_member(self, request, case)
        return preview_case(request, case)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, _change: bool) -> None:  # noqa: FBT001 -- Django's
        """Save through the action."""
        obj.saved_as = save_case(case_id=obj.pk, content=form.case, actor=_actor(request), now=now())

    @admin.display(description=_("questions"))
    def steps(self, case: Case) -> SafeString:
        """Links to the questions, in order."""
        questions = case.questions.defer("content").order_by("position")
        rows = ((reverse("admin:exams_question_change", args=[question.pk]), question) for question in questions)
        return format_html_join(" · ", '<a href="{}">{}</a>', rows)


@admin.register(Media)
class MediaAdmin(BankAdmin):
    """Images, shown in clear to those who may write questions."""

    form = MediaForm
    list_display = ("name", "content_type", "size")
    search_fields = ("name",)
    ordering = ("name",)
    readonly_fields = ("name", "content_type", "size", "image")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Media]:
        """Leave images encrypted until one is opened."""
        return super().get_queryset(request).defer("content")

    def get_fieldsets(self, _request: HttpRequest, obj: Any = None) -> Any:
        """Show the image there is, and take another."""
        shown = ("name", "content_type", "size", "image") if obj is not None else ()
        return [(None, {"fields": (*shown, "file")})]

    def get_urls(self) -> list[URLPattern]:
        """Add the image itself."""
        image = self.admin_site.admin_view(self.show_image)
        return [path("<int:media_id>/image/", image, name="exams_media_image"), *super().get_urls()]

    def show_image(self, request: HttpRequest, media_id: int) -> HttpResponse:
        """Send the image in clear; never kept by a cache."""
        media = get_object_or_404(Media, pk=media_id)
        staff_member(self, request, media)
        return HttpResponse(
            bytes(media.content), content_type=media.content_type, headers={"Cache-Control": "no-store"}
        )

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001 -- Django's
        """Save through the action of the import: one image is a small bank."""
        name = form.media_name
        import_bank(bank=Bank(), media={name: form.cleaned_data["content"]}, actor=_actor(request), now=now())
        if not change:
            obj.pk, obj.name = Media.objects.defer("content").get(name=name).pk, name

    @admin.display(description=_("image"))
    def image(self, media: Media) -> SafeString:
        """The image itself."""
        return format_html(
            '<img class="bank-image" src="{}" alt="">', reverse("admin:exams_media_image", args=[media.pk])
        )


def _other_kinds(kinds: Collection[QuestionKind]) -> SafeString:
    """Links to the form of every other kind, for a question that does not exist yet."""
    others = [(kind.value, kind.label, kind.value) for kind in QuestionKind if kind not in kinds]
    links = format_html_join(" · ", '<a href="?kind={}" title="{}">{}</a>', others)
    return format_html("{} {}", gettext("Écrire plutôt\u00a0:"), links)


def _actor(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user
