// <undertone-value>: a number, or one of some words, in a sentence. It sets an attribute of
// another element, as a rule of an <undertone-demo>, and follows what the reader changes in
// the demo's frame. It needs no inline style or script.
// Without this script, its content is the text that stands there.

const style = new CSSStyleSheet();
style.replaceSync(`
:host{font-variant-numeric:tabular-nums}
:host([role]){padding:0 .2em;border-bottom:2px dotted;cursor:ew-resize;touch-action:pan-y;user-select:none;-webkit-user-select:none;white-space:nowrap}
:host(:focus-visible){outline:3px solid;outline-offset:2px;border-radius:.2em}
select{font:inherit;color:inherit;padding:0 .2em;background:Canvas;background:light-dark(#f0edf2,#282431);border:1px solid;border-radius:.4em;max-width:100%}
`);

const perStep = 6; // pixels of a drag
const keys = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 5, PageDown: -5, Home: -Infinity, End: Infinity };

export class UndertoneValue extends HTMLElement {
  #text = document.createElement("span");
  #value = "";
  #from; // where a drag began: { x, value }
  #follow = ({ target, detail }) => this.#hear(target, detail);

  constructor() {
    super();
    this.attachShadow({ mode: "open", delegatesFocus: this.hasAttribute("options") }).adoptedStyleSheets = [style];
  }

  connectedCallback() {
    document.addEventListener("undertone-settings", this.#follow);
    const { shadowRoot } = this;
    if (shadowRoot.hasChildNodes()) return; // moved
    const options = this.getAttribute("options");
    if (options !== null) return shadowRoot.append(this.#select(options.split("|")));
    this.#value = this.#near(this.textContent);
    shadowRoot.append(this.#text);
    this.role = "slider";
    this.tabIndex = 0;
    this.ariaLabel ??= this.getAttribute("label");
    this.ariaValueMin = this.getAttribute("min");
    this.ariaValueMax = this.getAttribute("max");
    this.addEventListener("keydown", (e) => {
      const by = e.altKey || e.ctrlKey || e.metaKey ? undefined : keys[e.key];
      if (by === undefined) return;
      e.preventDefault();
      this.#turn(Number(this.#value) + by * this.#step);
    });
    this.addEventListener("pointerdown", (e) => {
      if (e.button !== 0) return;
      this.setPointerCapture(e.pointerId);
      this.#from = { x: e.clientX, value: Number(this.#value) };
    });
    this.addEventListener("pointermove", (e) => {
      if (this.#from) this.#turn(this.#from.value + Math.round((e.clientX - this.#from.x) / perStep) * this.#step);
    });
    for (const end of ["pointerup", "pointercancel"]) this.addEventListener(end, () => (this.#from = undefined));
    this.#draw();
  }

  disconnectedCallback() {
    document.removeEventListener("undertone-settings", this.#follow);
  }

  /** What is chosen, as text; writing it changes the other element too. */
  get value() {
    return this.#value;
  }
  set value(text) {
    if (this.hasAttribute("options")) {
      const select = this.shadowRoot.querySelector("select");
      select.value = text;
      this.#chose(select.value);
    } else this.#turn(Number(text));
  }

  get #step() {
    return Number(this.getAttribute("step")) || 1;
  }

  /** The number that is possible and nearest to another. */
  #near(text) {
    const [min, max] = ["min", "max"].map((name) => Number(this.getAttribute(name)));
    const number = Number(String(text).replace("−", "-"));
    const value = Math.min(Math.max(Number.isNaN(number) ? min : number, min), max);
    return String(Number((min + Math.round((value - min) / this.#step) * this.#step).toFixed(6)));
  }

  #turn(number) {
    const value = this.#near(number);
    if (value === this.#value) return;
    this.#value = value;
    this.#draw();
    this.#apply();
  }

  /** Takes over a number that the reader has changed in the demo, as it is there. */
  #hear(target, settings) {
    if (!settings.reader || target.id !== this.getAttribute("for") || this.hasAttribute("options")) return;
    const name = this.getAttribute("sets") ?? "weight";
    const text = name === "weight" ? settings.guidance.map(({ weight }) => weight).join(" ") || "0" : String(settings[name]);
    const number = "-?\\d+(?:\\.\\d+)?";
    const form = (this.getAttribute("as") ?? "{}").replace(/[$()*+.?[\\\]^|]/g, "\\$&").replace(/\{([^}]*)\}/g, (_, id) => (id ? number : `(${number})`));
    const value = text.match(`^${form}`)?.[1];
    if (value === undefined || value === this.#value) return;
    this.#value = value;
    this.#draw();
    this.dispatchEvent(new Event("change", { bubbles: true }));
  }

  #draw() {
    this.#text.textContent = this.ariaValueText = this.#value.replace("-", "−");
    this.ariaValueNow = this.#value;
  }

  #select(list) {
    const select = document.createElement("select");
    select.ariaLabel = this.getAttribute("label");
    select.append(...list.map((pair) => {
      const [name, ...value] = pair.split("=");
      return new Option(name, value.join("="), false, name === this.textContent.trim());
    }));
    this.#value = select.value;
    select.onchange = () => this.#chose(select.value);
    return select;
  }

  #chose(value) {
    this.#value = value;
    this.#apply();
  }

  /** Sets the attribute: to what "as" says, in which {} stands for this value and {id} for
   * that of another element. An empty text takes the attribute away. A demo is opened. */
  #apply() {
    const of = document.getElementById(this.getAttribute("for"));
    const text = (this.getAttribute("as") ?? "{}").replace(/\{([^}]*)\}/g, (_, id) => (id ? document.getElementById(id)?.value : this.#value) ?? "");
    const name = this.getAttribute("sets") ?? "weight";
    if (text === "") of?.removeAttribute(name);
    else of?.setAttribute(name, text);
    of?.load?.().catch(() => {}); // the element tells by an event what is wrong
    this.dispatchEvent(new Event("change", { bubbles: true }));
  }
}

customElements.get("undertone-value") ?? customElements.define("undertone-value", UndertoneValue);
