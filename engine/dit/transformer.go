package dit

import (
	"slices"

	"undertone/engine/op"
)

// Shape is what the engine has to know of a transformer: the sizes of what goes in
// and comes out. The letters are those of the shape comments: D is the hidden width.
type Shape struct {
	Blocks         []string // the kind of every block in the order they run, without the output head
	Vector         int      // width of ψ, of τ and of the vector that every block gets: D or a multiple of it
	Context        int      // width of the token states that Context reads, those of all encoders joined
	Pooled         int      // width of the pooled text vector, which ψ reads
	Modulation     int      // width of one row of modulation, of all blocks and the head
	Channels       int      // of one image token
	Patch          int      // side of the square of latent pixels that makes one image token
	Time           int      // width of what τ reads of one time
	EmbedsGuidance bool     // the guidance scale is an input of τ instead of a second pass
	Heads, HeadDim int      // of attention
	Rows           string   // what the unconditional pass gets of directions where nobody says (guidance.Rows); "": the same as the other
	Side           int      // most image tokens in a row or column of the picture; 0 where any number fits
}

// Encoder is what a transformer may read of one text encoder.
type Encoder struct {
	Name   string // as the model's manifest names it: "clip", "clip_l", "t5", …
	Tokens int    // per prompt
	Width  int    // of a token's state; 0 where it gives none
	Pooled int    // width of the pooled vector; 0 where it gives none
	States int    // states of one token, of as many layers; 0 stands for 1
}

// States are the token states [Tokens, Width] of one text encoder, or of several layers of
// it one below the other.
type States struct {
	Encoder
	Tensor *op.Tensor
}

// Parts are what a transformer is put together with.
type Parts struct {
	Encoders       []Encoder
	LatentChannels int // of the decoder
}

// Reading says what a transformer takes of its text encoders.
type Reading struct {
	Tokens, Width int      // of the context [Tokens, Width], which Context makes of token states
	First         string   // the encoder whose tokens the context begins with
	Lead          int      // how many tokens that are, where the transformer asks for it
	Pooled        []string // the encoders whose pooled vectors, side by side, are what ψ reads
}

// Pass names the tensors of one pass.
type Pass struct {
	Context   *op.Tensor // [T, D], see Transformer.Context; not changed
	Lead      int        // Reading.Lead
	Latent    *op.Tensor // [S, in], image tokens; not changed
	Reference *op.Tensor // [R, in] or nil, tokens of a picture to go by; not changed, FLUX only
	Mod       *op.Tensor // [1, Modulation], this step's
	Positions *op.Tensor // see Transformer.Positions
	Padding   *op.Tensor // [S, 4] or nil: where the picture has a border, 1 there; Cosmos only
	Frames    int        // of a film, whose rows of tokens lie one frame below the other; 0: one
	Rows      int        // of image tokens, S = Rows · Cols
	Cols      int
	Out       *op.Tensor // [S, in] or nil, where the velocity goes
	Limit     int64      // most bytes of a tensor that is wider than the residual stream; 0: any number
	// AfterBlock, if not nil, is shown the residual stream after every block, under
	// the block's name and the stream's.
	AfterBlock func(name string, x *op.Tensor)
	// BeforeAttention, if not nil, is shown q|k|v of every block, counted in the order
	// they run: [T+S, ≥ 3·D] of all heads, or of as many groups of them as Maps of the
	// same limit has. It must not change it.
	BeforeAttention func(block int, qkv []*op.Tensor)
}

// afterBlock and beforeAttention call what was asked for, if anything was.
func (p Pass) afterBlock(name string, x *op.Tensor) {
	if p.AfterBlock != nil {
		p.AfterBlock(name, x)
	}
}

func (p Pass) beforeAttention(block int, y *joint) {
	if p.BeforeAttention != nil {
		p.BeforeAttention(block, y.tensors())
	}
}

// Part names one set of vectors in a row of modulation.
type Part struct {
	Block int    // in the order they run; the number of blocks for the output head
	Name  string // "image attention", "image MLP", "text attention", "text MLP" of double blocks, "block" of single ones, "head"
	Gate  bool   // it has a gate beside shift and scale
	Width int    // of each of its vectors
}

// repeat lists a kind n times.
func repeat(kind string, n int) []string { return slices.Repeat([]string{kind}, n) }
