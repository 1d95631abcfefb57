// The kinds that this page can show. A new one is one file here and one line below.
import * as qrm from "./qrm.js";
import * as qru from "./qru.js";

/** @type {Record<string, {read: (form: HTMLElement) => string, write: (form: HTMLElement, value: string) => void,
 *   summary: (value: string) => string, hint: string, isClearable: boolean}>} */
export const KINDS = { QRU: qru, QRM: qrm };
