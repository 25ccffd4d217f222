/** A filter as the form holds it, and the condition that the service is asked with. */

/**
 * @typedef {{ labels?: string[], confidence?: number[], novelty?: number[], columns?: Object<string, {values?: string[], from?: string, to?: string}>, condition?: string }} Filter
 */

const name = (column) => `"${column.replaceAll('"', '""')}"`;
const quoted = (text) => `'${text.replaceAll("'", "''")}'`;
const oneOf = (column, values) => `${name(column)} IN (${values.map(quoted).join(", ")})`;

/** Return the condition of a filter; readings: whether the view has label, confidence and novelty. */
export function where(filter, readings, types = {}) {
  const parts = [];
  if (readings) {
    if (filter.labels?.length) parts.push(oneOf("label", filter.labels));
    for (const reading of ["confidence", "novelty"]) parts.push(...between(reading, filter[reading] ?? [], String));
  }
  for (const [column, { values, from, to }] of Object.entries(filter.columns ?? {})) {
    if (values?.length) parts.push(types[column] === "boolean" ? values.map((one) => `${name(column)} = ${one}`).join(" OR ") : oneOf(column, values));
    const literal = (value) => (Number.isFinite(Number(value)) ? String(value) : quoted(value));
    parts.push(...between(column, [from, to], literal));
  }
  if (filter.condition?.trim()) parts.push(filter.condition.trim());
  return parts.length === 1 ? parts[0] : parts.map((part) => `(${part})`).join(" AND ");
}

/** Return a condition that these facets have texts for, as an example of one. */
export function example({ labels, columns }, readings) {
  const [label] = Object.keys(labels);
  if (readings && label !== undefined) return `label = ${quoted(label)} AND confidence > 0.8`;
  for (const [column, { kind, values, min }] of Object.entries(columns)) {
    const [value] = Object.keys(kind === "values" ? values : {});
    if (value !== undefined) return `${name(column)} = ${quoted(value)}`;
    if (typeof min === "number") return `${name(column)} > ${min}`;
  }
  return "";
}

function between(column, [low, high], literal) {
  const said = (value) => value !== undefined && value !== null && value !== "";
  return [said(low) && `${name(column)} >= ${literal(low)}`, said(high) && `${name(column)} <= ${literal(high)}`].filter(Boolean);
}

/** Return the filter without empty parts. */
export function tidy(filter) {
  const columns = Object.fromEntries(
    Object.entries(filter.columns ?? {}).filter(([, { values, from, to }]) => values?.length || from || to),
  );
  const kept = {};
  if (filter.labels?.length) kept.labels = filter.labels;
  for (const reading of ["confidence", "novelty"]) if (filter[reading]?.some((value) => value !== null)) kept[reading] = filter[reading];
  if (Object.keys(columns).length) kept.columns = columns;
  if (filter.condition?.trim()) kept.condition = filter.condition;
  return kept;
}

/** Return the filter with a label, or a value of a column, put in or taken out. */
export function toggled(filter, by, value) {
  const flip = (values = []) => (values.includes(value) ? values.filter((one) => one !== value) : [...values, value]);
  if (by === "label") return tidy({ ...filter, labels: flip(filter.labels) });
  const column = filter.columns?.[by] ?? {};
  return tidy({ ...filter, columns: { ...filter.columns, [by]: { ...column, values: flip(column.values) } } });
}

/** Tell whether a filter holds a label, or a value of a column. */
export function holds(filter, by, value) {
  return (by === "label" ? filter.labels : filter.columns?.[by]?.values)?.includes(value) ?? false;
}
