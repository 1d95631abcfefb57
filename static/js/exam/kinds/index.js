// The kinds that this page can show. A new one is one file here and one line below.
import * as qrm from "./qrm.js";
import * as qroc from "./qroc.js";
import * as qrp from "./qrp.js";
import * as qrpl from "./qrpl.js";
import * as qru from "./qru.js";
import * as tcs from "./tcs.js";
import * as zap from "./zap.js";

/**
 * What each kind knows of its form. `value` is the canonical text of exams/rules/answers.py.
 *
 * - `read`, `write`: the value that the form shows; `write` leaves alone what is being typed;
 * - `watch`: hears the candidate, once per form, and calls `act`;
 * - `summary`: the answer in a few words; `chosen`: each thing answered, as a mark and a text, to be read again;
 * - `isClearable`: whether the bar under the question offers to erase the answer;
 * - `writeStrikes`: for kinds whose propositions can be struck out.
 *
 * @type {Record<string, {read: (form: HTMLElement) => string, write: (form: HTMLElement, value: string) => void,
 *   watch: (form: HTMLElement, act: (act: "answer" | "strike", value: string) => void) => void,
 *   summary: (value: string) => string, chosen: (form: HTMLElement, value: string) => [string, string][],
 *   isClearable: boolean, writeStrikes?: (form: HTMLElement, letters: string) => void}>}
 */
export const KINDS = { QRU: qru, QRM: qrm, QRP: qrp, QRPL: qrpl, QROC: qroc, TCS: tcs, ZAP: zap };
