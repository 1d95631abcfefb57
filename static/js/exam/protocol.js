// The candidate's wire, version 1: frames written and read. Its prose is docs/protocol.md, its golden messages tests/wire/.

/**
 * @typedef {{seq: number, kind: string, q: number, value: string, at: number, digest: string}} Op
 * @typedef {{id: number, title: string, starts_at: number, duration: number, offline_clock: "RUN" | "STOP"}} Sitting
 * @typedef {{t: string, [name: string]: any}} Frame
 */

export const VERSION = 1;

/** Refusals after which the op is kept and sent again; after any other one it no longer counts. */
export const RETRY_CODES = new Set(["too-fast", "paused", "busy", "gap"]);

/** Close codes that end the conversation; after any other one the tablet reconnects. */
export const FINAL_CLOSES = new Map([
  [4401, "ticket"],
  [4409, "replaced"],
  [4410, "version"],
]);

/**
 * @param {number} at tablet's clock, ms
 * @param {number} [waiting] ms for which the tablet has been waiting for the next step of a case, when it is
 */
export const hello = (at, waiting = 0) => JSON.stringify({ t: "hello", v: VERSION, at, ...(waiting && { waiting }) });

/** @param {Op} op */
export const act = ({ seq, kind, q, value, at, digest }) => JSON.stringify({ t: "op", seq, kind, q, value, at, digest });

/** @param {string} paper SHA-256 of the verified file, 64 hexadecimal digits */
export const ready = (paper) => JSON.stringify({ t: "ready", paper });

/** @param {number} at tablet's clock, ms  @param {number} q question on screen, 0 for none */
export const ping = (at, q) => JSON.stringify({ t: "ping", at, q });

/** @param {boolean} raised */
export const call = (raised) => JSON.stringify({ t: "call", raised });

const isCount = (value) => Number.isSafeInteger(value) && value >= 0;
const isText = (value) => typeof value === "string";
const isDigest = (value) => isText(value) && /^[0-9a-f]{64}$/.test(value);
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const isNumbers = (value) => Array.isArray(value) && value.every(isCount);
const isTexts = (value) => isObject(value) && Object.values(value).every(isText);
const isAbsent = (value) => value === undefined;
const isPaper = (value) =>
  isObject(value) && isDigest(value.digest) && isCount(value.bytes) && isText(value.url);
const isSitting = (value) =>
  isObject(value) && isCount(value.id) && isText(value.title) && isCount(value.starts_at) && isCount(value.duration) && isText(value.offline_clock);
const or = (...checks) => (value) => checks.some((check) => check(value));
const isNull = (value) => value === null;

/** What each frame of the server must hold. */
const SHAPES = {
  state: {
    v: isCount, now: isCount, status: isText, ends_at: or(isCount, isNull), sitting: isSitting, sheet: isText,
    paper: or(isPaper, isNull), seq: isCount, digest: isDigest, keys: isTexts, answers: isTexts, sealed: isNumbers,
    flags: isNumbers, strikes: isTexts, position: isCount,
  },
  ack: { seq: isCount, keys: or(isTexts, isAbsent) },
  refused: { code: isText, text: isText, seq: or(isCount, isAbsent) },
  status: { now: isCount, status: isText, ends_at: or(isCount, isNull), keys: or(isTexts, isAbsent) },
  pong: { at: isCount, now: isCount },
  bye: { code: isText, text: isText },
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
  if (!isObject(frame) || !Object.hasOwn(SHAPES, frame.t)) return null;
  const fits = Object.entries(SHAPES[frame.t]).every(([name, check]) => check(frame[name]));
  return fits ? frame : null;
}
