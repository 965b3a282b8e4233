// What before/share_sheet.js was given.
test.share = {
  shared(i) {
    const { title, text, url, files: [file] } = shared[i];
    return { title, text, url, name: file.name, type: file.type };
  },
  // The hash of the pixels of a picture's file.
  async fileHash(file) {
    const bitmap = await createImageBitmap(file, { premultiplyAlpha: "none", colorSpaceConversion: "none" });
    const c = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
    c.drawImage(bitmap, 0, 0);
    return test.digest(c.getImageData(0, 0, bitmap.width, bitmap.height).data);
  },
};
