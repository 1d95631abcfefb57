// As many answers as announced: check boxes that take no tick more, and a count beside them.
export { chosen, read, summary, watch, write, writeStrikes } from "./choice.js";

export const isClearable = false;
