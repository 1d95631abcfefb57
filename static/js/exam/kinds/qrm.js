// One or several answers: check boxes, each cleared by itself.
export { chosen, read, summary, watch, write, writeStrikes } from "./choice.js";

export const isClearable = false;
