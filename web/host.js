// What <undertone-demo> (element.js) does once its button was pressed: it puts the frame in
// the place of the poster, and talks with it. What the frame may be asked for, and what
// not, is decided there (frame.js).

const version = 1; // of what is said; frame.js has the same
const events = ["ready", "progress", "step", "image", "error", "settings"];
const heights = [80, 4000]; // the frame's, in pixels

function fault({ code = "internal", message = code, advice = "" }) {
  return Object.assign(new Error(message), { name: code === "aborted" ? "AbortError" : "UndertoneError", code, advice });
}

export class Host {
  /** Resolves to what the frame tells of the model, once it is known. */
  ready;
  /** What the frame is set to, as it told last; what the attributes say until then. */
  settings;

  #element;
  #figure;
  #names; // of the attributes that the frame knows
  #texts;
  #frame;
  #origin;
  #port;
  #calls = new Map(); // number → { resolve, reject } of what the frame was asked
  #last = 0;
  #sent; // what the frame was told to show last
  #changed = false; // the reader has changed that in the frame
  #asked = false; // an attribute that says what is drawn was set
  #due = 0;
  #page = new MutationObserver(() => this.send()); // it may turn from light to dark

  constructor(element, figure, names, texts, script) {
    this.#element = element;
    this.#figure = figure;
    this.#names = names;
    this.#texts = texts;
    this.settings = Object.fromEntries(names.filter((name) => element.hasAttribute(name)).map((name) => [name, element.getAttribute(name)]));
    this.ready = new Promise((resolve, reject) => this.#calls.set("ready", { resolve, reject }));
    this.ready.catch(() => {}); // who did not ask for it is told by an event
    if (!element.isConnected) return this.end();
    try {
      this.#open(this.#address(script));
    } catch ({ message }) {
      this.#fail({ code: "src-invalid", message, advice: "Give the address of the folder that the site is in." });
    }
  }

  /** The frame's: in the folder src, or else beside element.js. */
  #address(script) {
    const { src } = this.#element;
    const address = new URL("embed.html", src === null ? script : new URL(src, document.baseURI));
    if (!/^https?:$/.test(address.protocol)) throw new TypeError(`${address.protocol} is no address of a site`);
    return address;
  }

  #open(address) {
    addEventListener("message", this.#hello);
    for (const e of [document.documentElement, document.body]) this.#page.observe(e, { attributes: true });
    this.#origin = address.origin;
    address.hash = this.#sent = this.#hash();
    this.#frame = document.createElement("iframe");
    this.#frame.title = this.#element.prompt || this.#texts[2];
    this.#frame.allow = "clipboard-write; web-share; fullscreen";
    this.#frame.src = address;
    this.#frame.setAttribute("part", "frame");
    this.#frame.style.height = `${this.#figure.offsetHeight}px`; // so that nothing moves
    const root = this.#figure.parentNode;
    const focused = root.activeElement;
    this.#figure.hidden = true;
    root.append(this.#frame);
    if (focused) this.#frame.focus();
  }

  /** Takes the frame away. The browser ends its worker, with all that it has of the GPU. */
  end() {
    removeEventListener("message", this.#hello);
    this.#page.disconnect();
    clearTimeout(this.#due);
    this.#port?.close();
    this.#port = undefined;
    this.#frame?.remove();
    this.#figure.hidden = false;
    for (const id of this.#calls.keys()) this.#settle(id, undefined, { code: "aborted" });
  }

  /** Asks for a picture ("generate") or its file ("blob"). */
  ask(type) {
    return new Promise((resolve, reject) => {
      const id = ++this.#last;
      this.#calls.set(id, { resolve, reject });
      if (this.#port) this.#port.postMessage({ type, id });
      else this.#settle(id, undefined, { code: "needs-consent" }); // nobody can have pressed yet
    });
  }

  stop() {
    this.#port?.postMessage({ type: "stop" });
  }

  /** Sends what has changed, of many changes the last: what the attributes say, once one of
   * them was set (by this name), or else how the page looks, which leaves alone what the
   * reader has changed in the frame. */
  send(name) {
    this.#asked ||= this.#names.includes(name);
    this.#due ||= setTimeout(() => {
      const value = this.#hash();
      const type = this.#asked ? "set" : "look";
      const same = value === this.#sent && !(this.#asked && this.#changed);
      this.#due = 0;
      this.#asked = false;
      if (same) return;
      this.#sent = value;
      if (type === "set") this.#changed = false;
      this.#port?.postMessage({ type, value });
    });
  }

  /** What the frame shows, as it stands in the hash of its address. */
  #hash() {
    const q = new URLSearchParams();
    for (const name of this.#names) {
      if (this.#element.hasAttribute(name)) q.set(name === "guidancerows" ? "guidanceRows" : name, this.#element.getAttribute(name));
    }
    // Where the page asks for no scheme, it is light whatever the browser prefers.
    const { colorScheme } = getComputedStyle(this.#element);
    const asked = colorScheme.match(/light|dark/g) ?? ["light"];
    q.set("theme", this.#element.theme ?? (asked.length > 1 ? "auto" : asked[0]));
    const lang = this.#element.closest("[lang]")?.lang;
    if (lang) q.set("lang", lang);
    return q.toString();
  }

  /** Gives the frame a port, for the nonce that it sends: to this frame, while it shows a
   * document of the site, and to nobody else. */
  #hello = ({ source, origin, data }) => {
    if (source !== this.#frame.contentWindow || data?.undertone !== "hello" || typeof data.nonce !== "string" || data.nonce.length > 99) return;
    // A frame without an origin gets no port: who it is cannot be told.
    if (origin === "null") return this.#fail({ code: "embed-failed", message: "This page is in a sandbox without allow-same-origin, where browsers start no worker.", advice: "Open the full page." });
    if (origin !== this.#origin) return;
    if (data.version !== version) return this.#fail({ code: "protocol-mismatch", message: `The frame speaks version ${Number(data.version)}, element.js version ${version}.`, advice: "Reload the page." });
    const { port1, port2 } = new MessageChannel();
    this.#port?.close(); // of the document that was there before
    this.#port = port1;
    port1.onmessage = (event) => this.#receive(event.data);
    source.postMessage({ undertone: "connect", version, nonce: data.nonce }, origin, [port2]);
    if (this.#hash() !== this.#sent) this.send("prompt");
  };

  #receive({ type, detail, id, value, fault: wrong }) {
    if (type === "height") this.#frame.style.height = `${Math.min(Math.max(Number(detail) || 0, heights[0]), heights[1])}px`;
    else if (type === "answer") this.#settle(id, value, wrong);
    else if (events.includes(type)) {
      if (type === "settings") {
        this.settings = detail;
        this.#changed ||= detail.reader;
      }
      if (type === "ready") this.#settle("ready", detail);
      this.#tell(type, detail);
    }
  }

  /** Ends the wait for a frame that cannot be used. */
  #fail(wrong) {
    this.#tell("error", wrong);
    this.#settle("ready", undefined, wrong);
  }

  #settle(id, value, wrong) {
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    if (wrong?.code === "needs-consent") wrong.message = "Open the demo and press Start in it first.";
    if (wrong) call?.reject(fault(wrong));
    else call?.resolve(value);
  }

  #tell(type, detail) {
    this.#element.dispatchEvent(new CustomEvent(`undertone-${type}`, { detail, bubbles: true, composed: true }));
  }
}
