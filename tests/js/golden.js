// The golden messages that the Python tests read too.
import { readFileSync } from "node:fs";

/** @param {string} name */
export const golden = (name) => JSON.parse(readFileSync(new URL(`../wire/${name}.json`, import.meta.url), "utf8"));
