// Building nodes. Text only ever becomes a text node: nothing on this page parses markup at run time.

type Child = Node | string | null;

/** Attributes as HTML names them; `true` writes an empty one, `false` and `null` none. */
type Attributes = Readonly<Record<string, string | number | boolean | null>>;

/** A new element. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null) continue;
    element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children) if (child !== null) element.append(child);
  return element;
}

/** A button that does something. */
export function button(text: string, onClick: () => void, className = ""): HTMLButtonElement {
  const element = h("button", { type: "button", class: className === "" ? null : className }, text);
  element.addEventListener("click", onClick);
  return element;
}

/** The element of the page with this id. */
export function byId<T extends HTMLElement>(id: string, type: new () => T): T {
  const element = document.getElementById(id);
  if (!(element instanceof type)) throw new Error(`index.html has no ${type.name} #${id}`);
  return element;
}

/** Tells a screen reader, and nobody else. */
export function announce(text: string): void {
  byId("status", HTMLElement).textContent = text;
}
