// Fetches and compiles WebAssembly programs, each once per tab.

const modules = new Map(); // address → promise of the compiled module

/** The compiled program at an address.
 * @param {string} address
 * @returns {Promise<WebAssembly.Module>} */
export function compiled(address) {
  if (!modules.has(address)) {
    const module = compile(address);
    modules.set(address, module);
    module.catch(() => modules.delete(address)); // so that the next call tries again
  }
  return modules.get(address);
}

async function compile(address) {
  try {
    return await compileFrom(address, "default");
  } catch {
    return compileFrom(address, "reload"); // past the browser's HTTP cache, which may hold something else
  }
}

async function compileFrom(address, cache) {
  const response = await fetch(address, { cache });
  if (!response.ok) throw new Error(`${address} answered ${response.status}`);
  // Streaming needs the type application/wasm. Quirk: no-wasm-type.
  if (response.headers.get("Content-Type")?.startsWith("application/wasm")) {
    return WebAssembly.compileStreaming(response);
  }
  return WebAssembly.compile(await response.arrayBuffer());
}
