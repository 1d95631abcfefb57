"""Papers: what a sitting asks, and the keys that open it."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from exams.enums import PaperState, QuestionKind
from exams.models.bank import Case, Question
from exams.models.exam import ExamPart, Sitting


class Paper(models.Model):
    """The subject of one sitting. Once sealed it is an immutable file named by its digest."""

    sitting = models.ForeignKey(Sitting, models.PROTECT, related_name="papers", verbose_name=_("épreuve"))
    title = models.CharField(_("titre"), max_length=120)
    is_reserve = models.BooleanField(_("sujet de réserve"), default=False)
    state = models.CharField(_("état"), max_length=10, choices=PaperState.choices, default=PaperState.DRAFT)
    digest = models.CharField(_("empreinte"), max_length=64, blank=True)
    size = models.PositiveIntegerField(_("octets"), default=0)
    sealed_at = models.DateTimeField(_("scellé le"), null=True, blank=True)

    class Meta:
        verbose_name = _("sujet")
        verbose_name_plural = _("sujets")
        constraints = [
            models.UniqueConstraint(
                fields=["sitting"], condition=models.Q(is_reserve=False), name="paper_one_main_per_sitting"
            ),
            models.CheckConstraint(
                condition=models.Q(state=PaperState.DRAFT, digest="", sealed_at__isnull=True)
                | models.Q(state=PaperState.SEALED, digest__regex="^[0-9a-f]{64}$", sealed_at__isnull=False),
                name="paper_sealed_has_digest",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class PaperUnit(models.Model):
    """One unit of a paper: an isolated question, or a whole case."""

    paper = models.ForeignKey(Paper, models.CASCADE, related_name="units", verbose_name=_("sujet"))
    position = models.PositiveSmallIntegerField(_("ordre"))
    part = models.ForeignKey(ExamPart, models.PROTECT, related_name="+", verbose_name=_("partie"))
    question = models.ForeignKey(
        Question, models.PROTECT, related_name="+", null=True, blank=True, verbose_name=_("question isolée")
    )
    case = models.ForeignKey(Case, models.PROTECT, related_name="+", null=True, blank=True, verbose_name=_("dossier"))

    class Meta:
        verbose_name = _("unité")
        verbose_name_plural = _("unités")
        constraints = [
            models.UniqueConstraint(fields=["paper", "position"], name="paperunit_position_once"),
            models.CheckConstraint(
                condition=models.Q(question__isnull=True) ^ models.Q(case__isnull=True),
                name="paperunit_question_or_case",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.paper_id}/{self.position}"


class PaperQuestion(models.Model):
    """One numbered question of a sealed paper, with what the answer path needs to judge an answer to it.

    The size of the image of a ZAP is that of the sealed file: its zones are marked on it, whatever the bank becomes.
    """

    paper = models.ForeignKey(Paper, models.CASCADE, related_name="questions", verbose_name=_("sujet"))
    number = models.PositiveSmallIntegerField(_("numéro"))
    unit = models.ForeignKey(PaperUnit, models.PROTECT, related_name="numbered", verbose_name=_("unité"))
    question = models.ForeignKey(Question, models.PROTECT, related_name="+", verbose_name=_("question"))
    kind = models.CharField(_("type"), max_length=10, choices=QuestionKind.choices)
    propositions = models.PositiveSmallIntegerField(_("propositions"))
    expected_count = models.PositiveSmallIntegerField(_("réponses attendues"), null=True)
    is_progressive = models.BooleanField(_("progressive"))
    previous = models.PositiveSmallIntegerField(_("question à valider avant"), default=0)
    image_width = models.PositiveIntegerField(_("largeur de l’image à pointer"), null=True)
    image_height = models.PositiveIntegerField(_("hauteur de l’image à pointer"), null=True)

    class Meta:
        verbose_name = _("question numérotée")
        verbose_name_plural = _("questions numérotées")
        constraints = [models.UniqueConstraint(fields=["paper", "number"], name="paperquestion_number_once")]

    def __str__(self) -> str:
        return f"{self.paper_id}/{self.number}"


class PaperKey(models.Model):
    """The key of one step, encrypted under the officers' key. Step 0 opens all that is readable from the start."""

    paper = models.ForeignKey(Paper, models.CASCADE, related_name="keys", verbose_name=_("sujet"))
    step = models.PositiveSmallIntegerField(_("étape"))
    wrapped = models.BinaryField(_("clé chiffrée"))

    class Meta:
        verbose_name = _("clé de sujet")
        verbose_name_plural = _("clés de sujet")
        constraints = [models.UniqueConstraint(fields=["paper", "step"], name="paperkey_step_once")]

    def __str__(self) -> str:
        return f"{self.paper_id}/{self.step}"
