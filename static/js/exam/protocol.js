// The candidate's wire, version 1: frames written and read. Its prose is docs/protocol.md, its golden messages tests/wire/.

import { fits, isAbsent, isCount, isDigest, isNull, isNumbers, isObject, isText, isTexts, oneOf, or } from "./shapes.js";

/**
 * @typedef {{seq: number, kind: string, q: number, value: string, at: number, digest: string}} Op
 * @typedef {{id: number, title: string, starts_at: number, duration: number, offline_clock: "RUN" | "STOP"}} Sitting
 * @typedef {{digest: string, bytes: number, url: string}} PaperPlace
 * @typedef {{t: string, [name: string]: any}} Frame
 */

export const VERSION = 1;

/** Refusals after which the op is kept and sent again; after any other one it no longer counts. */
export const RETRY_CODES = new Set(["too-fast", "paused", "busy", "gap"]);

/** Close codes that end the conversation; after any other one the tablet reconnects. */
export const FINAL_CLOSES = { 4401: "ticket", 4409: "replaced", 4410: "version" };

/** The close code that goes with a `bye`, by its code; any other one only ends the conversation. */
export const CLOSE_OF_BYE = { network: 4403, replaced: 4409, version: 4410 };

/** Where the same frames travel by HTTP, at most so many at a time beside the `hello` that each request begins with. */
export const FRAMES_URL = "/copie/trames/";
export const MOST_FRAMES = 49;

const known = (skew) => (skew === null ? {} : { skew });

/**
 * @param {number} at tablet's clock, ms
 * @param {number | null} skew the server's clock less the tablet's, at least, ms; null when the server has not told its time
 * @param {number} [waiting] ms for which the tablet has been waiting for the next step of a case, when it is
 */
export const hello = (at, skew, waiting = 0) =>
  JSON.stringify({ t: "hello", v: VERSION, at, ...known(skew), ...(waiting && { waiting }) });

/** @param {Op} op */
export const act = ({ seq, kind, q, value, at, digest }) => JSON.stringify({ t: "op", seq, kind, q, value, at, digest });

/** @param {string} paper SHA-256 of the verified file, 64 hexadecimal digits */
export const ready = (paper) => JSON.stringify({ t: "ready", paper });

/** @param {number} at tablet's clock, ms  @param {number} q question on screen, 0 for none  @param {number | null} skew as in `hello` */
export const ping = (at, q, skew) => JSON.stringify({ t: "ping", at, q, ...known(skew) });

/** @param {boolean} raised */
export const call = (raised) => JSON.stringify({ t: "call", raised });

/** Where a sealed paper is. */
export const PLACE = fits({ digest: isDigest, bytes: isCount, url: isText });
/** What a tablet knows of its sitting. */
export const SITTING = fits({
  id: isCount, title: isText, starts_at: isCount, duration: isCount, offline_clock: oneOf("RUN", "STOP"),
});

/** What each frame of the server must hold. */
const SHAPES = {
  state: fits({
    v: isCount, now: isCount, status: isText, ends_at: or(isCount, isNull), sitting: SITTING, sheet: isText,
    paper: or(PLACE, isNull), seq: isCount, digest: isDigest, keys: isTexts, answers: isTexts, sealed: isNumbers,
    flags: isNumbers, strikes: isTexts, position: isCount,
  }),
  ack: fits({ seq: isCount, keys: or(isTexts, isAbsent) }),
  refused: fits({ code: isText, text: isText, seq: or(isCount, isAbsent) }),
  status: fits({ now: isCount, status: isText, ends_at: or(isCount, isNull), keys: or(isTexts, isAbsent) }),
  pong: fits({ at: isCount, now: isCount, beat: or(isCount, isAbsent) }),
  bye: fits({ code: isText, text: isText }),
  wait: fits({ place: isCount, retry: isCount }),
};

/**
 * Read one frame of the server.
 * @param {unknown} text
 * @returns {Frame | null} null when it is not of this protocol: the tablet ignores what it does not know
 */
export function parse(text) {
  if (!isText(text)) return null;
  let frame;
  try {
    frame = JSON.parse(text);
  } catch {
    return null;
  }
  return isObject(frame) && Object.hasOwn(SHAPES, frame.t) && SHAPES[frame.t](frame) ? frame : null;
}

/** What names a sheet on this tablet. @param {{id: number}} sitting @param {string} number */
export const sheetKey = ({ id }, number) => `${id}|${number}`;
