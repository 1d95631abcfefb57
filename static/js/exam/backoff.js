// How long to wait before trying again: full jitter, so that a hall of tablets never comes back in step.

export const BASE_MS = 500;
export const CAP_MS = 15_000;

/**
 * @param {number} attempt failures in a row, from 0 @param {() => number} random in [0, 1) @param {number} [cap] ms, the longest
 * @returns {number} ms
 */
export const delay = (attempt, random, cap = CAP_MS) => random() * Math.min(cap, BASE_MS * 2 ** Math.min(attempt, 10));
