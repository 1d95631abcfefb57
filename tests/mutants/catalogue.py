"""The seeded bugs: what each is, where, and what must catch it."""

from tests.mutants.patching import Mutant

HUB, SESSION = "exams/consumers/hub.py", "exams/consumers/session.py"
JOURNAL, TIMING = "exams/actions/journal.py", "exams/rules/timing.py"
OUTBOX, TABLET = "static/js/exam/outbox.js", "static/js/exam/tablet.js"
TWIN = "tests/simulation/test_verdict.py::test_the_twin_decides_as_the_statement"

_ALL = (
    Mutant(
        "ack-before-commit",
        "an act is acknowledged as soon as it waits to be written",
        SESSION,
        "                self._in_flight = True\n            else:\n"
        '                await self.send(refused("busy", op.seq))',
        "                self._in_flight = True\n                await self.send(acknowledged(op.seq, {}))\n"
        "            else:\n"
        '                await self.send(refused("busy", op.seq))',
    ),
    Mutant(
        "ack-whatever-the-database-says",
        "an act is acknowledged although its batch failed",
        SESSION,
        "        if verdict in {STORED, REPEATED}:",
        "        if verdict in {STORED, REPEATED, None}:",
    ),
    Mutant(
        "lose-one-in-seven",
        "one act in seven is called stored and is not",
        HUB,
        "            unique = {pending.sheet_id: pending for pending in batch}",
        "            unique = {pending.sheet_id: pending for pending in batch if pending.op.seq % 7}\n"
        '            verdicts |= {pending.sheet_id: "stored" for pending in batch if not pending.op.seq % 7}',
    ),
    Mutant(
        "double-apply",
        "acts already stored are made again when the tablet comes back",
        OUTBOX,
        "at === null ? await this.#remade(server) : this.#pending.slice(at)",
        "await rechained(server, this.#pending)",
    ),
    Mutant(
        "swap-two-candidates",
        "tablets that come back together are given the first one's sheet",
        HUB,
        "return [found.get(session.ticket.sheet_id) for session in asking]",
        "return [found.get(asking[0].ticket.sheet_id) for _session in asking]",
    ),
    Mutant(
        "stale-epoch-accepted",
        "the statement does not compare epochs",
        JOURNAL,
        "        WHEN sheet.epoch <> op.epoch THEN 'replaced'\n",
        "",
        "tests/exams/test_journal_actions.py::test_append_ops_refuses_an_old_epoch",
    ),
    Mutant(
        "old-tablet-let-in",
        "a process gives the sheet to a tablet of an older epoch",
        SESSION,
        "        if live.epoch != self.ticket.epoch:",
        "        if live.epoch < self.ticket.epoch:",
    ),
    Mutant(
        "accept-after-the-grace",
        "the statement accepts for two seconds more than the grace",
        JOURNAL,
        "        WHEN clock_timestamp() >= sheet.ends_at + make_interval(secs => %(grace)s) THEN 'late'",
        "        WHEN clock_timestamp() >= sheet.ends_at + make_interval(secs => %(grace)s + 2) THEN 'late'",
        TWIN,
    ),
    Mutant(
        "refuse-before-the-end",
        "the statement refuses from one second before the end",
        JOURNAL,
        "        WHEN clock_timestamp() >= sheet.ends_at + make_interval(secs => %(grace)s) THEN 'late'",
        "        WHEN clock_timestamp() >= sheet.ends_at - make_interval(secs => 1) THEN 'late'",
        TWIN,
    ),
    Mutant(
        "fork-accepted",
        "the statement does not compare the previous digest",
        JOURNAL,
        "        WHEN op.seq > 1 AND before.digest IS DISTINCT FROM op.previous THEN 'contradiction'\n",
        "",
        "tests/exams/test_journal_actions.py::test_append_ops_refuses_a_fork",
    ),
    Mutant(
        "drop-the-last-write",
        "the fold leaves out the last act",
        "exams/rules/replay.py",
        "    for op in ops:",
        "    for op in list(ops)[:-1]:",
    ),
    Mutant(
        "reorder",
        "acts that are chained anew are chained backwards",
        OUTBOX,
        "  for (const op of ops) remade.push",
        "  for (const op of ops.toReversed()) remade.push",
    ),
    Mutant(
        "wrong-key",
        "a seal releases the key of another step",
        SESSION,
        "return {} if opened is None else {opened: encoded(self.book.keys[opened])}",
        "return {} if opened is None else {opened: encoded(self.book.keys[0])}",
    ),
    Mutant(
        "next-step-before-its-seal",
        "every key of a case leaves with the opening key",
        SESSION,
        "if step == 0 or shapes[step].previous in self.sealed",
        "if step == 0 or shapes[step].previous",
    ),
    Mutant(
        "opening-key-in-the-lobby",
        "the opening key leaves before the opening",
        SESSION,
        "if self.book is None or self.status.state not in OPENED_STATES:",
        "if self.book is None:",
    ),
    Mutant(
        "timer-by-the-tablets-clock",
        "the time left is counted on the tablet's own clock",
        "static/js/exam/clock.js",
        "return this.isSet ? this.#monotonic() + this.#best.offset : Number.NaN;",
        "return Date.now();",
    ),
    Mutant(
        "closing-by-broadcast-only",
        "a process never reads again what the staff changed",
        HUB,
        "if self._known.get(pk) != revision]",
        "if False]",
    ),
    Mutant(
        "extra-time-forgotten",
        "the personal extra time is not in the sum",
        TIMING,
        "        + allowance.extra_seconds\n",
        "",
    ),
    Mutant(
        "grants-forgotten",
        "minutes granted during the sitting are not in the sum",
        TIMING,
        "        + sum(allowance.granted_seconds)\n",
        "",
    ),
    Mutant(
        "pauses-not-given-back",
        "a pause takes its seconds from the candidates",
        TIMING,
        " + _paused(allowance.pauses, allowance.opened_at, now)\n",
        "\n",
    ),
    Mutant(
        "log-a-name",
        "any field of a log record is written, a name as well",
        "ecni/logs.py",
        "        line |= {field: getattr(record, field) for field in FIELDS if hasattr(record, field)}",
        "        line |= {field: value for field, value in vars(record).items() if field not in line}",
        "tests/house/test_configuration.py::test_log_lines_carry_allowed_fields_and_no_identity",
    ),
    Mutant(
        "results-before-publication",
        "the newest ranking is shown, published or not",
        "ranking/queries/publication.py",
        "RankingRun.objects.filter(exam_id=exam_id, publication__confirmed_at__isnull=False).first()",
        "latest_ranking(exam_id)",
        "tests/ranking/test_views.py::test_visit_opened_before_shows_nothing_of_an_exam_not_published",
    ),
    Mutant(
        "repeat-not-learnt",
        "an act found stored already does not move the head that the process holds",
        SESSION,
        "if verdict == STORED or (verdict == REPEATED and op.seq == self.seq + 1):",
        "if verdict == STORED:",
    ),
    Mutant(
        "quarantine-forgotten",
        "what was made in time and arrives late is refused as late",
        "exams/actions/refusing.py",
        "    if is_late and ends_at is not None and was_made_in_time(",
        "    if False and was_made_in_time(",
        "tests/exams/test_refusing.py::test_an_op_made_in_time_that_arrives_late_is_quarantined",
    ),
    Mutant(
        "refusal-without-a-trace",
        "a refused act is not kept",
        SESSION,
        "        if code in KEPT_CODES and self._hub.refusals.submit((self, self.refusal(op, code))):\n"
        "            self._in_flight = True\n        else:\n"
        '            await self.send(refused("busy" if code in KEPT_CODES else code, op.seq))',
        "        await self.send(refused(code, op.seq))",
    ),
    Mutant(
        "receipt-wrong",
        "the code of the receipt leaves out a digit",
        "static/js/exam/chain.js",
        "digest.slice(0, 32)",
        "digest.slice(1, 33)",
    ),
    Mutant(
        "counter-wraps",
        "the numbers of acts start again after eight",
        "static/js/exam/chain.js",
        "const seq = previous.seq + 1;",
        "const seq = (previous.seq % 8) + 1;",
    ),
    Mutant(
        "silent-fall-to-offline",
        "a dead socket is never given up",
        "static/js/exam/connection.js",
        "const OVERDUE_MS = 25_000;",
        "const OVERDUE_MS = 25_000_000;",
    ),
    Mutant(
        "saved-before-the-ack",
        "the screen says « Enregistré » once the tablet has stored the act",
        TABLET,
        "return this.#acting.length + (this.outbox?.waiting ?? 0);",
        "return this.#acting.length;",
    ),
    Mutant(
        "forgotten-before-the-ack",
        "acts that were sent are forgotten when the socket dies",
        OUTBOX,
        "      this.#connected = false;\n      this.#flying = 0;",
        "      this.#connected = false;\n      this.#pending = this.#pending.slice(this.#flying);\n"
        "      this.#flying = 0;",
    ),
    Mutant(
        "not-stored-by-the-tablet",
        "an act is sent without having been stored",
        OUTBOX,
        "await this.#durably(() => this.#store.append(op));",
        "this.#store.append(op).catch(() => {});\n"
        "      await this.#durably(() => this.#store.replace(this.#base, this.#pending));",
    ),
    Mutant(
        "dropped-at-reload",
        "a page that starts again forgets what waited",
        OUTBOX,
        "[this.#base, this.#pending] = [kept.base, kept.ops]",
        "[this.#base, this.#pending] = [kept.base, []]",
    ),
    Mutant(
        "chained-on-the-wrong-head",
        "after a refusal, acts are chained anew on what is acknowledged, whatever waits before them",
        OUTBOX,
        "await rechained(before.at(-1) ?? this.#base,",
        "await rechained(this.#base,",
    ),
    Mutant(
        "acts-of-another-question",
        "an act is recorded on the next question",
        TABLET,
        "await this.outbox.add(kind, number, value);",
        "await this.outbox.add(kind, number && 1 + (number % 5), value);",
    ),
    Mutant(
        "refused-flood-never-sent-again",
        "an act whose frame was not even read is not sent again",
        TABLET,
        '(protocol.RETRY_CODES.has(code) ? "resync" : "dropped")',
        '"dropped"',
    ),
)

MUTANTS = {mutant.name: mutant for mutant in _ALL}
