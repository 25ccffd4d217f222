/** Elements of the page, made without markup: whatever comes from a corpus becomes text. */

/** Return a new element. `on…` are listeners, names with '-' and `role` attributes, all else properties. */
export function make(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key.includes("-") || key === "role" || key === "list" || key === "for") made.setAttribute(key, value);
    else made[key] = value;
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

export const byId = (id) => document.getElementById(id);

/** Put `children` in the place of what an element holds. */
export const fill = (element, ...children) => element.replaceChildren(...children.flat(Infinity).filter((child) => child || child === 0));

const REACHED = "button, input, select";

/** The same, but what has the focus, or was typed, is kept: the control of its kind that stands in the same place has it then. */
export function refill(element, ...children) {
  const active = element.contains(document.activeElement) ? document.activeElement : null;
  const alike = () => [...element.querySelectorAll(REACHED)].filter(({ tagName, type }) => tagName === active?.tagName && type === active?.type);
  const at = alike().indexOf(active);
  fill(element, ...children);
  const now = alike();
  const next = at < 0 ? null : now[Math.min(at, now.length - 1)];
  if (!next) return;
  if (next !== active && next.type === "text" && active.type === "text") next.value = active.value;
  next.focus();
}

const numbers = new Intl.NumberFormat("en");
export const count = (n) => numbers.format(n);
export const percent = (share) => `${Math.round(100 * share)} %`;
export const texts = (n) => `${count(n)} ${n === 1 ? "text" : "texts"}`;

/** Return a coloured dot: entry 0 to 8 of the labels' colours, any other one grey. */
export const dot = (entry) => make("span", { className: `dot dot-${entry >= 0 && entry < 9 ? entry : "rest"}`, "aria-hidden": "true" });

/** Return `call`, put off until `wait` milliseconds without another. */
export function calm(call, wait) {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => call(...given), wait);
  };
}
