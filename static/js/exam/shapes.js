// What a value must be to be believed: frames of the server, rows of the tablet's own storage.

export const isCount = (value) => Number.isSafeInteger(value) && value >= 0;
export const isText = (value) => typeof value === "string";
export const isFlag = (value) => typeof value === "boolean";
export const isNull = (value) => value === null;
export const isAbsent = (value) => value === undefined;
export const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
export const isDigest = (value) => isText(value) && /^[0-9a-f]{64}$/.test(value);
export const isNumbers = (value) => Array.isArray(value) && value.every(isCount);
export const isTexts = (value) => isObject(value) && Object.values(value).every(isText);

/** @param {...((value: unknown) => boolean)} checks */
export const or = (...checks) => (value) => checks.some((check) => check(value));

/** @param {...string} words */
export const oneOf = (...words) => (value) => words.includes(value);

/** Whether an object holds what a shape asks for, whatever else it holds. @param {Record<string, (value: unknown) => boolean>} shape */
export const fits = (shape) => (value) =>
  isObject(value) && Object.entries(shape).every(([name, check]) => check(value[name]));
