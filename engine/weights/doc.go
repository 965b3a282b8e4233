// Package weights reads and writes model files: GGUF (quantized), safetensors
// (unquantized) and model.json, the manifest that binds them into one model.
//
// Three things are kept apart. [Survey] lists any legal file, whatever its types.
// [Parse] reads the file of a model, which holds nothing but its tensors; whether
// the engine computes with a tensor is asked for those that are used
// ([Tensor.Readable]). Both refuse what is dangerous: nothing here trusts a byte.
// Memory is set aside only for what lies in the file, at most twice the size of the
// header and 1 MiB; every product is checked; tensors do not overlap and end inside
// the file. A refusal is a *fault.Error whose sentence names the value and the limit
// and whose cause is a [Reason]: damage, something unsupported, or a limit of ours.
//
//	b, err := weights.LoadBundle(ctx, weights.Dir("models/sprites"), "model.json")
//	src, file, err := b.OpenFile(ctx, "dit")
//	index, err := weights.Parse(src)
//	t, ok := index.Lookup("img_in.weight")
//	x, err := weights.ReadFloat32(src, t)
package weights
