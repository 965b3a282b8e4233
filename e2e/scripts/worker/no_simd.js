// Runs in the engine's worker before its own script: no module is taken beside Go's, which
// the window has compiled.
WebAssembly.Module = class { constructor() { throw new Error("planted"); } };
