// What a previous life of this page left in the tablet's storage, believed only when it has the right shape. Pure.

import { KINDS_OF_OP } from "./fold.js";
import { PLACE, SITTING } from "./protocol.js";
import { fits, isCount, isDigest, isFlag, isNull, isNumbers, isText, isTexts, oneOf, or } from "./shapes.js";

/**
 * @typedef {import("./fold.js").Fold} Fold
 * @typedef {import("./protocol.js").Op} Op
 * @typedef {{key: string, sitting: import("./protocol.js").Sitting, number: string, status: string, endsAt: number | null,
 *   paper: import("./protocol.js").PaperPlace | null, keys: Record<string, string>, question: number, seen: number[],
 *   savedAt: number | null, quarantined: number}} Session all that the screen needs beside the fold, at server's ms
 * @typedef {{now: number, wall: number}} Mark the server's time and the tablet's wall clock at one instant, ms
 */

const isFold = fits({
  seq: isCount, digest: isDigest, answers: isTexts, sealed: isNumbers, flags: isNumbers, strikes: isTexts, submitted: isFlag,
});
const isOp = fits({ seq: isCount, kind: oneOf(...KINDS_OF_OP), q: isCount, value: isText, at: isCount, digest: isDigest });
const isSession = fits({
  key: isText, sitting: SITTING, number: isText, status: isText, endsAt: or(isCount, isNull), paper: or(PLACE, isNull),
  keys: isTexts, question: isCount, seen: isNumbers, savedAt: or(isCount, isNull), quarantined: isCount,
});
const isMark = fits({ now: isCount, wall: isCount });

/** @param {unknown} row @returns {Fold | null} */
export const keptFold = (row) => (isFold(row) ? row : null);

/** The rows that are ops, in order. @param {unknown[]} rows @returns {Op[]} */
export const keptOps = (rows) => rows.filter(isOp).sort((one, other) => one.seq - other.seq);

/**
 * @param {unknown} row @param {string} key the sheet that the tablet's ticket names
 * @returns {{session: Session, mark: Mark} | null}
 */
export function keptSession(row, key) {
  const isOurs = fits({ session: isSession, mark: isMark })(row) && row.session.key === key;
  return isOurs ? { session: row.session, mark: row.mark } : null;
}

/**
 * The server's time as the tablet's wall clock tells it, never earlier than it was last known.
 * @param {Mark} mark @param {number} wall the wall clock now, ms
 */
export const reckoned = ({ now, wall: then }, wall) => now + Math.max(0, wall - then);

/** The sheet that admission named beside the ticket, which itself no script can read. @param {string} cookies */
export function sheetNamed(cookies) {
  const found = cookies.split("; ").find((cookie) => cookie.startsWith("ecni_sheet="));
  return found ? found.slice("ecni_sheet=".length) : null;
}
