/** What the page asks the service: one function a route. Errors are its own one line. */

import { tableFromIPC } from "./vendor/flechette.js";

const AGAIN = 4; // seconds until a service that refused its events is asked for them again

export class Refused extends Error {
  /** @param {string} line @param {number} status 0 where nothing answered */
  constructor(line, status) {
    super(line);
    this.status = status;
  }
}

async function ask(parts, query = {}, options = {}) {
  const path = parts.map(encodeURIComponent).join("/");
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query))
    for (const one of [value].flat()) if (one !== undefined && one !== null && one !== "") search.append(key, one);
  const asked = search.size ? `/${path}?${search}` : `/${path}`;
  let reply;
  try {
    reply = await fetch(asked, { credentials: "same-origin", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused("the service does not answer; it may have ended: start it again with 'refract explore'", 0);
  }
  if (!reply.ok) throw new Refused(await reason(reply), reply.status);
  return reply;
}

async function reason(reply) {
  if (reply.status === 401) return "the page is not signed in any more; open the link that 'refract explore' prints";
  try {
    const { detail } = await reply.json();
    return typeof detail === "string" ? detail : detail.map((one) => `${one.loc?.at(-1)}: ${one.msg}`).join("; ");
  } catch {
    return `the service answered ${reply.status}; look where it runs`;
  }
}

const json = async (...asked) => (await ask(...asked)).json();

async function arrow(...asked) {
  const reply = await ask(...asked);
  if (reply.status === 202) return { making: (await reply.json()).making ?? 0 };
  return { table: tableFromIPC(new Uint8Array(await reply.arrayBuffer())) };
}

export const views = () => json(["views"]);
export const view = (name) => json(["views", name]);
export const versions = (name) => json(["views", name, "versions"]);
export const compare = (name, to) => json(["views", name, "compare"], { to });
export const search = (name, query) => json(["views", name, "search"], query);
export const similar = (name, id, query) => json(["views", name, "similar", id], query);
export const rows = (name, query) => json(["views", name, "rows"], query);
export const facets = (name, query) => json(["views", name, "facets"], query);
export const texts = (name, id) => json(["views", name, "texts"], { id });
export const suggest = (name, n) => json(["views", name, "suggest"], { n });
export const random = (name, n) => json(["views", name, "suggest"], { n, random: true });
export const doubts = (name, n) => json(["views", name, "doubts"], { n });
export const labels = (name) => json(["views", name, "labels"]);
export const points = (name, standing) => arrow(["views", name, "points"], { standing: standing || undefined });
export const column = (name, of) => arrow(["views", name, "column", of]);
export const matching = (name, query) => arrow(["views", name, "matching"], query);

/** Begin an instruction by what its labels are called; body: classes, known_as. */
export const begin = (name, body) =>
  json(["views", name, "classes"], {}, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

/** Post labels; body: key, annotator, rows. */
export const label = (name, body) =>
  json(["views", name, "labels"], {}, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

/**
 * Call `told[event](data)` for each event of the service, and `told.again()` when it is back after a gap.
 * A browser comes back by itself after a lost connection, but not after a refusal: `told.refused()`, once, and it is asked again.
 */
export function listen(told) {
  let lost = false;
  let refused = false;
  const connect = () => {
    const source = new EventSource("/events");
    source.addEventListener("error", () => {
      lost = true;
      if (source.readyState !== EventSource.CLOSED) return;
      if (!refused) told.refused();
      refused = true;
      setTimeout(connect, 1000 * AGAIN);
    });
    source.addEventListener("open", () => {
      if (lost) told.again();
      lost = refused = false;
    });
    source.addEventListener("missed", () => told.again());
    for (const event of ["labels", "fit", "fitted", "live", "version", "failed", "corpus"])
      source.addEventListener(event, ({ data }) => told[event](JSON.parse(data)));
  };
  connect();
}
