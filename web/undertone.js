// The JavaScript API of Undertone. The page and the embed stand on it.
//
//   import { Undertone } from "./undertone/undertone.js"
//   const u = await Undertone.load("undertone/models/sprites/model.json", { onProgress })
//   const r = await u.generate({ prompt: "a red car on the beach", seed: 7 })
//   document.body.append(Object.assign(new Image(), { src: URL.createObjectURL(await r.blob()) }))
//
// This file and the folder assets beside it are served as they are, from the origin
// of the page that imports them: browsers start workers from no other. For an app
// that a bundler builds, see docs/bundlers.md.
//
// The types and what every option means are in undertone.d.ts.
import { advice, limits, messages, version } from "./protocol.js";
import * as kept from "./store.js";
import { script, workerAddress } from "./trusted.js";
import { encode } from "./png.js";
import { compiled } from "./wasm.js";

/** Every failure is one of these; an abort has the name AbortError. */
export class UndertoneError extends Error {
  constructor(code, message, what = advice[code] ?? advice.internal) {
    super(message);
    this.name = code === "aborted" ? "AbortError" : "UndertoneError";
    this.code = code;
    this.advice = what;
  }
}

const aborted = () => new UndertoneError("aborted", "Stopped.");

/** How long an abort waits for the engine to say that it has stopped, in milliseconds. */
const abortPatience = 400;

export class Undertone {
  #link;
  #info;
  #busy = false;

  constructor(link, info) {
    this.#link = link;
    this.#info = info;
  }

  /** What was loaded, and on which device. */
  get info() {
    return this.#info;
  }

  static async load(address, { onProgress, signal, device = "auto", store = false } = {}) {
    if (typeof store !== "boolean") throw new UndertoneError("request-invalid", `The option store is ${show(store)}; true or false are possible.`);
    const url = resolve(address);
    checkDevice(device);
    const link = new Link();
    try {
      await link.start(signal);
      const info = await link.request(messages.load, { address: url, device, store }, { signal, onProgress });
      return new Undertone(link, Object.freeze(info.body));
    } catch (error) {
      link.end();
      throw error;
    }
  }

  /** What is kept on this machine, and how much room there is. */
  static storage() {
    return kept.survey();
  }

  /** Deletes what is kept of one model, or, without an address, of all. */
  static async remove(address) {
    const url = address === undefined ? undefined : resolve(address);
    try {
      await kept.remove(url);
    } catch (error) {
      throw new UndertoneError("storage-refused", `The browser did not delete what is kept: ${error.message}`);
    }
  }

  /** Asks the browser not to delete what is kept when the disk runs low. */
  static async persist() {
    try {
      return (await navigator.storage.persisted()) || (await navigator.storage.persist());
    } catch {
      return false; // sandboxed frames and insecure pages have no say
    }
  }

  async generate(request) {
    const body = checkRequest(request, this.#info);
    const { onStep, signal } = request;
    if (this.#busy) throw new UndertoneError("busy", "A picture is already being made.");
    this.#busy = true;
    try {
      body.preview = typeof onStep === "function";
      const { body: result, pixels, seen } = await this.#link.request(messages.generate, body, {
        signal,
        onStep,
        onLoaded: (info) => (this.#info = Object.freeze(info)),
      });
      return picture(result, pixels, seen);
    } finally {
      this.#busy = false;
    }
  }

  /** Frees the device and all memory. Later calls reject with the code "closed". */
  close() {
    this.#link.end();
  }
}

/** The connection to one worker. */
class Link {
  #worker;
  #waiting = new Map(); // request id → { resolve, reject, onProgress, onStep, onLoaded }
  #next = 1;
  #over; // the error with which everything after the end rejects

  async start(signal) {
    if (signal?.aborted) throw aborted();
    const module = await compiled().catch((error) => {
      throw new UndertoneError("worker-failed", `The engine could not be fetched: ${error.message}`);
    });
    try {
      this.#worker = new Worker(script(workerAddress), { type: "module", name: "undertone" });
    } catch (error) {
      throw new UndertoneError("worker-failed", `The browser did not start the engine's worker: ${error.message}`);
    }
    this.#worker.onmessage = ({ data }) => this.#receive(data);
    this.#worker.onerror = (event) => {
      event.preventDefault?.();
      this.#fail(new UndertoneError("worker-failed", `The engine's worker has failed: ${event.message || "its script could not be loaded"}`));
    };
    await this.request(messages.init, undefined, { signal, module });
  }

