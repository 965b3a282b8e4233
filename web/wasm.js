// The engine's WebAssembly, fetched and compiled once per tab: the window and
// the worker instantiate the same compiled module.

const address = new URL("./undertone.wasm", import.meta.url);
let module;

/** @returns {Promise<WebAssembly.Module>} */
export function compiled() {
  module ??= compile().catch((error) => {
    module = undefined; // so that the next call tries again
    throw error;
  });
  return module;
}

async function compile() {
  try {
    return await compileFrom("default");
  } catch {
    return compileFrom("reload"); // past the browser's HTTP cache, which may hold something else
  }
}

async function compileFrom(cache) {
  const response = await fetch(address, { cache });
  if (!response.ok) throw new Error(`${address} answered ${response.status}`);
  // Some static hosts do not know the type application/wasm, which streaming needs.
  if (response.headers.get("Content-Type")?.startsWith("application/wasm")) {
    return WebAssembly.compileStreaming(response);
  }
  return WebAssembly.compile(await response.arrayBuffer());
}
