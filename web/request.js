// Checks what a host gives, and copies it. Nothing of it is walked, copied or sent
// before its size is known to be within the limits (protocol.js), and every property
// is read once: what was checked is what is sent.
import { ablations, limits, rows } from "./protocol.js";
import { show, told, UndertoneError } from "./errors.js";
import { checkReference } from "./reference.js";

/** Runs a check. What the host's own getters throw in it is a fault of the call. */
function checked(name, check) {
  try {
    return check();
  } catch (error) {
    if (error instanceof UndertoneError) throw error;
    throw new UndertoneError("request-invalid", `${name} cannot be read: ${told(error)}`);
  }
}

function checkOptions(options) {
  if (!isObject(options)) throw new UndertoneError("request-invalid", `The options are ${show(options)}; an object is needed.`);
}

/** Puts a pooled adapter beside a model's source: among its files, or by itself. */
function besides({ source, blobs }, adapter) {
  if (adapter === undefined) return { source, blobs };
  if (source.address?.startsWith("stored:")) throw new UndertoneError("request-invalid", "What is kept has no adapter beside it; give its files and the adapter together.");
  const file = checkFile(adapter, "adapter", blobs); // whose Blob is the last
  return { source: source.files ? { files: [...source.files, file] } : { ...source, adapter: file }, blobs };
}

/** The arguments of Undertone.load. */
export function checkLoad(source, options) {
  const from = checkSource(source);
  return checked("An option", () => {
    checkOptions(options);
    const { onProgress, signal, device = "auto", store = false, tune, onTuning, adapter } = options;
    if (tune !== undefined && typeof tune !== "boolean") throw new UndertoneError("request-invalid", `The option tune is ${show(tune)}; true or false are possible.`);
    checkListener(onTuning, "onTuning");
    if (typeof store !== "boolean") throw new UndertoneError("request-invalid", `The option store is ${show(store)}; true or false are possible.`);
    checkListener(onProgress, "onProgress");
    checkSignal(signal);
    checkDevice(device);
    return { ...besides(from, adapter), device, store, tune, onTuning, onProgress, signal };
  });
}

/** The arguments of Undertone.describe. */
export function checkDescribe(source, options) {
  const from = checkSource(source);
  return checked("An option", () => {
    checkOptions(options);
    const { signal, adapter } = options;
    checkSignal(signal);
    return { ...besides(from, adapter), signal };
  });
}

/** The arguments of a model's save; manifest is that of published files. */
export function checkSave(manifest, folder, options) {
  return checked("An option", () => {
    if (manifest === undefined) throw new UndertoneError("request-invalid", "This model has a model.json already: copy the folder that it came from.");
    const isFolder = offered(() => Reflect.getOwnPropertyDescriptor(FileSystemHandle.prototype, "kind").get.call(folder)) === "directory";
    if (!isFolder) throw new UndertoneError("request-invalid", `The folder is ${show(folder)}; a FileSystemDirectoryHandle is needed.`);
    checkOptions(options);
    const { onProgress, signal } = options;
    checkListener(onProgress, "onProgress");
    checkSignal(signal);
    return { onProgress, signal };
  });
}

/** The arguments of a model's judge; info tells whether there is one, and of what size it sees pictures. */
export function checkJudge(image, options, { judge }) {
  return checkLook(image, options, (width, height) => {
    if (!judge) throw new UndertoneError("request-invalid", "This model has no judge.");
    if (width !== judge.size || height !== judge.size) {
      throw new UndertoneError("size-unsupported", `The picture has ${width} × ${height} pixels; the judge of this model sees ${judge.size} × ${judge.size}.`);
    }
  });
}

/** The same for the encoder. */
export function checkEncode(image, options, { edits, sizes }) {
  return checkLook(image, options, (width, height) => {
    if (!edits) throw new UndertoneError("request-invalid", "This model has no encoder.");
    checkSize([width, height], sizes);
  });
}

function checkLook(image, options, fits) {
  return checked("The picture", () => {
    checkOptions(options);
    const { onProgress, signal } = options;
    checkListener(onProgress, "onProgress");
    checkSignal(signal);
    const own = (property) => offered(() => Reflect.getOwnPropertyDescriptor(ImageData.prototype, property).get.call(image));
    const [width, height, data] = [own("width"), own("height"), own("data")];
    if (!(data instanceof Uint8ClampedArray)) throw new UndertoneError("request-invalid", `The picture is ${show(image)}; an ImageData is needed.`);
    fits(width, height);
    return { body: { width, height }, pixels: data.slice().buffer, onProgress, signal };
  });
}

