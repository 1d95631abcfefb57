// Hours and numbers as a French reader expects them.

/** @param {number} ms since 1970 @returns {string} `"17 h 12"` */
export function hour(ms) {
  const date = new Date(ms);
  return `${date.getHours()} h ${String(date.getMinutes()).padStart(2, "0")}`;
}

/** @param {number} ms since 1970 @returns {string} `"17:04:31"` */
export const second = (ms) => new Date(ms).toLocaleTimeString("fr-FR");

/** @param {number} count @param {string} one @param {string} many @returns {string} `"3 réponses"` */
export const plural = (count, one, many) => `${count.toLocaleString("fr-FR")} ${count > 1 ? many : one}`;

/** @param {number} bytes @returns {string} `"18,4 Mo"` */
export const megabytes = (bytes) =>
  `${(bytes / 1e6).toLocaleString("fr-FR", { maximumFractionDigits: 1, minimumFractionDigits: 1 })} Mo`;
