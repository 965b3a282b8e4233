package op

import "undertone/engine/fault"

// Act is an activation function.
type Act uint8

// The activations. GELU is the exact one, x·Φ(x); GELUTanh its tanh
// approximation (FLUX); QuickGELU is x·σ(1.702x) (CLIP); Clamp3 is
// 3·tanh(x/3), the input clamp of TAESD.
const (
	None Act = iota
	ReLU
	SiLU
	GELU
	GELUTanh
	QuickGELU
	Clamp3
	acts
)

var actNames = [acts]string{"none", "relu", "silu", "gelu", "gelu_tanh", "quick_gelu", "clamp3"}

func (a Act) String() string { return actNames[a] }

// ParseAct finds an activation by its name in a model's configuration.
func ParseAct(name string) (Act, error) {
	for i, n := range actNames {
		if n == name {
			return Act(i), nil
		}
	}
	return None, fault.New(fault.ModelUnsupported, "activation %q is not one of %v", name, actNames)
}
