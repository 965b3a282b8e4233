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
import { aborted, failure, show, told, UndertoneError } from "./errors.js";
import { Link } from "./link.js";
import { messages } from "./protocol.js";
import { checkDescribe, checkEncode, checkJudge, checkLoad, checkRequest, checkSave, checkStored } from "./request.js";
import { remove as removeStored, survey } from "./store.js"; // by name: an empty file does not pass for it
import { encode } from "./png.js";

export { UndertoneError };

export class Undertone {
  #link;
  #info;
  #manifest;
  #busy = false;

  constructor(link, loaded) {
    if (!(link instanceof Link)) throw new UndertoneError("request-invalid", "A model is made by Undertone.load, not by new Undertone.");
    this.#link = link;
    this.#understand(loaded);
  }

  /** Takes apart what the engine says of the loaded model. */
  #understand({ manifest, ...info }) {
    this.#info = Object.freeze(info);
    this.#manifest = manifest;
  }

  /** What was loaded, and on which device. */
  get info() {
    return Undertone.#own(this).#info;
  }

  /** The model.json that was made of published files; undefined where there was one. */
  get manifest() {
    return Undertone.#own(this).#manifest;
  }

  static async load(given, options = {}) {
    const { source, blobs, device, store, tune, onTuning, onProgress, signal } = checkLoad(given, options);
    const link = new Link();
    try {
      await link.start(signal);
      const { body } = await link.request(messages.load, { ...source, device, store, tune }, { signal, onProgress, blobs });
      if (signal?.aborted) throw aborted();
      const model = new Undertone(link, body);
      link.onTuned = (tuning) => {
        model.#info = Object.freeze({ ...model.#info, tuning });
        onTuning?.(tuning);
      };
      return model;
    } catch (error) {
      link.end();
      throw failure(error);
    }
  }

  /** What a model offers and takes, without loading it. */
  static async describe(given, options = {}) {
    const { source, blobs, signal } = checkDescribe(given, options);
    const link = new Link();
    try {
      await link.start(signal);
      const { body } = await link.request(messages.describe, source, { signal, blobs });
      return body;
    } catch (error) {
      throw failure(error);
    } finally {
      link.end();
    }
  }

  /** What is kept on this machine, and how much room there is. */
  static async storage() {
    return survey();
  }

  /** Deletes what is kept of one model, or, without an address, of all. */
  static async remove(address) {
    const url = address === undefined ? undefined : checkStored(address);
    try {
      await removeStored(url);
    } catch (error) {
      throw new UndertoneError("storage-refused", `The browser did not delete what is kept: ${told(error)}`);
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
    Undertone.#own(this);
    const { body, readReference, onStep, onProgress, signal } = checkRequest(request, this.#info);
    if (this.#busy) throw new UndertoneError("busy", "A picture is already being made.");
    this.#busy = true;
    const made = hold();
    try {
      let reference;
      if (readReference) {
        const { pixels, ...sides } = await readReference();
        [reference, body.reference] = [pixels, sides];
      }
      const { body: result, pixels, seen } = await this.#link.request(messages.generate, body, {
        signal,
        onStep,
        onProgress,
        pixels: reference,
        onLoaded: (loaded) => this.#understand(loaded),
      });
      if (signal?.aborted) throw aborted();
      return picture(result, pixels, seen);
    } catch (error) {
      throw failure(error);
    } finally {
      made();
      this.#busy = false;
    }
  }

  /** Says what a picture of the model shows. */
  async judge(image, options = {}) {
    const { body } = await this.#look(messages.judge, checkJudge(image, options, Undertone.#own(this).#info));
    return body;
  }

  /** Makes the latent of a picture. */
  async encode(image, options = {}) {
    const { pixels } = await this.#look(messages.encode, checkEncode(image, options, Undertone.#own(this).#info));
    return new Float32Array(pixels);
  }

  async #look(message, { body, pixels, onProgress, signal }) {
    if (this.#busy) throw new UndertoneError("busy", "A picture is being made.");
    this.#busy = true;
    try {
      return await this.#link.request(message, body, {
        signal,
        onProgress,
        pixels,
        onLoaded: (loaded) => this.#understand(loaded),
      });
    } catch (error) {
      throw failure(error);
    } finally {
      this.#busy = false;
    }
  }

  /** Writes the model as a bundle into a folder. */
  async save(folder, options = {}) {
    const { onProgress, signal } = checkSave(Undertone.#own(this).#manifest, folder, options);
    if (this.#busy) throw new UndertoneError("busy", "A picture is being made, or the model saved.");
    this.#busy = true;
    try {
      const { body } = await this.#link.request(messages.save, undefined, { signal, onProgress, folder });
      return body;
    } catch (error) {
      throw failure(error);
    } finally {
      this.#busy = false;
    }
  }

  /** Frees the device and all memory. Later calls reject with the code "closed". */
  close() {
    Undertone.#own(this).#link.end();
  }

  /** The model that a method was called on, which is none where the method was taken off it. */
  static #own(model) {
    if (!(#link in Object(model))) throw new UndertoneError("request-invalid", `A method of a loaded model was called on ${show(model)}.`);
    return model;
  }
}

/** Holds a shared lock until the function that it returns is called: what other pages of the
 * site do in the background (web/lab.js) gives way to it. It is not waited for. */
function hold() {
  let release = () => {};
  try {
    const held = new Promise((done) => (release = done));
    navigator.locks.request("undertone picture", { mode: "shared" }, () => held).catch(() => {});
  } catch {
    // Where there are no locks, nobody gives way.
  }
  return release;
}

function picture({ width, height, latentWidth, ...result }, pixels, { attention, latents }) {
  if (result.probe) Object.assign(result.probe, { attention: new Float32Array(attention), latents: cut(latents, result.probe.times.length, latentWidth) });
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

/** Cuts the pixels of n pictures of one size, of which the width is known. */
function cut(pixels, n, width) {
  const bytes = pixels.byteLength / n;
  return Array.from({ length: n }, (_, i) => new ImageData(new Uint8ClampedArray(pixels, i * bytes, bytes), width));
}
