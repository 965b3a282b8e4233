// What the Lab keeps on this device: one text for each experiment that was begun, by a key
// of its own, in an IndexedDB. Where the browser stores nothing, the results last as long
// as the page.

const name = "undertone lab";
const store = "results";
const memory = new Map();
let opened; // promise of the database, or of nothing

function database() {
  opened ??= new Promise((resolve) => {
    try {
      const asked = indexedDB.open(name, 1);
      asked.onupgradeneeded = () => asked.result.createObjectStore(store);
      asked.onsuccess = () => resolve(asked.result);
      asked.onerror = asked.onblocked = () => resolve();
    } catch {
      resolve(); // refused
    }
  });
  return opened;
}

async function transact(mode, act) {
  const db = await database();
  if (!db) return undefined;
  return new Promise((resolve, reject) => {
    const transaction = db.transaction(store, mode);
    const asked = act(transaction.objectStore(store));
    transaction.oncomplete = () => resolve(asked.result);
    transaction.onerror = transaction.onabort = () => reject(transaction.error);
  });
}

/** The text that is kept under a key, or undefined. */
export async function recall(key) {
  return memory.get(key) ?? (await transact("readonly", (kept) => kept.get(key)).catch(() => undefined));
}

/** Keeps a text. Resolves to whether it outlasts the page. */
export async function remember(key, text) {
  memory.set(key, text);
  return transact("readwrite", (kept) => kept.put(text, key)).then(
    (stored) => stored !== undefined,
    () => false,
  );
}

/** How many texts outlast the page. */
export async function kept() {
  return (await transact("readonly", (all) => all.count()).catch(() => 0)) ?? 0;
}

/** Forgets a text. */
export async function forget(key) {
  memory.delete(key);
  await transact("readwrite", (kept) => kept.delete(key)).catch(() => {});
}
