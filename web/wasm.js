// Fetches and compiles WebAssembly programs, each once per tab, and gives out none that
// is not the one that the site was built with.

const modules = new Map(); // address → promise of the compiled module

/** The compiled program at an address.
 * @param {string} address
 * @param {string} integrity its hash, as fetch takes it
 * @returns {Promise<WebAssembly.Module>} */
export function compiled(address, integrity) {
  if (!modules.has(address)) {
    const module = compile(address, integrity);
    modules.set(address, module);
    module.catch(() => modules.delete(address)); // so that the next call tries again
  }
  return modules.get(address);
}

async function compile(address, integrity) {
  try {
    return await compileFrom(address, integrity, "default");
  } catch {
    return compileFrom(address, integrity, "reload"); // past the browser's HTTP cache, which may hold something else
  }
}

/** Compiles what comes while it comes, and compares a copy. Where the browser compares by
 * itself (fetch's integrity), nothing comes before all has; that is for insecure pages,
 * which have no digest. */
async function compileFrom(address, integrity, cache) {
  const subtle = digester();
  const response = await fetch(address, subtle ? { cache } : { cache, integrity });
  if (!response.ok) throw new Error(`${address} answered ${response.status}`);
  const copy = response.clone();
  const [module] = await Promise.all([fromResponse(response), subtle && compare(copy, integrity)]);
  return module;
}

async function fromResponse(response) {
  // Streaming needs the type application/wasm. Quirk: no-wasm-type.
  if (response.headers.get("Content-Type")?.startsWith("application/wasm")) {
    return WebAssembly.compileStreaming(response);
  }
  return WebAssembly.compile(await response.arrayBuffer());
}

/** What digests, or undefined where the page is insecure or the browser refuses it. */
function digester() {
  try {
    return crypto.subtle;
  } catch {
    return undefined;
  }
}

async function compare(response, integrity) {
  const sum = new Uint8Array(await digester().digest("SHA-256", await response.arrayBuffer()));
  if (`sha256-${btoa(String.fromCharCode(...sum))}` !== integrity) throw new Error(`${response.url} is not the file that the site was built with`);
}