/**
 * Where a model comes from: source is what the engine is sent, and blobs the published
 * files among it that have no address.
 */
function checkSource(source) {
  return checked("The model", () => {
    const given = isObject(source) && hrefOf(source) === undefined ? source.files : undefined;
    if (given === undefined) {
      const address = checkStored(source);
      return published.test(address) ? { source: { files: [remote(address)] }, blobs: [] } : { source: { address }, blobs: [] };
    }
    const blobs = [];
    const files = listOf(given).map((entry, i) => checkFile(entry, `files[${i}]`, blobs));
    if (files.length === 0) throw new UndertoneError("request-invalid", "The list files is empty; the files of a model are needed.");
    return { source: { files }, blobs };
  });
}

/** An address that ends like a weight file. */
const published = /^https?:[^?#]*\.(safetensors|sft|gguf)([?#]|$)/i;

/** Copies a list of files, of which the browser has two kinds. */
function listOf(given) {
  const list = Array.isArray(given) || offered(() => Reflect.getOwnPropertyDescriptor(FileList.prototype, "length").get.call(given)) !== undefined;
  if (!list) throw new UndertoneError("request-invalid", `The list files is ${show(given)}; an Array or a FileList is needed.`);
  const { length } = given;
  if (!(length <= limits.files)) throw new UndertoneError("request-invalid", `The list files has ${length} entries; ${limits.files} are possible.`);
  return Array.from({ length }, (_, i) => given[i]);
}

/** One file: an address, a File, or { path, file }. */
function checkFile(entry, name, blobs) {
  if (typeof entry === "string" || hrefOf(entry) !== undefined) return remote(checkAddress(entry));
  const pair = isObject(entry) && !isBlob(entry);
  const file = pair ? entry.file : entry;
  if (pair && (typeof file === "string" || hrefOf(file) !== undefined)) return { path: checkPath(entry.path, name), address: checkAddress(file) };
  if (!isBlob(file)) throw new UndertoneError("request-invalid", `The entry ${name} is ${show(entry)}; a File, an address, or a path with one of them is needed.`);
  const own = (property) => offered(() => Reflect.getOwnPropertyDescriptor(File.prototype, property).get.call(file));
  const path = checkPath(pair ? entry.path : own("webkitRelativePath") || own("name"), name);
  blobs.push(file);
  return { path };
}

function isBlob(value) {
  return offered(() => Reflect.getOwnPropertyDescriptor(Blob.prototype, "size").get.call(value)) !== undefined;
}

/** A file's path: its name, and the folders before it that were chosen or dropped. */
function checkPath(path, name) {
  if (typeof path !== "string" || path.replace(/^\/+/, "") === "") throw new UndertoneError("request-invalid", `The path of ${name} is ${show(path)}; the file's name is needed.`);
  if (path.length > limits.pathLength) throw new UndertoneError("request-invalid", `The path of ${name} has ${path.length} characters; ${limits.pathLength} are possible.`);
  return path.replace(/^\/+/, "");
}

/** A published file at an address. Its path says what is in which folder, without the version that Hugging Face has in it. */
function remote(address) {
  const { pathname } = new URL(address);
  const path = (offered(() => decodeURIComponent(pathname)) ?? pathname).replace(/\/(resolve|raw)\/[^/]+\//, "/");
  return { path: checkPath(path.slice(-limits.pathLength), show(address)), address };
}

/** The address of what is kept on this machine: of a model.json, or of published files. */
export function checkStored(address) {
  return typeof address === "string" && stored.test(address) ? address : checkAddress(address);
}

/** The addresses of published files that are kept. */
const stored = /^stored:[a-z0-9-]{1,100}$/;

/** The absolute address of a model.json or a file. */
export function checkAddress(address) {
  return checked("The address", () => {
    const text = typeof address === "string" ? address : hrefOf(address);
    if (text?.length > limits.addressLength) {
      throw new UndertoneError("request-invalid", `The address has ${text.length} characters; ${limits.addressLength} are possible.`);
    }
    const url = text === undefined ? undefined : offered(() => new URL(text, globalThis.document?.baseURI ?? globalThis.location?.href));
    if (url?.protocol === "http:" || url?.protocol === "https:") return url.href;
    throw new UndertoneError("request-invalid", `${show(address)} is not the address of a model.json.`);
  });
}

/** The address in a URL object, of this window or of another; undefined if it is none. */
function hrefOf(value) {
  return offered(() => Reflect.getOwnPropertyDescriptor(URL.prototype, "href").get.call(value));
}

function checkDevice(device) {
  if (device !== "auto" && device !== "webgpu" && device !== "cpu") {
    throw new UndertoneError("backend-missing", `There is no device ${show(device)}.`);
  }
  if (device === "cpu" || offered(() => navigator.gpu)) return;
  if (!offered(() => isSecureContext)) throw new UndertoneError("insecure-context", "This page was not opened over https, so the browser hides the GPU from it.");
  throw new UndertoneError("webgpu-missing", "This browser does not offer WebGPU.");
}

/** What is asked for, or undefined: a browser may throw at the mere name. */
function offered(ask) {
  try {
    return ask();
  } catch {
    return undefined;
  }
}

function checkListener(listener, name) {
  if (listener !== undefined && typeof listener !== "function") {
    throw new UndertoneError("request-invalid", `${name} is ${show(listener)}; a function is needed.`);
  }
}

function checkSignal(signal) {
  const is = offered(() => Reflect.getOwnPropertyDescriptor(AbortSignal.prototype, "aborted").get.call(signal));
  if (signal !== undefined && is === undefined) {
    throw new UndertoneError("request-invalid", `The signal is ${show(signal)}; an AbortSignal is needed.`);
  }
}

/**
 * The request of generate: body is what the engine is sent, readReference what reads the
 * pixels of the reference picture, if there is one. Checked are what JSON
 * would hide (NaN, infinities, other types, broken text) and the bounds that are known
 * here; the engine checks the rest.
 */
export function checkRequest(request, info) {
  return checked("The request", () => {
    if (!isObject(request)) throw new UndertoneError("request-invalid", `The request is ${show(request)}; an object is needed.`);
    const { prompt = "", seed, steps, size, cfg, guidance = [], guidanceRows, ablate, probe, reference, onStep, onProgress, signal } = request;
    checkPrompt(prompt, "The prompt");
    checkListener(onStep, "onStep");
    checkListener(onProgress, "onProgress");
    checkSignal(signal);
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
    if (size !== undefined) body.size = checkSize(size, info.sizes);
    if (cfg !== undefined) {
      if (!(typeof cfg === "number" && cfg >= 0 && cfg <= limits.cfgMax)) {
        throw new UndertoneError("cfg-range", `The guidance scale cfg is ${show(cfg)}; numbers from 0 to ${limits.cfgMax} are possible.`);
      }
      body.cfg = cfg;
    }
    body.guidance = checkList(guidance, "The guidance", limits.terms).map((term, i) => checkTerm(term, i, info.steersHead));
    if (guidanceRows !== undefined) {
      if (!rows.includes(guidanceRows)) {
        throw new UndertoneError("guidance-invalid", `The option guidanceRows is ${show(guidanceRows)}; ${rows.map((one) => JSON.stringify(one)).join(", ")} are possible.`);
      }
      body.guidanceRows = guidanceRows;
    }
    if (ablate !== undefined) body.ablate = checkAblation(ablate);
    if (probe !== undefined) body.probe = checkProbe(probe);
    body.preview = onStep !== undefined;
    if (reference !== undefined && !info.edits) throw new UndertoneError("reference-refused", "This model makes pictures from words alone; it reads no reference picture.");
    return { body, readReference: reference === undefined ? undefined : checkReference(reference), onStep, onProgress, signal };
  });
}

/** Copies a size that is among the model's. */
function checkSize(size, sizes) {
  const list = Array.isArray(size);
  const [width, height] = sides(size);
  if (!sizes.map(sides).some(([w, h]) => w === width && h === height)) {
    const given = list && width !== undefined ? `[${show(width)}, ${show(height)}]` : show(size);
    throw new UndertoneError("size-unsupported", `The size is ${given}; this model makes ${sizes.map((one) => JSON.stringify(one)).join(", ")}.`);
  }
  return width === height ? width : [width, height];
}

/** Width and height of a size, which is the side of a square or a list of two; of any other list, nothing. */
function sides(size) {
  if (!Array.isArray(size)) return [size, size];
  return size.length === 2 ? [size[0], size[1]] : [];
}

/** Copies what is to be taken from the prompt. */
function checkAblation(ablate) {
  if (!isObject(ablate)) throw new UndertoneError("request-invalid", `The option ablate is ${show(ablate)}; an object is needed.`);
  const { pooled = "", prompt = "", tokens = "" } = ablate;
  for (const [name, value, words] of [["pooled", pooled, ablations.pooled], ["tokens", tokens, ablations.tokens]]) {
    if (value !== "" && !words.includes(value)) {
      throw new UndertoneError("request-invalid", `The option ablate.${name} is ${show(value)}; ${words.map((one) => JSON.stringify(one)).join(", ")} are possible.`);
    }
  }
  checkPrompt(prompt, "The prompt of ablate");
  return { pooled, prompt, tokens };
}

function checkProbe(probe) {
  if (!isObject(probe)) throw new UndertoneError("request-invalid", `The probe is ${show(probe)}; an object is needed.`);
  const { word } = probe;
  if (word !== undefined && !Number.isSafeInteger(word)) throw new UndertoneError("request-invalid", `The probe's word is ${show(word)}; the number of a token is needed.`);
  return { word };
}

/** Copies a direction, which steers the output head too where it does not say and the model's do (steers). */
function checkTerm(term, i, steers) {
  const at = `guidance[${i}]`;
  if (!isObject(term)) throw new UndertoneError("guidance-invalid", `The direction ${at} is ${show(term)}; an object is needed.`);
  const { positive = "", negative = "", weight, head = steers ? weight : 0, schedule = { kind: "constant" }, random = false } = term;
  if (typeof random !== "boolean") throw new UndertoneError("guidance-invalid", `The value ${at}.random is ${show(random)}; true or false are possible.`);
  checkPrompt(positive, `The text ${at}.positive`);
  checkPrompt(negative, `The text ${at}.negative`);
  checkNumber(weight, `${at}.weight`);
  checkNumber(head, `${at}.head`);
  const lists = (value, name) => (typeof value === "object" && value !== null ? checkList(value, name, limits.blocks).map((inner, j) => entry(inner, `${name}[${j}]`)) : leaf(value, name));
  const entry = (value, name) => (typeof value === "object" && value !== null ? checkFields(value, name, leaf) : leaf(value, name));
  return { positive, negative, weight, head, schedule: checkFields(schedule, `${at}.schedule`, lists), ...(random && { random }) };
}

/** Copies an object of few fields, each with a check. */
function checkFields(value, name, check) {
  // Its tag tells an object from typed arrays, strings and maps, which have millions of keys, or none.
  if (!isObject(value) || Object.prototype.toString.call(value) !== "[object Object]") {
    throw new UndertoneError("guidance-invalid", `The value ${name} is ${show(value)}; a plain object is needed.`);
  }
  const keys = Object.keys(value);
  if (keys.length > limits.scheduleFields) {
    throw new UndertoneError("guidance-invalid", `The value ${name} has ${keys.length} fields; ${limits.scheduleFields} are possible.`);
  }
  return Object.fromEntries(keys.map((key) => [key, check(value[key], `${name}.${key.slice(0, 40)}`)]));
}

/** Copies a list, once its length is known to be possible. */
function checkList(value, name, most) {
  if (!Array.isArray(value)) throw new UndertoneError("guidance-invalid", `${name} is ${show(value)}; a list is needed.`);
  const { length } = value;
  if (!(length <= most)) throw new UndertoneError("guidance-invalid", `${name} has ${length} entries; ${most} are possible.`);
  return Array.from({ length }, (_, i) => value[i]);
}

/** A number, or a word that the engine knows. */
function leaf(value, name) {
  if (typeof value !== "string") return checkNumber(value, name);
  if (value.length > limits.scheduleText) {
    throw new UndertoneError("guidance-invalid", `The value ${name} has ${value.length} characters; ${limits.scheduleText} are possible.`);
  }
  return value;
}

function checkNumber(value, name) {
  if (typeof value !== "number" || !Number.isFinite(value)) {
    throw new UndertoneError("guidance-invalid", `The value ${name} is ${show(value)}; a finite number is needed.`);
  }
  return value;
}

function checkPrompt(text, name) {
  if (typeof text !== "string") throw new UndertoneError("prompt-not-text", `${name} is ${show(text)}; text is needed.`);
  // One UTF-16 unit is one to three bytes: what is far too long needs no count, what is short neither.
  const count = text.length <= limits.promptBytes && text.length * 3 > limits.promptBytes;
  const bytes = count ? new TextEncoder().encode(text).length : text.length;
  if (bytes > limits.promptBytes) {
    throw new UndertoneError("prompt-too-long", `${name} has ${count ? "" : "more than "}${bytes} bytes; ${limits.promptBytes} are possible.`);
  }
  if (/\p{Surrogate}/u.test(text)) throw new UndertoneError("prompt-not-text", `${name} holds half a character, which is not text.`);
}

function isObject(value) {
  return typeof value === "object" && value !== null;
}
