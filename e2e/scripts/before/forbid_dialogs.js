globalThis.confirm = globalThis.alert = globalThis.prompt = () => { throw new Error("a dialog was opened"); };
