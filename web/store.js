// Where weights are kept on this machine: files in the origin's private file
// system (OPFS), in a folder of our own.
//
//   undertone/pieces/HASH       4 MiB of a weight file (the last piece of a file is
//                               shorter), named by its SHA-256
//   undertone/models/HASH.json  { address, manifest, next }: the text of a model.json,
//                               named by the SHA-256 of its address; next is that of a
//                               newer version, of which not every piece is there yet.
//                               Of published files the address is stored:NAME and the
//                               text a list of the same form (wasm/engine/keep_js.go),
//                               with the pieces that are there so far
//   undertone/tuning/HASH.json  which kernels of a model are fastest here
//                               (wasm/engine/tune_js.go), by the SHA-256 of its name
//
// Pieces are named by their content, so versions of a model share what is equal
// and can never be mixed, and a piece whose writing was cut off is only a piece
// that does not match its name. A piece belongs to the models that list it.
// The engine's worker reads and writes; the window lists and deletes.

import { pieceBytes } from "./protocol.js";

const OURS = "undertone";

/** A folder of ours. Handles are not kept: the person may clear the site's data at any time. */
async function folder(name, create = false) {
  const root = await navigator.storage.getDirectory();
  const ours = await root.getDirectoryHandle(OURS, { create });
  return ours.getDirectoryHandle(name, { create });
}

async function sha256(bytes) {
  const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(sum, (b) => b.toString(16).padStart(2, "0")).join("");
}

const recordName = async (address) => `${await sha256(new TextEncoder().encode(address))}.json`;

// A deletion also ends the storing of what is being downloaded, in every tab.
let line; // to the other tabs; null where the browser refuses one
let deletions = 0;

/** @returns {number} how often something was deleted since this was first called. */
export function deleted() {
  if (line === undefined) {
    line = channel();
    if (line) line.onmessage = () => deletions++;
  }
  return deletions;
}

function channel() {
  try {
    return new BroadcastChannel("undertone-store");
  } catch {
    return null; // Quirk: channel-refused
  }
}

function tellDeleted() {
  const once = channel(); // an open one would keep Node, and pages for the back button, waiting
  once?.postMessage("deleted");
  once?.close();
}

// For the worker.

/**
 * Reads a piece, and compares it with its name.
 * @returns {Promise<Uint8Array | null>} null where there is none, or a damaged one, which is removed.
 */
export async function read(hash, length) {
  try {
    const pieces = await folder("pieces");
    const file = await (await pieces.getFileHandle(hash)).getFile();
    if (file.size === length) {
      const bytes = new Uint8Array(await file.arrayBuffer());
      if ((await sha256(bytes)) === hash) return bytes;
    }
    await pieces.removeEntry(hash);
  } catch {
    // Absent, unreadable, or being written by another tab: it is fetched.
  }
  return null;
}

/** Writes a piece. Throws QuotaExceededError and whatever else the browser has against it. */
export async function write(hash, bytes) {
  const pieces = await folder("pieces", true);
  const file = await pieces.getFileHandle(hash, { create: true });
  try {
    const access = await file.createSyncAccessHandle();
    try {
      if (access.write(bytes, { at: 0 }) !== bytes.length) throw new DOMException("The piece was not written as a whole.", "QuotaExceededError");
      access.truncate(bytes.length);
      access.flush();
    } finally {
      access.close();
    }
  } catch (error) {
    if (error.name === "NoModificationAllowedError") return; // another tab writes the same bytes
    await pieces.removeEntry(hash).catch(() => {});
    throw error;
  }
}

/** How many of these bytes are there, as far as lengths tell. @param {[string, number][]} list */
export async function present(list) {
  let bytes = 0;
  try {
    const pieces = await folder("pieces");
    for (const [hash, length] of list) {
      const file = await pieces.getFileHandle(hash).then((f) => f.getFile(), () => null);
      if (file?.size === length) bytes += length;
    }
  } catch {
    // nothing is there
  }
  return bytes;
}

/** Refusals that waiting does not change. */
const final = ["NotFoundError", "QuotaExceededError", "SecurityError", "NotAllowedError"];

/** Does again what the browser refuses while another tab writes or deletes the same. */
async function patiently(work) {
  for (let wait = 50; ; wait *= 2) {
    try {
      return await work();
    } catch (error) {
      if (wait > 800 || final.includes(error.name)) throw error;
      await new Promise((done) => setTimeout(done, wait * (0.5 + Math.random())));
    }
  }
}

/** Notes which pieces a model consists of; must come before its pieces, see sweep. */
export async function remember(address, manifest, complete) {
  const name = await recordName(address);
  await patiently(async () => {
    const models = await folder("models", true);
    const old = complete ? null : await recordText(models, name);
    const record = old && old.manifest !== manifest ? { ...old, next: manifest } : { address, manifest };
    const file = await models.getFileHandle(name, { create: true });
    const writable = await file.createWritable(); // takes the old one's place when it is closed
    await writable.write(JSON.stringify(record));
    await writable.close();
  });
}

/** @returns {Promise<{ address: string, manifest: string, next?: string } | null>} */
async function recordText(models, name) {
  try {
    return JSON.parse(await (await (await models.getFileHandle(name)).getFile()).text());
  } catch {
    return null;
  }
}

