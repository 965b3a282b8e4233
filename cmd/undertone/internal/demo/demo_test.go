package demo

import "testing"

// TestFind reads tags as people write them, over several lines and with marks in values.
func TestFind(t *testing.T) {
	list := Find([]byte(`text <undertone-demo id="a" compare prompt="a &quot;red&quot; frog > a cat"
  guidanceRows="cond" poster="one.jpg" theme="dark">inside</undertone-demo>
<undertone-demo><undertone-demon prompt="no">`))
	if len(list) != 2 {
		t.Fatalf("%d tags: %+v", len(list), list)
	}
	d := list[0]
	if d.Value("poster") != "one.jpg" || d.Value("id") != "a" || d.Value("seed") != "" {
		t.Errorf("%+v", d)
	}
	const picture = "prompt=a+%22red%22+frog+%3E+a+cat&guidanceRows=cond"
	if got := d.Picture(); got != picture {
		t.Errorf("of the picture: %s", got)
	}
	if got := d.Frame(); got != "compare=&"+picture+"&theme=dark" {
		t.Errorf("of the frame: %s", got)
	}
	if got := list[1].Frame(); got != "" {
		t.Errorf("of nothing: %s", got)
	}
}
