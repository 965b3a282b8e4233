// Every way to read a canvas back answers with stripes, as in browsers that guard against
// fingerprinting, and readBacks counts who asks. readCanvas reads it all the same.
globalThis.readBacks = 0;
{
  const read = CanvasRenderingContext2D.prototype.getImageData;
  globalThis.readCanvas = (c) => read.call(c.getContext("2d"), 0, 0, c.width, c.height);
  const stripes = (c, type) => {
    const striped = type === HTMLCanvasElement ? document.createElement("canvas") : new OffscreenCanvas(1, 1);
    Object.assign(striped, { width: c.width, height: c.height });
    const context = striped.getContext("2d");
    for (let x = 0; x < c.width; x += 2) context.fillRect(x, 0, 1, c.height);
    return striped;
  };
  const replace = (type, name, make) => {
    const given = type.prototype[name];
    type.prototype[name] = function (...a) { readBacks++; return make(this, given, a); };
  };
  for (const type of [CanvasRenderingContext2D, OffscreenCanvasRenderingContext2D]) {
    replace(type, "getImageData", (c, given, a) => { const image = given.apply(c, a); image.data.forEach((_, i) => (image.data[i] = (i & 4) * 63)); return image; });
  }
  for (const [type, name] of [[HTMLCanvasElement, "toBlob"], [HTMLCanvasElement, "toDataURL"], [OffscreenCanvas, "convertToBlob"], [OffscreenCanvas, "transferToImageBitmap"]]) {
    replace(type, name, (c, given, a) => given.apply(stripes(c, type), a));
  }
}

// What the page saves and copies lies in saved, copied and copiedText.
{
  const make = URL.createObjectURL;
  URL.createObjectURL = (blob) => { globalThis.saved = blob; return make.call(URL, blob); };
  globalThis.copied = [];
  Object.defineProperty(navigator, "clipboard", { value: {
    write: async ([item]) => void copied.push(await item.getType("image/png")),
    writeText: async (text) => void (globalThis.copiedText = text),
  } });
}
