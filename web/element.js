// <undertone-demo>: a poster, then host.js.
const site = { bytes: 0, models: {} };

const ofFrame = ["prompt", "seed", "steps", "size", "cfg", "guidance", "guidancerows", "ablate", "weight", "preset", "schedule", "compare", "controls", "model", "precision"];
const ofFacade = ["src", "theme", "lang", "poster", "autoload"];
const names = [...ofFrame, ...ofFacade];

const texts = {
  en: ["Open demo", "Its model, %, comes after a press inside. Pictures are drawn on your device, and what you do stays there.", "A picture drawn on your device"],
  zh: ["打开演示", "打开后再按一次，才会下载模型（%）。图片在您的设备上绘制，您做的一切也只留在设备上。", "在您的设备上绘制的图片"],
};

const style = new CSSStyleSheet();
style.replaceSync(`
:host{display:block;container-type:inline-size;max-width:720px;margin:1.5em auto}
:host([hidden]){display:none}
:host([theme=light]){color-scheme:light}
:host([theme=dark]){color-scheme:dark}
figure,iframe{box-sizing:border-box;width:100%;margin:0;border:0;border-radius:20px;background:Canvas;background:light-dark(#fff,#1d1a24);outline:1px solid #8886;outline-offset:-1px;box-shadow:0 8px 24px #0001}
iframe{display:block}
figure{display:grid;gap:10px 20px;padding:16px;color:CanvasText;color:light-dark(#1e1a24,#f1eef6);font:16px/1.5 system-ui}
figure[hidden]{display:none}
[part=poster]{aspect-ratio:1;border-radius:20px;overflow:hidden;background:radial-gradient(at 30% 25%,hsl(var(--hue) 80% 60%/.5),#0000 70%),radial-gradient(at 75% 80%,hsl(calc(var(--hue) + 80) 80% 60%/.5),#0000 70%),light-dark(#f0edf2,#282431)}
img[hidden]{display:none!important}
img,::slotted(img){display:block;width:100%;height:100%;object-fit:cover}
[part=text]{display:grid;gap:10px;align-content:center;min-height:271px;font-size:14px}
figcaption{font-size:17px;font-weight:600;overflow-wrap:anywhere;max-height:3em;overflow:hidden}
button{justify-self:start;min-height:44px;padding:0 24px;border:0;border-radius:14px;background:#5b3fd4;background:var(--undertone-button,light-dark(#5b3fd4,#a793ff));color:light-dark(#fff,#17122b);font:600 16px system-ui;cursor:pointer}
button:focus-visible{outline:3px solid;outline-offset:2px}
small{font-size:14px;opacity:.8}
@container (min-width:560px){figure{grid-template-columns:minmax(0,352px) minmax(0,1fr)}[part=text]{min-height:0}}
@media print{iframe,button,small{display:none!important}figure,figure[hidden]{display:grid;break-inside:avoid}[part=text]{min-height:0}}
`);

const make = (tag, values, ...inside) => {
  const e = Object.assign(document.createElement(tag), values);
  e.append(...inside);
  return e;
};

export class UndertoneDemo extends HTMLElement {
  static observedAttributes = names;
  #host;
  #opened;
  #image = make("img", { part: "image" });
  #caption = make("figcaption", { part: "caption" });
  #label = make("slot", { name: "label" });
  #button = make("button", { part: "button", onclick: () => this.load() }, this.#label, "");
  #note = make("small", { part: "note" });
  #poster = make("div", { part: "poster" }, make("slot", { name: "poster" }, this.#image));
  #figure = make("figure", { part: "figure" }, this.#poster, make("div", { part: "text" }, this.#caption, this.#button, this.#note));
  #sight = new IntersectionObserver((seen) => seen.at(-1).isIntersecting && this.autoload === "visible" && this.load());

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open", delegatesFocus: true });
    root.adoptedStyleSheets = [style];
    root.append(this.#figure);
  }

  connectedCallback() {
    for (const name of names) {
      if (!Object.hasOwn(this, name)) continue;
      const value = this[name];
      delete this[name];
      this[name] = value;
    }
    this.#draw();
    this.#sight.observe(this);
  }

  disconnectedCallback() {
    this.#sight.disconnect();
    this.#host?.end();
    this.#host = this.#opened = undefined;
  }

  attributeChangedCallback(name) {
    if (!this.isConnected) return;
    this.#draw();
    this.#host?.send(name);
  }

  load() {
    if (!this.#opened) (this.#opened = this.#open()).catch(() => {});
    return this.#opened;
  }

  async #open() {
    try {
      await new Promise((onload, onerror) => {
        const link = make("link", { rel: "modulepreload", href: new URL("./host.js", import.meta.url), integrity: "./host.js#integrity", onload, onerror });
        if (link.relList.supports(link.rel)) document.head.append(link);
        else onload();
      });
      this.#host = new (await import("./host.js")).Host(this, this.#figure, ofFrame, this.#texts(), import.meta.url);
    } catch {
      const message = (this.#note.textContent = "The demo did not load.");
      const detail = Object.assign(new Error(message), { code: "embed-failed", advice: "" });
      this.dispatchEvent(new CustomEvent("undertone-error", { detail, bubbles: true, composed: true }));
      throw detail;
    }
    return this.#host.ready;
  }

  generate() {
    return this.#ask("generate");
  }

  stop() {
    this.#host?.stop();
  }

  toBlob() {
    return this.#ask("blob");
  }

  settings() {
    return this.#host?.settings;
  }

  async #ask(type) {
    if (this.#host) return this.#host.ask(type);
    throw Object.assign(new Error("Press Start first."), { code: "needs-consent" });
  }

  #texts = () => texts[/^zh/i.test(this.closest("[lang]")?.lang) ? "zh" : "en"];

  #draw() {
    const [button, note, something] = this.#texts();
    const { prompt, model } = this;
    const poster = this.poster ?? this.querySelector("img")?.src;
    const megabytes = (n) => (n ? `${(n / 1e6).toFixed(1)} MB` : "?");
    this.#caption.textContent = prompt ? `“${prompt}”` : something;
    this.#label.textContent = button;
    this.#button.lastChild.data = ` · ${megabytes(site.bytes)}`;
    this.#note.textContent = note.replace("%", megabytes(site.models[model ?? Object.keys(site.models)[0]]));
    this.#image.hidden = !poster;
    this.#image.alt = prompt ?? "";
    if (poster) this.#image.src = poster;
    let hue = Number(this.seed);
    for (const c of prompt ?? "") hue = (hue * 31 + c.codePointAt(0)) % 360;
    this.#poster.style.setProperty("--hue", hue);
  }
}

for (const name of names) {
  if (name === "lang") continue;
  Object.defineProperty(UndertoneDemo.prototype, name, {
    get() {
      return name === "compare" ? this.hasAttribute(name) : this.getAttribute(name);
    },
    set(value) {
      if (value == null || value === false) this.removeAttribute(name);
      else this.setAttribute(name, value === true ? "" : typeof value === "object" ? JSON.stringify(value) : value);
    },
    enumerable: true,
  });
}

customElements.get("undertone-demo") ?? customElements.define("undertone-demo", UndertoneDemo);
