// The chain of a sheet's ops: each digest covers everything before it. The Python twin is exams/rules/ops.py.

/** @typedef {import("./protocol.js").Op} Op */

const encoder = new TextEncoder();

/** @param {Uint8Array} bytes @returns {Promise<string>} 64 hexadecimal digits */
export async function sha256(bytes) {
  return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}

/** @param {Uint8Array} bytes */
export const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** @param {string} text an even number of hexadecimal digits */
export const bytesOf = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

/**
 * The digest that the first op of a sheet chains to.
 * @param {number} sitting @param {string} sheet
 */
export const genesis = (sitting, sheet) => sha256(encoder.encode(`ecni-sheet/1|${sitting}|${sheet}`));

/**
 * The op that follows `previous`, with its digest.
 * @param {{seq: number, digest: string}} previous head of the chain
 * @param {{kind: string, q: number, value: string, at: number}} content
 * @returns {Promise<Op>}
 */
export async function chained(previous, { kind, q, value, at }) {
  const seq = previous.seq + 1;
  const line = encoder.encode(`${seq}|${kind}|${q}|${at}|${value}`);
  const bytes = new Uint8Array(32 + line.length);
  bytes.set(bytesOf(previous.digest));
  bytes.set(line, 32);
  return { seq, kind, q, value, at, digest: await sha256(bytes) };
}

/**
 * What the candidate keeps of the head of the chain: 8 groups of 4 hexadecimal digits, two by two.
 * @param {string} digest
 */
export function receiptCode(digest) {
  const groups = digest.slice(0, 32).toUpperCase().match(/.{8}/g) ?? [];
  return groups.map((pair) => `${pair.slice(0, 4)} ${pair.slice(4)}`).join(" · ");
}
