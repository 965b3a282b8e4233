// The picture to edit: what a host gives becomes pixels, which the engine fits to the
// size of the result. A PNG is read without a canvas, which some browsers answer with noise
// (Quirk: blurred-canvas): its pixels are those of its file, and so is their hash.
import { limits } from "./protocol.js";
import { show, told, UndertoneError } from "./errors.js";
import { decode } from "./png.js";

const advice = "Give a picture that this browser can show: a PNG or JPEG file, an ImageBitmap, or pixels.";
const refuse = (message) => new UndertoneError("request-invalid", message, advice);

/** Refuses sides that are none, or too long. */
function checkSides(width, height) {
  const possible = (side) => Number.isInteger(side) && side >= 1 && side <= limits.referenceSide;
  if (!possible(width) || !possible(height)) {
    throw refuse(`The reference picture has ${show(width)} × ${show(height)} pixels; 1 to ${limits.referenceSide} a side are possible.`);
  }
}

/** A property that objects of this class have, undefined of any other value. */
function own(type, property, value) {
  try {
    return Reflect.getOwnPropertyDescriptor(type.prototype, property).get.call(value);
  } catch {
    return undefined; // of another kind, or the browser knows none
  }
}

/**
 * Takes what a host gives apart, without reading a file.
 * @returns {() => Promise<{ width: number, height: number, pixels: ArrayBuffer }>} what reads it: 8-bit RGBA
 */
export function checkReference(given) {
  if (own(globalThis.Blob, "size", given) !== undefined) return () => readBlob(given);
  const [wide, high] = ["width", "height"].map((side) => own(globalThis.ImageBitmap, side, given));
  if (wide !== undefined) {
    checkSides(wide, high);
    return async () => drawn(given, wide, high);
  }
  const shown = given?.image ?? given; // what generate resolved to has one
  if (typeof shown !== "object" || shown === null) throw refuse(`The reference picture is ${show(given)}; an ImageData, a Blob, an ImageBitmap, the result of a generate, or { width, height, data } is needed.`);
  const { width, height, data } = shown;
  checkSides(width, height);
  const bytes = data instanceof Uint8ClampedArray || data instanceof Uint8Array;
  if (!bytes || data.length !== 4 * width * height) {
    throw refuse(`The reference picture of ${width} × ${height} pixels has ${bytes ? `${data.length} bytes` : show(data)}; ${4 * width * height} bytes of RGBA are needed.`);
  }
  return async () => ({ width, height, pixels: data.slice().buffer });
}

async function readBlob(blob) {
  try {
    const head = new DataView(await blob.slice(0, 24).arrayBuffer());
    if (head.byteLength === 24 && head.getUint32(0) === 0x89504e47) {
      checkSides(head.getUint32(16), head.getUint32(20));
      const { width, height, data } = await decode(new Uint8Array(await blob.arrayBuffer()));
      return { width, height, pixels: data.buffer };
    }
    const bitmap = await createImageBitmap(blob);
    try {
      checkSides(bitmap.width, bitmap.height);
      return drawn(bitmap, bitmap.width, bitmap.height);
    } finally {
      bitmap.close();
    }
  } catch (error) {
    if (error instanceof UndertoneError) throw error;
    throw refuse(`The reference picture cannot be read: ${told(error)}`);
  }
}

/** A file as an ImageData. @param {Blob} file */
export async function picture(file) {
  const { width, height, pixels } = await readBlob(file);
  return new ImageData(new Uint8ClampedArray(pixels), width, height);
}

/** Of PNG files the first whose pixels have this SHA-256, in hexadecimal digits, as an ImageData; undefined without one. */
export async function find(files, sha256) {
  for (const file of files) {
    try {
      const image = await picture(file);
      const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", image.data));
      if (sha256 === Array.from(sum, (b) => b.toString(16).padStart(2, "0")).join("")) return image;
    } catch {
      // Another tab has deleted it, or the browser computes no hashes.
    }
  }
}

/** The pixels of a bitmap. */
function drawn(bitmap, width, height) {
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  return { width, height, pixels: context.getImageData(0, 0, width, height).data.buffer };
}
