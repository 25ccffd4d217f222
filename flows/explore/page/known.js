/** Texts that were fetched, by view and version, so that none is asked for twice. */

import * as api from "./api.js";

const MOST = 5_000;
const AT_ONCE = 100;
let kept = new Map();
let of = "";

const key = ({ listed }) => `${listed?.name} ${listed?.transform}`;

function current(model) {
  if (of !== key(model) || kept.size > MOST) [kept, of] = [new Map(), key(model)];
  return kept;
}

/** Keep what came with a list, unless another view or version is `listed` by now. */
export function keep(model, listed, hits) {
  if (key(model) !== key({ listed })) return;
  const texts = current(model);
  for (const hit of hits) texts.set(hit.id, hit);
}

/** Return the texts with these ids, in their order, without any that there is not. */
export async function texts(model, ids) {
  const { listed } = model;
  const known = current(model);
  const missing = ids.filter((id) => !known.has(id));
  for (let at = 0; at < missing.length; at += AT_ONCE) {
    const found = await api.texts(listed.name, missing.slice(at, at + AT_ONCE));
    for (const text of found.texts) known.set(text.id, text);
  }
  return ids.map((id) => known.get(id)).filter(Boolean);
}

/** Return a text that was fetched for this view and version, if it was. */
export const seen = (model, id) => current(model).get(id);
