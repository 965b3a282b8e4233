// Runs in the engine's worker before its own script: files take a while to be read.
{
  const { arrayBuffer } = Blob.prototype;
  Blob.prototype.arrayBuffer = async function () {
    await new Promise((done) => setTimeout(done, this.size / 25_000)); // 25 MB in a second
    return arrayBuffer.call(this);
  };
}
