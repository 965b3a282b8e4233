// Package checkpoint reads published model files as people have them, without a
// model.json: it finds out what they are by the names and shapes of their tensors, and
// presents them under the names and in the order that the engine's loaders ask for.
//
//	found, err := checkpoint.Identify([]checkpoint.File{{"flux1-dev.safetensors", src}, …})
//	for _, p := range found.Parts {
//		u := engine.NewIndexUploader(ctx, be, p.Index, p.Source)
//	}
//
// Families: FLUX.1 of any depth, Stable Diffusion 3 and 3.5, HiDream-I1, Cosmos-Predict,
// the text encoders CLIP-L, CLIP-G, T5 and Llama 3, the decoders AutoencoderKL, that of
// Wan 2.1 and TAESD. Files: safetensors and GGUF, alone or in shards, whole models in one
// file, and diffusers folders.
//
// The names are tables (maps/*.map), not code. What a table changes is where a
// tensor's rows lie, never a number: rows of several tensors after each other and
// halves of rows in the other order are runs of bytes, which holds for quantized rows
// too. So a View copies nothing and its bytes are still handed over in pieces.
//
// Shapes do not tell everything. What they leave open is in a table of the known
// families; the config.json of a diffusers folder wins over that table, and must agree
// with the shapes.
package checkpoint
