"""Rankings and their publication. A ranking is written once; a later one stands beside it, never in its place."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from ecni.shared.appendonly import AppendOnly
from ranking.enums import ComplaintState
from ranking.rules.groups import DEFAULT_GROUP_KEYS


def default_group_keys() -> list[str]:
    """Return the words of the keys that separate equal marks in a group."""
    return list(DEFAULT_GROUP_KEYS)


class RankingPolicy(AppendOnly):
    """The published parameters of the rankings of an exam (`ranking.rules.policy`); the newest one counts."""

    exam = models.ForeignKey("exams.Exam", models.PROTECT, related_name="+", verbose_name=_("examen"))
    data = models.JSONField(_("paramètres"))
    reason = models.CharField(_("motif"), max_length=500)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("auteur"))
    created_at = models.DateTimeField(_("publiés le"))

    class Meta:
        verbose_name = _("règles du classement")
        verbose_name_plural = _("règles du classement")

    def __str__(self) -> str:
        return f"ranking policy {self.pk}"


class RankingRun(AppendOnly):
    """One ranking of an exam, from the marking runs it was made of. Points are numerators over `denominator`.

    `digest` is the SHA-256 of the canonical bytes of the ranking, `inputs_digest` of all that it was made from;
    `policy` holds the published parameters it followed, `statuses` the status for which each number that is ranked
    apart or not ranked is so.
    """

    exam = models.ForeignKey("exams.Exam", models.PROTECT, related_name="+", verbose_name=_("examen"))
    marking_runs = models.ManyToManyField("grading.MarkingRun", related_name="+", verbose_name=_("notations"))
    tie_keys = models.JSONField(_("clés de départage"))
    policy = models.JSONField(_("paramètres"), default=dict)
    statuses = models.JSONField(_("statuts"), default=dict)
    rules_version = models.CharField(_("version des règles"), max_length=40)
    denominator = models.PositiveBigIntegerField(_("dénominateur"))
    unranked = models.JSONField(_("non classés"), help_text=_("Numéros anonymes, triés."))
    inputs_digest = models.CharField(_("empreinte des entrées"), max_length=64)
    digest = models.CharField(_("empreinte du classement"), max_length=64)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("auteur"))
    created_at = models.DateTimeField(_("calculé le"))

    class Meta:
        verbose_name = _("classement")
        verbose_name_plural = _("classements")

    def __str__(self) -> str:
        return f"ranking run {self.pk}"


class RankedSheet(AppendOnly):
    """One place in a ranking. Those who are ranked apart come after the others, with ranks of their own.

    `tie` says in words which key decided against the place before, when totals are equal.
    """

    run = models.ForeignKey(RankingRun, models.PROTECT, related_name="places", verbose_name=_("classement"))
    position = models.PositiveIntegerField(_("ordre"))
    rank = models.PositiveIntegerField(_("rang"))
    is_apart = models.BooleanField(_("classé à part"), default=False)
    number = models.CharField(_("numéro anonyme"), max_length=12)
    total = models.BigIntegerField(_("total"))
    parts = models.JSONField(_("points par partie"))
    tie = models.JSONField(_("départage"), null=True)

    class Meta:
        verbose_name = _("place")
        verbose_name_plural = _("places")
        constraints = [
            models.UniqueConstraint(fields=["run", "number"], name="rankedsheet_number_once_per_run"),
            models.UniqueConstraint(fields=["run", "position"], name="rankedsheet_position_once_per_run"),
        ]

    def __str__(self) -> str:
        return f"rank {self.run_id}/{self.rank}"


class RankingSignature(AppendOnly):
    """The president of the jury signs a ranking, by its digest, while it is anonymous."""

    run = models.OneToOneField(RankingRun, models.PROTECT, related_name="signature", verbose_name=_("classement"))
    digest = models.CharField(_("empreinte signée"), max_length=64)
    reason = models.CharField(_("motif"), max_length=500)
    signed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("auteur"))
    signed_at = models.DateTimeField(_("signé le"))

    class Meta:
        verbose_name = _("signature du classement")
        verbose_name_plural = _("signatures du classement")

    def __str__(self) -> str:
        return f"signature of ranking run {self.run_id}"


class AnonymityLift(AppendOnly):
    """One of the two acts that lift the anonymity of an exam, for one signed ranking: one at a time."""

    exam = models.ForeignKey("exams.Exam", models.PROTECT, related_name="+", verbose_name=_("examen"))
    run = models.ForeignKey(RankingRun, models.PROTECT, related_name="lifts", verbose_name=_("classement"))
    step = models.PositiveSmallIntegerField(_("étape"))
    reason = models.CharField(_("motif"), max_length=500)
    lifted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("auteur"))
    lifted_at = models.DateTimeField(_("fait le"))

    class Meta:
        verbose_name = _("levée d’anonymat")
        verbose_name_plural = _("levées d’anonymat")
        constraints = [
            models.CheckConstraint(condition=models.Q(step__in=[1, 2]), name="anonymitylift_two_steps"),
            models.UniqueConstraint(fields=["run", "step"], name="anonymitylift_step_once"),
            models.UniqueConstraint(fields=["run", "lifted_by"], name="anonymitylift_by_two_people"),
        ]

    def __str__(self) -> str:
        return f"lift {self.run_id}/{self.step}"


class RankingWithdrawal(AppendOnly):
    """The president takes back a ranking whose anonymity is lifted, before it is published: another one may follow."""

    run = models.OneToOneField(RankingRun, models.PROTECT, related_name="withdrawal", verbose_name=_("classement"))
    reason = models.CharField(_("motif"), max_length=500)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("auteur")
    )
    withdrawn_at = models.DateTimeField(_("retiré le"))

    class Meta:
        verbose_name = _("retrait d’un classement")
        verbose_name_plural = _("retraits de classements")

    def __str__(self) -> str:
        return f"withdrawal of ranking run {self.run_id}"


class Publication(models.Model):
    """The decision to publish a ranking: one person proposes, another confirms, never before `not_before`."""

    exam = models.ForeignKey("exams.Exam", models.PROTECT, related_name="+", verbose_name=_("examen"))
    run = models.OneToOneField(RankingRun, models.PROTECT, related_name="publication", verbose_name=_("classement"))
    not_before = models.DateTimeField(_("pas avant"))
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("proposée par")
    )
    proposed_at = models.DateTimeField(_("proposée le"))
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, verbose_name=_("confirmée par")
    )
    confirmed_at = models.DateTimeField(_("confirmée le"), null=True)

    class Meta:
        verbose_name = _("publication")
        verbose_name_plural = _("publications")
        constraints = [
            models.UniqueConstraint(
                fields=["exam"], condition=models.Q(confirmed_at__isnull=False), name="publication_one_per_exam"
            ),
            models.CheckConstraint(
                condition=models.Q(confirmed_by__isnull=True, confirmed_at__isnull=True)
                | models.Q(confirmed_by__isnull=False, confirmed_at__gte=models.F("not_before")),
                name="publication_confirmed_in_time",
            ),
            models.CheckConstraint(
                condition=models.Q(confirmed_by__isnull=True) | ~models.Q(confirmed_by=models.F("proposed_by")),
                name="publication_by_two_people",
            ),
        ]

    def __str__(self) -> str:
        return f"publication {self.pk}"


class Complaint(AppendOnly):
    """What a candidate contests of their results, in their words; where it stands is its last step."""

    candidate = models.ForeignKey("centres.Candidate", models.PROTECT, related_name="+", verbose_name=_("candidat"))
    sitting = models.ForeignKey("exams.Sitting", models.PROTECT, related_name="+", null=True, verbose_name=_("épreuve"))
    question = models.PositiveSmallIntegerField(_("question"), null=True)
    text = models.TextField(_("réclamation"))
    filed_at = models.DateTimeField(_("déposée le"))

    class Meta:
        verbose_name = _("réclamation")
        verbose_name_plural = _("réclamations")

    def __str__(self) -> str:
        return f"complaint {self.pk}"


class ComplaintStep(AppendOnly):
    """One step of a complaint after its filing: taken, answered with a text that the candidate reads, closed."""

    complaint = models.ForeignKey(Complaint, models.PROTECT, related_name="steps", verbose_name=_("réclamation"))
    state = models.CharField(_("étape"), max_length=10, choices=ComplaintState.choices)
    text = models.TextField(_("texte"), blank=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("auteur"))
    at = models.DateTimeField(_("date"))

    class Meta:
        verbose_name = _("étape d’une réclamation")
        verbose_name_plural = _("étapes des réclamations")
        constraints = [
            models.UniqueConstraint(fields=["complaint", "state"], name="complaintstep_once"),
            models.CheckConstraint(
                condition=~models.Q(state=ComplaintState.ANSWERED) | ~models.Q(text=""),
                name="complaintstep_answer_has_text",
            ),
        ]

    def __str__(self) -> str:
        return f"complaint {self.complaint_id} {self.state}"


class SpecialtyGroup(models.Model):
    """A group of specialties with a weighted ranking of its own (EDN): its items of the programme, its tie-break.

    Rank B questions on its items count double. The official lists are not known: empty unless the agency fills them.
    """

    exam = models.ForeignKey("exams.Exam", models.PROTECT, related_name="+", verbose_name=_("examen"))
    number = models.PositiveSmallIntegerField(_("numéro"), validators=[MinValueValidator(1), MaxValueValidator(13)])
    name = models.CharField(_("nom"), max_length=200)
    items = models.JSONField(
        _("items"), default=list, blank=True, help_text=_("Numéros d’items du programme : [221, 222].")
    )

    tie_keys = models.JSONField(
        _("clés de départage"),
        default=default_group_keys,
        help_text=_("Dans l’ordre, parmi RANK_A, ALL, OLDER, YOUNGER."),
    )

    class Meta:
        verbose_name = _("groupe de spécialités")
        verbose_name_plural = _("groupes de spécialités")
        constraints = [models.UniqueConstraint(fields=["exam", "number"], name="specialtygroup_number_once_per_exam")]

    def __str__(self) -> str:
        return f"{self.number}. {self.name}"