  request(type, body, { signal, module, ...listeners } = {}) {
    if (this.#over) return Promise.reject(this.#over);
    if (signal?.aborted) return Promise.reject(aborted());
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      let timer;
      const onAbort = () => {
        if (type === messages.init) return settle(reject)(aborted()); // nothing to stop yet
        this.#post(messages.abort, id);
        timer = setTimeout(() => settle(reject)(aborted()), abortPatience);
      };
      const settle = (then) => (value) => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", onAbort);
        this.#waiting.delete(id);
        then(value);
      };
      this.#waiting.set(id, { resolve: settle(resolve), reject: settle(reject), ...listeners });
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#post(type, id, body && JSON.stringify(body), module);
    });
  }

  end(error = new UndertoneError("closed", "This model was closed.")) {
    if (this.#over) return;
    this.#over = error;
    for (const w of [...this.#waiting.values()]) w.reject(error);
    if (!this.#worker) return;
    // The engine frees the GPU and ends the worker; if it hangs, the worker is ended here.
    this.#post(messages.close, 0);
    setTimeout(() => this.#worker.terminate(), 1000);
  }

  #post(type, id, body, module) {
    this.#worker.postMessage({ v: version, type, id, body, module });
  }

  #receive({ v, type, id, body, pixels, ...seen }) {
    if (v !== version) {
      this.#fail(new UndertoneError("protocol-mismatch", `The engine speaks version ${v} of the protocol, the page ${version}.`));
      return;
    }
    const waiting = this.#waiting.get(id);
    const content = body ? JSON.parse(body) : undefined;
    switch (type) {
      case messages.ready:
      case messages.result:
        waiting?.resolve({ body: content, pixels, seen });
        break;
      case messages.loaded: // also sent within a generate that had to open the device again
        if (waiting?.onLoaded) waiting.onLoaded(content);
        else waiting?.resolve({ body: content });
        break;
      case messages.progress:
        call(waiting?.onProgress, content);
        break;
      case messages.step: {
        const preview = pixels && new ImageData(new Uint8ClampedArray(pixels), content.width, content.height);
        call(waiting?.onStep, { step: content.step, steps: content.steps, preview });
        break;
      }
      case messages.error: {
        const error = new UndertoneError(content.code, content.message, content.advice);
        if (id === 0) this.#fail(error);
        else waiting?.reject(error);
        break;
      }
    }
  }

  #fail(error) {
    this.end(error);
  }
}

/** Calls a listener of the host; what it throws is the host's affair, not the picture's. */
function call(listener, value) {
  if (typeof listener !== "function") return;
  try {
    listener(value);
  } catch (error) {
    reportError(error);
  }
}

function picture({ width, height, ...result }, pixels, { attention, latents }) {
  if (result.probe) Object.assign(result.probe, { attention: new Float32Array(attention), latents: squares(latents, result.probe.times.length) });
  const image = new ImageData(new Uint8ClampedArray(pixels), width, height);
  return {
    image,
    ...result,
    async blob(type = "image/png") {
      if (type !== "image/png") throw new UndertoneError("encode-unsupported", `A picture cannot be written as ${show(type)}.`);
      return encode(image, result.parameters);
    },
  };
}

/** Cuts the pixels of n square pictures of one size. */
function squares(pixels, n) {
  const bytes = pixels.byteLength / n;
  return Array.from({ length: n }, (_, i) => new ImageData(new Uint8ClampedArray(pixels, i * bytes, bytes), Math.sqrt(bytes / 4)));
}

function resolve(address) {
  try {
    const url = new URL(address, document.baseURI);
    if (url.protocol === "http:" || url.protocol === "https:") return url.href;
  } catch {
    // falls through to the same sentence
  }
  throw new UndertoneError("request-invalid", `${show(address)} is not the address of a model.json.`);
}

function checkDevice(device) {
  if (device !== "auto" && device !== "webgpu" && device !== "cpu") {
    throw new UndertoneError("backend-missing", `There is no device ${show(device)}.`);
  }
  if (device === "cpu" || navigator.gpu) return;
  if (!isSecureContext) throw new UndertoneError("insecure-context", "This page was not opened over https, so the browser hides the GPU from it.");
  throw new UndertoneError("webgpu-missing", "This browser does not offer WebGPU.");
}

/** Checks what JSON would hide (NaN, infinities, other types, broken text) and the
 * bounds that are known here; the engine checks the rest. */
function checkRequest(request, info) {
  if (typeof request !== "object" || request === null) throw new UndertoneError("request-invalid", `The request is ${show(request)}; an object is needed.`);
  const { prompt = "", seed, steps, size, cfg, guidance = [], probe } = request;
  checkPrompt(prompt, "The prompt");
  const body = { prompt };
  const whole = (value, name, code, from, to) => {
    if (value === undefined) return;
    if (!Number.isInteger(value) || value < from || value > to) {
      throw new UndertoneError(code, `For ${name}, ${show(value)} is not possible: whole numbers from ${from} to ${to} are.`);
    }
    body[name] = value;
  };
  whole(seed, "seed", "seed-range", 0, limits.seedMax);
  whole(steps, "steps", "steps-range", 1, info.maxSteps);
  if (size !== undefined) {
    if (!info.sizes.includes(size)) throw new UndertoneError("size-unsupported", `The size is ${show(size)}; this model makes ${info.sizes.join(", ")}.`);
    body.size = size;
  }
  if (cfg !== undefined) {
    if (!(typeof cfg === "number" && cfg >= 0 && cfg <= limits.cfgMax)) {
      throw new UndertoneError("cfg-range", `The guidance scale cfg is ${show(cfg)}; numbers from 0 to ${limits.cfgMax} are possible.`);
    }
    body.cfg = cfg;
  }
  if (!Array.isArray(guidance)) throw new UndertoneError("guidance-invalid", `The guidance is ${show(guidance)}; a list is needed.`);
  body.guidance = guidance.map(checkTerm);
  if (probe !== undefined) body.probe = checkProbe(probe);
  return body;
}

function checkProbe(probe) {
  if (typeof probe !== "object" || probe === null) throw new UndertoneError("request-invalid", `The probe is ${show(probe)}; an object is needed.`);
  const { word } = probe;
  if (word !== undefined && !Number.isSafeInteger(word)) throw new UndertoneError("request-invalid", `The probe's word is ${show(word)}; the number of a token is needed.`);
  return { word };
}

function checkTerm(term, i) {
  const at = `guidance[${i}]`;
  if (typeof term !== "object" || term === null) throw new UndertoneError("guidance-invalid", `The direction ${at} is ${show(term)}; an object is needed.`);
  const { positive = "", negative = "", weight, head = 0, schedule = { kind: "constant" } } = term;
  checkPrompt(positive, `The text ${at}.positive`);
  checkPrompt(negative, `The text ${at}.negative`);
  finite({ weight, head, schedule }, at);
  return { positive, negative, weight, head, schedule };
}

/** Refuses everything that is not a finite number, text, list or shallow object. */
function finite(value, at, depth = 0) {
  if (typeof value === "string" || (typeof value === "number" && Number.isFinite(value))) return;
  if (typeof value !== "object" || value === null || depth > 4) {
    throw new UndertoneError("guidance-invalid", `The value ${at} is ${show(value)}; a finite number is needed.`);
  }
  const list = Array.isArray(value);
  for (const [key, inner] of Object.entries(value)) finite(inner, list ? `${at}[${key}]` : `${at}.${key}`, depth + 1);
}

function checkPrompt(text, name) {
  if (typeof text !== "string") throw new UndertoneError("prompt-not-text", `${name} is ${show(text)}; text is needed.`);
  // One UTF-16 unit is at most three bytes, so a short text needs no count.
  const bytes = text.length * 3 > limits.promptBytes ? new TextEncoder().encode(text).length : text.length;
  if (bytes > limits.promptBytes) {
    throw new UndertoneError("prompt-too-long", `${name} has ${bytes} bytes; ${limits.promptBytes} are possible.`);
  }
  if (/\p{Surrogate}/u.test(text)) throw new UndertoneError("prompt-not-text", `${name} holds half a character, which is not text.`);
}

/** A value as people read it in a sentence, never longer than a line. */
function show(value) {
  let text;
  if (typeof value === "string") text = JSON.stringify(value);
  else if (typeof value === "object" && value !== null) text = Array.isArray(value) ? "a list" : "an object";
  else text = typeof value === "function" ? "a function" : String(value);
  return text.length > 80 ? text.slice(0, 79) + "…" : text;
}