/** @returns {Promise<string | null>} the model.json that was noted for this address. */
export async function recall(address) {
  try {
    return (await recordText(await folder("models"), await recordName(address)))?.manifest ?? null;
  } catch {
    return null;
  }
}

/** Notes which kernels of a model are fastest here. */
export async function noteTuning(name, text) {
  const file = await (await folder("tuning", true)).getFileHandle(await recordName(name), { create: true });
  const writable = await file.createWritable();
  await writable.write(text);
  await writable.close();
}

/** @returns {Promise<string | null>} what was noted. */
export async function tuning(name) {
  try {
    return await (await (await (await folder("tuning")).getFileHandle(await recordName(name))).getFile()).text();
  } catch {
    return null;
  }
}

/**
 * Waits until no other tab holds the name.
 * @returns {Promise<() => void>} what gives it back.
 */
export function hold(name, signal) {
  return new Promise((got, failed) => {
    navigator.locks.request(`${OURS} ${name}`, { signal }, () => new Promise((release) => got(release))).catch(failed);
  });
}

/**
 * Removes the pieces that no model lists: those of an older version. Pieces are
 * listed before the models, and every download notes its model before its first
 * piece, so what another tab is fetching is never taken away.
 */
export async function sweep() {
  const pieces = await folder("pieces");
  const there = await names(pieces);
  const wanted = new Set();
  for (const record of await records()) {
    if (!record.pieces) return; // of a version that we cannot read: whose pieces are whose?
    for (const [hash] of record.pieces) wanted.add(hash);
  }
  for (const hash of there) if (!wanted.has(hash)) await pieces.removeEntry(hash).catch(() => {});
}

// For the window.

/** What is kept, and how much room there is. Never throws: available says whether there is a store at all. */
export async function survey() {
  const result = { available: false, used: 0, usage: 0, quota: 0, persisted: false, models: [] };
  try {
    ({ usage: result.usage = 0, quota: result.quota = 0 } = await navigator.storage.estimate());
    result.persisted = await navigator.storage.persisted();
    await navigator.storage.getDirectory();
    result.available = true;
    const pieces = await folder("pieces");
    const sizes = new Map();
    for (const hash of await names(pieces)) {
      const { size } = await (await pieces.getFileHandle(hash)).getFile();
      sizes.set(hash, size);
      result.used += size;
    }
    for (const { address, model, own } of await records()) {
      if (!model) continue;
      const stored = own.reduce((sum, [hash, length]) => sum + (sizes.get(hash) === length ? length : 0), 0);
      const { name, title, revision } = model;
      const bytes = needed(model).reduce((sum, f) => sum + f.bytes, 0);
      result.models.push({ address, name, title, revision, bytes, stored });
    }
  } catch {
    // No store, or nothing in it yet.
  }
  return result;
}

/** Deletes a model's pieces that no other model lists, or, without an address, everything of ours. */
export async function remove(address) {
  const root = await navigator.storage.getDirectory();
  tellDeleted();
  // Deletions come one after another, in all tabs; where there are no locks, they are tried again.
  const release = await hold("deletion").catch(() => () => {});
  try {
    await patiently(() => (address === undefined ? root.removeEntry(OURS, { recursive: true }) : removeModel(address)));
  } catch (error) {
    absent(error); // nothing is there, or another tab deletes it
  } finally {
    release();
  }
}

async function removeModel(address) {
  const models = await folder("models");
  await models.removeEntry(await recordName(address)).catch(absent);
  await sweep();
}

function absent(error) {
  if (error.name !== "NotFoundError") throw error;
}

/** The names of our files in a folder of ours. */
async function names(directory) {
  const list = [];
  for await (const name of directory.keys()) if (/^[0-9a-f]{64}(\.json)?$/.test(name)) list.push(name);
  return list;
}

/** @returns {Promise<{ address?: string, model?: object, own?: [string, number][], pieces?: [string, number][] }[]>} own: of the newest version, pieces: of all. */
async function records() {
  const models = await folder("models");
  const list = [];
  for (const name of await names(models)) {
    try {
      const { address, manifest, next = manifest } = await recordText(models, name);
      const model = JSON.parse(next);
      const old = JSON.parse(manifest);
      const own = piecesOf(needed(model));
      list.push({ address, model, own, pieces: [...piecesOf(needed(old)), ...own, ...piecesOf(optional(old)), ...piecesOf(optional(model))] });
    } catch {
      // Of a version that we cannot read, unless it was deleted since it was listed.
      if (await models.getFileHandle(name).catch(() => null)) list.push({});
    }
  }
  return list;
}

/** The files of a model that are fetched when somebody asks for them. */
const optional = ({ files }) => files.filter((f) => optionalRoles.includes(f.role));

/** The others. */
const needed = ({ files }) => files.filter((f) => !optionalRoles.includes(f.role));

const optionalRoles = ["encoder", "judge"];

const piecesOf = (files) => files.flatMap((f) => f.pieces.map((hash, i) => [hash, Math.min(pieceBytes, f.bytes - i * pieceBytes)]));
