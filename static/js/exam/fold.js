// What a sheet says after some ops. The Python twin is exams/rules/replay.py: same folding, op by op.

/**
 * @typedef {import("./protocol.js").Op} Op
 * @typedef {{seq: number, digest: string, answers: Record<string, string>, sealed: number[], flags: number[],
 *   strikes: Record<string, string>, submitted: boolean}} Fold plain data, so that it can be stored as it is
 */

/** @param {string} digest genesis of the sheet @returns {Fold} */
export const blank = (digest) => ({
  seq: 0, digest, answers: {}, sealed: [], flags: [], strikes: {}, submitted: false,
});

/** @param {import("./protocol.js").Frame} frame a `state` @returns {Fold} */
export const folded = ({ seq, digest, answers, sealed, flags, strikes, status }) => ({
  seq, digest, answers, sealed, flags, strikes, submitted: status === "SUBMITTED",
});

const without = (numbers, number) => numbers.filter((other) => other !== number);

/** @type {Record<string, (fold: Fold, op: Op) => Partial<Fold>>} */
const CHANGES = {
  answer: (fold, op) => ({ answers: { ...fold.answers, [op.q]: op.value } }),
  strike: (fold, op) => ({ strikes: { ...fold.strikes, [op.q]: op.value } }),
  flag: (fold, op) => ({ flags: op.value === "1" ? [...without(fold.flags, op.q), op.q] : without(fold.flags, op.q) }),
  seal: (fold, op) => ({ sealed: [...without(fold.sealed, op.q), op.q] }),
  submit: () => ({ submitted: true }),
};

export const KINDS_OF_OP = Object.keys(CHANGES);

/** Fold one op, the next of the chain. @param {Fold} fold @param {Op} op @returns {Fold} */
export const apply = (fold, op) => ({ ...fold, ...CHANGES[op.kind](fold, op), seq: op.seq, digest: op.digest });

/** What an op touches, as one text: equal in two folds when neither changed it. @param {Fold} fold @param {Op} op */
export function touched(fold, op) {
  const sealed = fold.sealed.includes(op.q);
  if (op.kind === "flag") return `${fold.flags.includes(op.q)}`;
  if (op.kind === "strike") return `${sealed}|${fold.strikes[op.q] ?? ""}`;
  if (op.kind === "submit") return `${fold.submitted}`;
  return `${sealed}|${fold.answers[op.q] ?? ""}`;
}
